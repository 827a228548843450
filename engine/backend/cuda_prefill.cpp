#include "engine/backend/cuda_prefill.h"

#include "kernels/device/launch.h"
#include "kernels/fused/fused.h"
#include "kernels/prefill/device.h"
#include "kernels/product/parts.h"

#include <algorithm>
#include <utility>

namespace engine {

namespace {

using kernels::DeviceResult;
namespace device = kernels::device;

std::size_t positive(int value) { return static_cast<std::size_t>(value); }

// Some rows of a matrix.
kernels::Matrix rows_of(const kernels::Matrix& matrix, int first, int count) {
  kernels::Matrix part = matrix;
  const std::size_t skipped = positive(first) * positive(matrix.cols) * kernels::size_of(matrix.dtype);
  part.data = static_cast<const std::byte*>(matrix.data) + skipped;
  part.rows = count;
  return part;
}

DeviceResult<void> accepted(int code) { return kernels::check_cuda(code, "launch"); }

// Whether all that is multiplied is in bf16 and begins at multiples of 16 bytes.
bool takes_parts(const CudaWeights& weights) {
  const auto good = [](const kernels::Matrix& m) {
    return m.rows == 0 || (m.dtype == kernels::DType::bf16 && m.cols % 8 == 0);
  };
  return std::all_of(weights.layers.begin(), weights.layers.end(), [&](const CudaLayerWeights& layer) {
    return good(layer.in_proj) && good(layer.out_proj) && good(layer.fc1) && good(layer.fc2);
  });
}

}  // namespace

bool CudaPrefill::fits(const ModelConfig& config, std::size_t block_shared_bytes) {
  return device::prefill_shared_bytes(config.d_state) <= block_shared_bytes;
}

DeviceResult<CudaPrefill> CudaPrefill::create(const CudaWeights& weights, const kernels::Stream& stream) {
  constexpr const char* what = "prefilling";
  CudaPrefill made;
  auto ids = kernels::PinnedBuffer::allocate(sizeof(std::int32_t) * PrefillArrays::most_tokens, what);
  if (!ids) return tl::unexpected(ids.error());
  made.ids_ = std::move(*ids);
  bool parts = takes_parts(weights);
  if (parts) {
    auto opened = kernels::MatrixProducts::open();
    if (!opened && kernels::out_of_memory(opened.error())) return tl::unexpected(opened.error());
    parts = opened.has_value();
    if (parts) made.products_ = std::move(*opened);
  }
  made.arrays_ = prefill_arrays(weights.config, parts);
  auto memory = kernels::DeviceBuffer::allocate(made.arrays_.bytes, what);
  if (!memory) return tl::unexpected(memory.error());
  made.memory_ = std::move(*memory);
  // What pads a piece is multiplied too, and must be numbers.
  auto ready = stream.fill_zero(made.memory_.at(), made.memory_.bytes());
  if (ready && parts) ready = made.try_products(weights, stream);
  if (ready) ready = stream.synchronize();
  if (!ready) return tl::unexpected(ready.error());
  return made;
}

// Where the library has nothing for a shape, the own projections do it.
DeviceResult<void> CudaPrefill::try_products(const CudaWeights& weights, const kernels::Stream& stream) {
  const CudaLayerWeights& layer = weights.layers.front();
  for (const kernels::Matrix* matrix : {&layer.in_proj, &layer.out_proj, &layer.fc1, &layer.fc2}) {
    if (matrix->rows == 0) continue;
    const int rows = matrix == &layer.in_proj ? weights.config.in_proj().dd_dt : matrix->rows;
    const auto done = products_->multiply(rows_of(*matrix, 0, rows), at(arrays_.parts), 2 * PrefillArrays::most_tokens,
                                          at(arrays_.projected), stream);
    if (done) continue;
    products_.reset();
    arrays_ = prefill_arrays(weights.config, false);
    auto memory = kernels::DeviceBuffer::allocate(arrays_.bytes, "prefilling");
    if (!memory) return tl::unexpected(memory.error());
    memory_ = std::move(*memory);
    break;
  }
  return {};
}

DeviceResult<void> CudaPrefill::run(std::span<const std::int32_t> ids, int sequence, const CudaWeights& weights,
                                    const CudaBuffers& buffers, const kernels::Stream& stream) {
  const int tokens = static_cast<int>(ids.size());
  constexpr int step = PrefillArrays::product_tokens;
  const Piece piece{tokens, products_ ? (tokens + step - 1) / step * step : tokens, sequence, weights, buffers, stream};
  auto* const staged = ids_.as<std::int32_t>();
  std::copy(ids.begin(), ids.end(), staged);
  std::fill(staged + tokens, staged + piece.rows, ids.back());
  auto* const device_ids = memory_.at<std::int32_t>(arrays_.ids);
  auto done = stream.copy_to_device(device_ids, staged, sizeof(std::int32_t) * positive(piece.rows)).and_then([&] {
    const kernels::EmbeddingArgs<float> args{piece.rows, weights.embedding, device_ids, at(arrays_.residual)};
    return accepted(device::embedding(args, stream.handle()));
  });
  for (std::size_t l = 0; done && l < weights.layers.size(); ++l) done = run_layer(piece, l);
  return done.and_then([&] { return stream.synchronize(); });
}

DeviceResult<void> CudaPrefill::run_layer(const Piece& piece, std::size_t index) {
  using kernels::ProjectionMode;
  const CudaLayerWeights& layer = piece.weights.layers[index];
  const bool last = index + 1 == piece.weights.layers.size();  // nobody reads what it hands on
  const bool has_mlp = layer.fc1.rows > 0;
  if (products_) {
    auto done = project_in(piece, layer, index > 0).and_then([&] { return run_mixer(piece, index, last); });
    if (!done || last) return done;
    done = multiply(piece, layer.out_proj);
    if (!done || !has_mlp) return done;
    return norm_parts(piece, layer.norm2, true)
        .and_then([&] { return multiply(piece, layer.fc1); })
        .and_then([&] { return gate_parts(piece, layer.fc2.cols); })
        .and_then([&] { return multiply(piece, layer.fc2); });
  }
  auto done = norm(piece, layer.norm)
                  .and_then([&] {
                    return project(piece, layer.in_proj, ProjectionMode::store, arrays_.normed, arrays_.projected);
                  })
                  .and_then([&] { return run_mixer(piece, index, last); });
  if (!done || last) return done;
  done = project(piece, layer.out_proj, ProjectionMode::accumulate, arrays_.out, arrays_.residual);
  if (!done || !has_mlp) return done;
  return norm(piece, layer.norm2)
      .and_then([&] { return project(piece, layer.fc1, ProjectionMode::gated, arrays_.normed, arrays_.hidden); })
      .and_then(
          [&] { return project(piece, layer.fc2, ProjectionMode::accumulate, arrays_.hidden, arrays_.residual); });
}

DeviceResult<void> CudaPrefill::project_in(const Piece& piece, const CudaLayerWeights& layer, bool pending) {
  const InProjLayout at = piece.weights.config.in_proj();
  return norm_parts(piece, layer.norm, pending)
      .and_then([&] { return multiply(piece, rows_of(layer.in_proj, 0, at.dd_dt)); })
      .and_then([&] { return norm(piece, layer.norm); })
      .and_then([&] {
        return project(piece, rows_of(layer.in_proj, at.dd_dt, at.rows - at.dd_dt), kernels::ProjectionMode::store,
                       arrays_.normed, arrays_.raw);
      });
}

DeviceResult<void> CudaPrefill::run_mixer(const Piece& piece, std::size_t layer, bool last) const {
  const kernels::PrefillArgs<float> args = mixer(piece, layer);
  const kernels::StreamHandle stream = piece.stream.handle();
  return accepted(device::prefill_coefficients(args, coefficient_rows(piece, layer), stream))
      .and_then([&] { return accepted(device::prefill_angles(args, stream)); })
      .and_then([&] { return accepted(device::prefill_chunks(args, stream)); })
      .and_then([&] { return last ? DeviceResult<void>() : accepted(device::prefill_readout(args, stream)); });
}

kernels::PrefillArgs<float> CudaPrefill::mixer(const Piece& piece, std::size_t index) const {
  const ModelConfig& config = piece.weights.config;
  const InProjLayout rows = config.in_proj();
  const CudaLayerWeights& w = piece.weights.layers[index];
  const CudaBuffers::Layer& state = piece.buffers.layers[index];
  kernels::PrefillArgs<float> args;
  args.tokens = piece.tokens;
  args.heads = config.heads();
  args.headdim = config.headdim;
  args.d_state = config.d_state;
  args.rank = config.rank();
  args.groups = config.ngroups;
  args.angles = config.angles();
  args.half_pairs = config.is_mimo;
  args.stride = products_ ? rows.dd_dt : rows.rows;
  args.second_part = products_ ? positive(piece.rows) * positive(rows.dd_dt) : 0;
  const float* projected = at(arrays_.projected);
  args.z = projected + rows.z;
  args.x = projected + rows.x;
  args.b = projected + rows.b;
  args.c = projected + rows.c;
  args.raw = products_ ? at(arrays_.raw) : projected + rows.dd_dt;
  args.raw_stride = products_ ? rows.rows - rows.dd_dt : rows.rows;
  args.b_norm = w.b_norm.data();
  args.c_norm = w.c_norm.data();
  args.b_bias = w.b_bias.data();
  args.c_bias = w.c_bias.data();
  args.d = w.d.data();
  args.mimo_x = config.is_mimo ? w.mimo_x.data() : nullptr;
  args.mimo_z = config.is_mimo ? w.mimo_z.data() : nullptr;
  args.mimo_o = config.is_mimo ? w.mimo_o.data() : nullptr;
  args.norm = config.is_outproj_norm ? w.outproj_norm.data() : nullptr;
  args.dt = at(arrays_.dt);
  args.a = at(arrays_.a);
  args.lambda = at(arrays_.lambda);
  args.rest = at(arrays_.rest);
  args.turn = at(arrays_.turn);

  const std::size_t angles = positive(config.heads()) * positive(config.angles());
  const std::size_t inner = positive(config.d_inner()), s = positive(piece.sequence);
  args.angle = state.angle.data() + s * angles;
  args.turns = state.turns.data() + s * angles;
  args.k_prev = state.k_prev.data() + s * positive(config.rank() * config.heads() * config.d_state);
  args.x_prev = state.x_prev.data() + s * inner;
  const std::size_t matrix = s * inner * positive(config.d_state);
  if (piece.buffers.state_dtype() == kernels::DType::bf16) {
    args.h_bf16 = static_cast<std::uint16_t*>(state.matrix) + matrix;
  } else {
    args.h = static_cast<float*>(state.matrix) + matrix;
  }
  args.normed = at(arrays_.normed_keys);
  args.turned = at(arrays_.turned);
  args.read = at(arrays_.read);
  args.k_last = at(arrays_.k_last);
  if (products_) {
    args.parts = at(arrays_.parts);
    args.part_distance = positive(piece.rows) * inner;
  } else {
    args.out = at(arrays_.out);
  }
  return args;
}

kernels::CoefficientRows CudaPrefill::coefficient_rows(const Piece& piece, std::size_t layer) const {
  const ModelConfig& config = piece.weights.config;
  kernels::CoefficientRows rows;
  rows.heads = config.heads();
  rows.angles = config.angles();
  rows.softplus_a = config.a_activation == AActivation::softplus;
  rows.a_floor = config.a_floor;
  rows.lambda_override = config.lambda_override;
  rows.dt_bias = piece.weights.layers[layer].dt_bias.data();
  rows.dt = at(arrays_.dt);
  rows.a = at(arrays_.a);
  rows.lambda = at(arrays_.lambda);
  rows.rest = at(arrays_.rest);
  rows.turn = at(arrays_.turn);
  return rows;
}

DeviceResult<void> CudaPrefill::norm_parts(const Piece& piece, std::span<const float> weight, bool pending) const {
  kernels::NormPartsArgs args;
  args.batch = piece.rows;
  args.width = piece.weights.config.d_model;
  args.residual = at(arrays_.residual);
  args.pending = pending ? at(arrays_.projected) : nullptr;
  args.weight = weight.data();
  args.parts = at(arrays_.parts);
  return accepted(device::norm_parts(args, {piece.stream.handle()}));
}

DeviceResult<void> CudaPrefill::multiply(const Piece& piece, const kernels::Matrix& matrix) {
  return products_->multiply(matrix, at(arrays_.parts), 2 * piece.rows, at(arrays_.projected), piece.stream);
}

DeviceResult<void> CudaPrefill::gate_parts(const Piece& piece, int width) const {
  const kernels::GatePartsArgs args{piece.rows, width, at(arrays_.projected), at(arrays_.parts)};
  return accepted(device::gate_parts(args, {piece.stream.handle()}));
}

DeviceResult<void> CudaPrefill::norm(const Piece& piece, std::span<const float> weight) const {
  const kernels::NormArgs<float> args{piece.rows, piece.weights.config.d_model, at(arrays_.residual), weight.data(),
                                      at(arrays_.normed)};
  return accepted(device::norm(args, piece.stream.handle()));
}

DeviceResult<void> CudaPrefill::project(const Piece& piece, const kernels::Matrix& matrix, kernels::ProjectionMode mode,
                                        std::size_t in, std::size_t out) const {
  return accepted(device::projection({piece.rows, mode, matrix, at(in), at(out)}, piece.stream.handle()));
}

}  // namespace engine
