// The device kernels of a prefill (equations: prefill.h), in this order for each layer. All pointers of the arguments are
// device addresses; state, caches, biases and scratch start at multiples of 16 bytes. The work is queued on the stream and
// not waited for. Each function returns a CUDA error code: 0 when the launch was accepted.
//
// Bits depend on where a text is cut into calls, on nothing else: every sum has one order.
#pragma once

#include "kernels/device/stream.h"
#include "kernels/fused/fused_projection.h"
#include "kernels/prefill/prefill.h"

#include <cstdint>

namespace kernels::device {

// Coefficients of every token from `raw` (the arrays of `rows` are (T, H) and (T, S); its `first` and changes are not read),
// and B and C under their norm: `normed`.
int prefill_coefficients(const PrefillArgs<float>& args, const CoefficientRows& rows, StreamHandle stream);
// The angles of every token, summed in double and wrapped as a step wraps them: their cosines and sines, `turned`; the last ones: angle, turns.
int prefill_angles(const PrefillArgs<float>& args, StreamHandle stream);
// The recurrence: `read`, h, k_prev, x_prev.
int prefill_chunks(const PrefillArgs<float>& args, StreamHandle stream);
// D, norm, gate and the sum of the ranks: out, or parts.
int prefill_readout(const PrefillArgs<float>& args, StreamHandle stream);

// Shared memory that a block of prefill_chunks needs, in bytes.
std::size_t prefill_shared_bytes(int d_state);

}  // namespace kernels::device
