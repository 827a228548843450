#include "engine/verify/golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace engine {
namespace {

constexpr std::int64_t most_tokens = 1 << 20;

Result<const Tensor*> find_shaped(const TensorFile& golden, const std::string& name,
                                  const std::vector<std::int64_t>& shape) {
  const Tensor* tensor = golden.find(name);
  if (tensor == nullptr) return input_error(fmt::format("The golden file has no tensor {}.", name));
  if (tensor->shape != shape) {
    return input_error(
        fmt::format("{} of the golden file is {}; this model's is {}.", name, text_of(tensor->shape), text_of(shape)));
  }
  return tensor;
}

Result<std::vector<float>> floats_of(const TensorFile& golden, const std::string& name,
                                     const std::vector<std::int64_t>& shape) {
  return find_shaped(golden, name, shape).and_then([](const Tensor* tensor) { return to_floats(*tensor); });
}

// One row of a matrix, so that a long text's logits are never in memory as a whole.
Result<std::vector<float>> row_of(const Tensor& matrix, std::size_t row) {
  Tensor one = matrix;
  const std::size_t bytes = matrix.bytes.size() / static_cast<std::size_t>(matrix.shape[0]);
  one.bytes = matrix.bytes.subspan(row * bytes, bytes);
  return to_floats(one);
}

Result<std::vector<std::int32_t>> ids_of(const TensorFile& golden, int vocab_size) {
  const Tensor* tensor = golden.find("input_ids");
  if (tensor == nullptr) return input_error("The golden file has no tensor input_ids.");
  if (tensor->shape.size() != 1 || tensor->shape[0] < 1) {
    return input_error(fmt::format("input_ids of the golden file is {}; expected a list of at least one token.",
                                   text_of(tensor->shape)));
  }
  if (tensor->shape[0] > most_tokens) {
    return input_error(fmt::format("input_ids of the golden file has {} tokens; at most {} are compared. Cut the text.",
                                   tensor->shape[0], most_tokens));
  }
  auto wide = to_integers(*tensor);
  if (!wide) return tl::unexpected(wide.error());
  std::vector<std::int32_t> ids;
  for (const std::int64_t id : *wide) {
    if (id < 0 || id >= vocab_size) {
      return input_error(
          fmt::format("input_ids of the golden file holds {}; the model's vocabulary is [0, {}).", id, vocab_size));
    }
    ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

std::ptrdiff_t argmax(const float* values, int count) { return std::max_element(values, values + count) - values; }

struct GoldenState {
  const char* name;
  std::vector<std::int64_t> shape;
  std::vector<float> LayerState::*values;
};

std::vector<GoldenState> states_of(const ModelConfig& c) {
  const std::int64_t heads = c.heads();
  return {{"angle", {heads, c.angles()}, &LayerState::angle},
          {"ssm", {heads, c.headdim, c.d_state}, &LayerState::ssm},
          {"k", {c.rank(), heads, c.d_state}, &LayerState::k},
          {"v", {heads, c.headdim}, &LayerState::v}};
}

// Compares the caches of every layer that the file holds; a layer is held when any of its four tensors is.
Result<void> compare_states(Backend& backend, const ModelConfig& config, const TensorFile& golden, int sequence,
                            GoldenReport& report) {
  for (const Tensor& tensor : golden.tensors) {  // a state of a layer that the model lacks is the wrong file
    int layer = -1;
    if (std::sscanf(tensor.name.c_str(), "reference.state.%d.", &layer) == 1 &&
        (layer < 0 || layer >= config.n_layer)) {
      return input_error(
          fmt::format("The golden file holds {}; this model has {} layers.", tensor.name, config.n_layer));
    }
  }
  SequenceState state;
  for (int layer = 0; layer < config.n_layer; ++layer) {
    const std::string prefix = fmt::format("reference.state.{}.", layer);
    const bool held = std::any_of(golden.tensors.begin(), golden.tensors.end(),
                                  [&](const Tensor& tensor) { return tensor.name.rfind(prefix, 0) == 0; });
    if (!held) continue;
    const int layers[] = {layer};
    if (auto read = backend.read_state(sequence, layers, true, state); !read) return read;
    for (const GoldenState& part : states_of(config)) {
      auto reference = floats_of(golden, prefix + part.name, part.shape);
      if (!reference) return tl::unexpected(reference.error());
      const std::vector<float>& values = state.layers[static_cast<std::size_t>(layer)].*part.values;
      if (values.size() != reference->size()) {
        return system_error(fmt::format("The backend's {} of layer {} has {} values, not {}.", part.name, layer,
                                        values.size(), reference->size()));
      }
      Comparison comparison;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (part.values == &LayerState::angle) {
          comparison.add_angle(values[i], (*reference)[i]);
        } else {
          comparison.add(values[i], (*reference)[i]);
        }
      }
      report.states.push_back({layer, part.name, comparison.result()});
    }
  }
  return {};
}

}  // namespace

bool GoldenReport::pass(double rtol) const {
  const auto within = [rtol](const Difference& d) { return std::isfinite(d.max_rel) && d.max_rel <= rtol; };
  return !states.empty() && within(logits) &&
         std::all_of(states.begin(), states.end(), [&](const StateDifference& s) { return within(s.difference); });
}

Result<GoldenReport> compare_with_golden(Backend& backend, const ModelConfig& config, const TensorFile& golden,
                                         int sequence, std::size_t piece) {
  auto ids = ids_of(golden, config.vocab_size);
  if (!ids) return tl::unexpected(ids.error());
  const std::int64_t tokens = static_cast<std::int64_t>(ids->size());
  const int v = config.padded_vocab();
  auto reference = find_shaped(golden, "reference.logits", {tokens, v});
  if (!reference) return tl::unexpected(reference.error());
  const Tensor* official = nullptr;
  if (golden.find("official.logits") != nullptr) {
    auto found = find_shaped(golden, "official.logits", {tokens, v});
    if (!found) return tl::unexpected(found.error());
    official = *found;
  }

  GoldenReport report;
  report.tokens = tokens;
  report.has_official = official != nullptr;
  Comparison logits_comparison;
  Comparison official_comparison;
  std::int64_t agreeing = 0;
  std::vector<float> logits(static_cast<std::size_t>(v));
  std::vector<std::int32_t> batch;
  if (auto reset = backend.reset(); !reset) return tl::unexpected(reset.error());
  const std::size_t at_once = std::max<std::size_t>(1, piece);
  for (std::size_t first = 0; first < ids->size(); first += at_once) {
    const std::size_t t = std::min(first + at_once, ids->size()) - 1;  // the last token of the piece
    batch.clear();
    for (std::size_t i = first; i <= t; ++i)
      batch.insert(batch.end(), static_cast<std::size_t>(backend.plan().batch), (*ids)[i]);
    auto done = piece > 0 ? backend.prefill(batch, nullptr) : backend.step(batch, nullptr);
    if (!done) return tl::unexpected(done.error());
    if (auto read = backend.read_logits(sequence, logits); !read) return tl::unexpected(read.error());
    const auto expected = row_of(**reference, t);
    if (!expected) return tl::unexpected(expected.error());
    for (std::size_t i = 0; i < logits.size(); ++i) logits_comparison.add(logits[i], (*expected)[i]);
    if (official != nullptr) {
      const auto theirs = row_of(*official, t);
      if (!theirs) return tl::unexpected(theirs.error());
      for (std::size_t i = 0; i < logits.size(); ++i) official_comparison.add(logits[i], (*theirs)[i]);
    }
    ++report.compared_tokens;
    agreeing += argmax(logits.data(), config.vocab_size) == argmax(expected->data(), config.vocab_size) ? 1 : 0;
  }
  if (auto whole = check_whole(golden.files); !whole) return tl::unexpected(whole.error());
  report.logits = logits_comparison.result();
  report.official = official_comparison.result();
  report.argmax_agreement = static_cast<double>(agreeing) / static_cast<double>(report.compared_tokens);
  if (auto compared = compare_states(backend, config, golden, sequence, report); !compared) {
    return tl::unexpected(compared.error());
  }
  return report;
}

}  // namespace engine
