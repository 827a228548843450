#include "engine/recording/recorded_state.h"

#include "engine/recording/model_digest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace engine {

namespace {

Result<void> check_layers(const char* what, const std::vector<int>& kept, int layers) {
  if (static_cast<int>(kept.size()) == layers) return {};
  std::string all = "0";
  for (int layer = 1; layer < layers; ++layer) all += fmt::format(",{}", layer);
  return input_error(
      fmt::format("The recording keeps {} of {} {} only, of {}, and a whole state is needed. Record with "
                  "--layers {}.",
                  what, kept.size() == 1 ? "layer" : "layers", fmt::join(kept, ", "), layers, all));
}

}  // namespace

Result<void> check_recorded_state(const Recording& recording, const Model& model, std::int64_t token) {
  const RecordingInfo& info = recording.info();
  if (auto same = check_same_model(info, model); !same) return same;
  if (token < 0 || token >= recording.tokens())
    return input_error(
        fmt::format("The recording has no token {}: its tokens are 0 to {}.", token, recording.tokens() - 1));
  if (!info.keeps_ssm()) return input_error("The recording keeps no matrix states. Record with --states all.");
  if (auto all = check_layers("caches", info.cache_layers, info.config.n_layer); !all) return all;
  if (auto all = check_layers("matrix states", info.ssm_layers, info.config.n_layer); !all) return all;
  if (info.keeps_ssm_of(token)) return {};
  const std::int64_t before = token / info.ssm_every * info.ssm_every;
  return input_error(
      fmt::format("The recording keeps the matrix states of every {}th token, not of token {}. Choose "
                  "token {}, or record with --states all.",
                  info.ssm_every, token, before));
}

Result<SequenceState> recorded_state(const Recording& recording, const Model& model, std::int64_t token) {
  if (auto good = check_recorded_state(recording, model, token); !good) return tl::unexpected(good.error());
  const auto record = recording.token(token);
  SequenceState state = *record->state;
  for (const LayerState& layer : state.layers) {
    if (layer.ssm.empty() || layer.k.empty() || layer.v.empty())
      return input_error(
          fmt::format("Token {} had lost its state to the history's budget when it was recorded. Choose a "
                      "later one.",
                      token));
  }
  state.position = token + 1;
  return state;
}

}  // namespace engine
