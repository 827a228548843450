// The shape of a Mamba-3 language model: the official config.json plus everything that follows from it.
// Names: D_in = d_inner, P = headdim, H = heads, N = d_state, R = rank, G = ngroups, S = angles, V = padded vocabulary.
#pragma once

#include <cstdint>

namespace engine {

// A = -f(dd_A): heavy tail f(u) = 1 + u for u >= 0, 1 / (1 - u) below (the released models); softplus before June 2026.
enum class AActivation : std::uint8_t { heavy_tail, softplus };

// Offsets of the pieces of the input projection's output, in elements; B and C are (R, G, N), rank outermost.
struct InProjLayout {
  int z = 0, x = 0, b = 0, c = 0, dd_dt = 0, dd_a = 0, trap = 0, angle = 0;
  int rows = 0;
};

struct ModelConfig {
  int d_model = 2560;
  int d_intermediate = 0;  // before rounding up to a multiple of 128; 0: no MLP and no second norm
  int n_layer = 64;
  int vocab_size = 50277;  // before padding
  int pad_vocab_size_multiple = 8;
  bool residual_in_fp32 = true;
  bool fused_add_norm = true;
  bool tie_embeddings = true;

  int d_state = 128;
  double expand = 2;  // may be fractional, as officially
  int headdim = 64;
  int ngroups = 1;
  double rope_fraction = 0.5;
  double a_floor = 1e-4;
  bool is_outproj_norm = false;
  bool is_mimo = false;
  int mimo_rank = 4;
  int chunk_size = 64;

  AActivation a_activation = AActivation::heavy_tail;
  // A fixed lambda in place of sigmoid(trap), from task.json; negative: none. The official layout cannot express it.
  double lambda_override = -1.0;

  int d_inner() const { return static_cast<int>(expand * d_model); }
  int heads() const { return d_inner() / headdim; }
  int rank() const { return is_mimo ? mimo_rank : 1; }
  // Rotary angles: floor_even(int(N * rope_fraction)) / 2. SISO pairs channels (2i, 2i+1), MIMO (i, i + N/2), i < S.
  int angles() const {
    const int channels = static_cast<int>(d_state * rope_fraction);
    return (channels - channels % 2) / 2;
  }
  int padded_vocab() const {
    const int m = pad_vocab_size_multiple;
    return (vocab_size + m - 1) / m * m;
  }
  bool has_mlp() const { return d_intermediate > 0; }
  int mlp_width() const { return (d_intermediate + 127) / 128 * 128; }
  InProjLayout in_proj() const {
    const int h = heads();
    const int bc = d_state * ngroups * rank();
    InProjLayout at;
    at.z = 0;
    at.x = d_inner();
    at.b = 2 * d_inner();
    at.c = at.b + bc;
    at.dd_dt = at.c + bc;
    at.dd_a = at.dd_dt + h;
    at.trap = at.dd_a + h;
    at.angle = at.trap + h;
    at.rows = at.angle + angles();
    return at;
  }
  // Channel pair i, as (first, second), i < N/2. Pairs at and beyond angles() never turn (MIMO and SISO alike).
  int pair_first(int i) const { return is_mimo ? i : 2 * i; }
  int pair_second(int i) const { return is_mimo ? i + d_state / 2 : 2 * i + 1; }
};

}  // namespace engine
