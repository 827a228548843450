#include "engine/recording/model_digest.h"

#include "engine/base/quote.h"
#include "engine/formats/config_json.h"
#include "engine/recording/digest.h"
#include "engine/recording/recording_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace engine {

namespace {

std::uint64_t add(std::uint64_t sum, const std::vector<float>& values) {
  return digest_of(std::as_bytes(std::span(values)), sum);
}

std::uint64_t add(std::uint64_t sum, const kernels::Matrix& matrix) {
  constexpr std::size_t sample = 4096;
  if (matrix.data == nullptr) return sum;
  const std::span<const std::byte> all(static_cast<const std::byte*>(matrix.data), matrix.bytes());
  const std::size_t size = std::min(sample, all.size());
  for (const std::size_t at : {std::size_t{0}, (all.size() - size) / 2, all.size() - size}) {
    sum = digest_of(all.subspan(at, size), sum);
  }
  return sum;
}

}  // namespace

std::uint64_t config_digest(const ModelConfig& config) {
  const std::string text =
      fmt::format("{} {} {}", config_text(config), static_cast<int>(config.a_activation), config.lambda_override);
  return digest_of(std::as_bytes(std::span(text)));
}

std::uint64_t weights_digest(const Weights& weights) {
  std::uint64_t sum = weights.seed_to_draw.value_or(0);
  sum = add(add(add(sum, weights.embedding), weights.head), weights.norm_f);
  for (const LayerWeights& layer : weights.layers) {
    for (const std::vector<float>* values :
         {&layer.norm, &layer.dt_bias, &layer.b_norm, &layer.c_norm, &layer.b_bias, &layer.c_bias, &layer.d,
          &layer.mimo_x, &layer.mimo_z, &layer.mimo_o, &layer.outproj_norm, &layer.norm2})
      sum = add(sum, *values);
    for (const kernels::Matrix* matrix : {&layer.in_proj, &layer.out_proj, &layer.fc1, &layer.fc2})
      sum = add(sum, *matrix);
  }
  return sum;
}

Result<void> check_same_model(const RecordingInfo& recorded, const Model& model) {
  const bool shape = config_digest(model.config()) == recorded.config_digest;
  if (shape && weights_digest(model.weights) == recorded.weights_digest) return {};
  return input_error(
      fmt::format("The recording of {} was not made with the model {} as it is here: {} differ. Open the "
                  "model that was recorded, or record again.",
                  in_quotes(recorded.model), in_quotes(model.name), shape ? "its weights" : "the shapes"));
}

}  // namespace engine
