// The middle of a mixer, from the input projection's rows to the input of the output projection, for many tokens of one
// sequence at once: the chunked parallel form of the recurrence (Mamba-3 paper, section on the parallel form; the same
// function of the tokens as stepping through rotate, state_update, readout and mimo_mix). Per head, with
// a_t = A_t dt_t, c_t = sum of a from the chunk's first token to t, and q, k rotated by the accumulated angle:
//   w_s = gamma_s + dt_(s+1) (1 - lambda_(s+1))       what token s weighs for every later token; of the last token: gamma_s
//   M   = h + dt_0 (1 - lambda_0) sum_r v_prev[r] (x) k_prev[r]                       carried from chunk to chunk
//   y_t = exp(c_t) M q_t + sum_(s < t in the chunk) exp(c_t - c_s) w_s (q_t . k_s) v_s + gamma_t (q_t . k_t) v_t + D v_t
//   M   = exp(c_end) M + sum_(s in the chunk) exp(c_end - c_s) w_s v_s (x) k_s
// and afterwards h = M; what the last token writes into the next one's step travels in k_prev and x_prev, as in a step. With
// several ranks q, k, v are rows of (token, rank): every rank reads what every rank wrote. Then norm, gate and sum of the
// ranks of each token as in readout and mimo_mix. No changes of the step (kernels/intervention).
// T is the type of activations: float on the device, double in the reference. Device: kernels/prefill/device.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kernels {

template <class T>
struct PrefillArgs {
  int tokens = 0;   // T
  int heads = 0;    // H
  int headdim = 0;  // P
  int d_state = 0;  // N, a multiple of 8
  int rank = 1;     // R
  int groups = 1;   // G, divides H
  int angles = 0;   // S <= N/2
  bool half_pairs = false;

  // Pieces of the input projection's output (T, rows); a token's piece begins `stride` elements after the one before. With
  // `second_part` the value of each element is the sum of itself and of the one that many elements on (device).
  int stride = 0;
  std::size_t second_part = 0;
  const T* z = nullptr;  // (T, H, P)
  const T* x = nullptr;  // (T, H, P)
  const T* b = nullptr;  // (T, R, G, N)
  const T* c = nullptr;  // (T, R, G, N)

  // The projection's last rows, (T, 3 H + S): dd_dt, dd_A, trap, angle. A sum of its own, since their errors add up over a
  // text. Device only; the reference is given the coefficients.
  const T* raw = nullptr;
  int raw_stride = 0;

  const float* b_norm = nullptr;  // (N)
  const float* c_norm = nullptr;  // (N)
  const float* b_bias = nullptr;  // (H, R, N)
  const float* c_bias = nullptr;  // (H, R, N)
  const float* d = nullptr;       // (H)
  const float* mimo_x = nullptr;  // (H, R, P); null for SISO
  const float* mimo_z = nullptr;  // (H, R, P); null for SISO
  const float* mimo_o = nullptr;  // (H, R, P); null for SISO
  const float* norm = nullptr;    // (H, P), shared by the ranks; null without an output norm

  const T* dt = nullptr;      // (T, H)
  const T* a = nullptr;       // (T, H)
  const T* lambda = nullptr;  // (T, H)
  const T* rest = nullptr;    // (T, H): 1 - lambda
  const T* turn = nullptr;    // (T, S)

  // The sequence's state, in and out.
  T* angle = nullptr;               // (H, S) radians in [0, 2 pi)
  std::int32_t* turns = nullptr;    // (H, S)
  T* k_prev = nullptr;              // (R, H, N)
  T* x_prev = nullptr;              // (H, P)
  T* h = nullptr;                   // (H, P, N)
  std::uint16_t* h_bf16 = nullptr;  // the same in bf16, in place of h; device only

  // Scratch of the device.
  T* normed = nullptr;  // (T, 2, R, G, N): B, then C, normed and weighed
  T* turned = nullptr;  // (T, H, S, 2): cosine and sine of each token's angles
  T* read = nullptr;    // (T, R, H, P): y without D v
  T* k_last = nullptr;  // (R, H, N): the last token's keys, which become k_prev

  T* out = nullptr;       // (T, H, P); may be null where parts are asked for
  void* parts = nullptr;  // the same as two bf16 parts (kernels/product/parts.h), `part_distance` apart; device only
  std::size_t part_distance = 0;
};

// Tokens of a chunk: with their ranks they fill 64 rows.
constexpr int prefill_rows = 64;
constexpr int prefill_chunk(int rank) { return prefill_rows / rank; }

}  // namespace kernels
