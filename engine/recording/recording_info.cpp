#include "engine/recording/recording_info.h"

#include "engine/recording/model_digest.h"

#include <algorithm>
#include <numeric>

namespace engine {

RecordingInfo describe_recording(const Model& model, const BackendInfo& backend, const StepPlan& plan,
                                 const std::string& program, const std::string& recorded_at) {
  constexpr std::size_t most_top = 16;  // what a session keeps of each token
  RecordingInfo info;
  info.program = program;
  info.recorded_at = recorded_at;
  info.model = model.name;
  info.config = model.config();
  info.card = model.card;
  info.weights = kernels::name_of(model.weights.embedding.dtype);
  info.config_digest = config_digest(model.config());
  info.weights_digest = weights_digest(model.weights);
  info.backend = backend;
  info.plan = plan;
  info.cache_layers.resize(static_cast<std::size_t>(model.config().n_layer));
  std::iota(info.cache_layers.begin(), info.cache_layers.end(), 0);
  info.ssm_layers = info.cache_layers;
  const auto vocab = static_cast<std::size_t>(model.config().vocab_size);
  const std::size_t choices = model.card.labels_positions() ? std::min(model.card.labels.size(), vocab) : vocab;
  info.top = static_cast<int>(std::min(most_top, choices));
  return info;
}

}  // namespace engine
