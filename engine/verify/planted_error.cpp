#include "engine/verify/planted_error.h"

#include "engine/base/quote.h"
#include "engine/model/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

namespace engine {

namespace {

// A copy of one matrix, and what kept the others alive.
struct Changed {
  std::shared_ptr<const void> rest;
  std::vector<std::byte> matrix;
};

bool ends_with_name(const std::string& whole, const std::string& end) {
  if (whole == end) return true;
  return whole.size() > end.size() && whole.ends_with(end) && whole[whole.size() - end.size() - 1] == '.';
}

}  // namespace

Result<PlantedError> parse_planted_error(const std::string& text) {
  PlantedError error;
  const std::size_t open = text.find('[');
  error.tensor = text.substr(0, open);
  bool good = !error.tensor.empty();
  if (good && open != std::string::npos) {
    const char *first = text.data() + open + 1, *last = text.data() + text.size() - 1;
    good = text.back() == ']' && first < last;
    if (good) {
      const auto read = std::from_chars(first, last, error.index);
      good = read.ec == std::errc() && read.ptr == last;
    }
  }
  if (!good) return input_error(fmt::format("{} is not TENSOR[INDEX], such as layers.1.mixer.D[3].", in_quotes(text)));
  return error;
}

Result<std::shared_ptr<const Weights>> plant(const Weights& weights, const PlantedError& error) {
  if (weights.seed_to_draw) return input_error("These random weights are only planned; draw them on the host first.");
  auto made = std::make_shared<Weights>(weights);
  std::vector<TensorSlot> slots = filled_slots(*made);
  const std::vector<std::int64_t> shape = {made->config.padded_vocab(), made->config.d_model};
  slots.push_back({"backbone.embedding.weight", shape, &made->embedding, nullptr});
  if (!made->config.tie_embeddings) slots.push_back({"lm_head.weight", shape, &made->head, nullptr});
  const auto fits = [&](const TensorSlot& slot) { return ends_with_name(slot.name, error.tensor); };
  const auto slot = std::find_if(slots.begin(), slots.end(), fits);
  if (slot == slots.end()) return input_error(fmt::format("The model has no tensor {}.", in_quotes(error.tensor)));
  if (std::count_if(slots.begin(), slots.end(), fits) > 1)
    return input_error(fmt::format("{} is the end of several tensors' names, such as {}; name the layer.",
                                   in_quotes(error.tensor), slot->name));
  if (error.index >= static_cast<std::size_t>(slot->count()))
    return input_error(fmt::format("{} has {} values, and no number {}.", slot->name, slot->count(), error.index));
  const auto zero = [&] {
    return input_error(fmt::format("{}[{}] is zero, and a zero of the other sign changes nothing. Take another one.",
                                   slot->name, error.index));
  };
  if (slot->values != nullptr) {
    float& value = (*slot->values)[error.index];
    if (value == 0) return zero();
    value = -value;
    return made;
  }
  auto changed = std::make_shared<Changed>();
  changed->rest = weights.backing;
  const auto* bytes = static_cast<const std::byte*>(slot->matrix->data);
  changed->matrix.assign(bytes, bytes + slot->matrix->bytes());
  // Little-endian: the sign is the highest bit of a value's last byte, in fp32, fp16 and bf16 alike.
  const std::size_t size = kernels::size_of(slot->matrix->dtype);
  std::byte* value = changed->matrix.data() + error.index * size;
  const bool any = std::any_of(value, value + size - 1, [](std::byte b) { return b != std::byte{0}; }) ||
                   (value[size - 1] & std::byte{0x7F}) != std::byte{0};
  if (!any) return zero();
  value[size - 1] ^= std::byte{0x80};
  slot->matrix->data = changed->matrix.data();
  if (slot->matrix == &made->embedding && made->config.tie_embeddings) made->head = made->embedding;
  made->backing = std::move(changed);
  return made;
}

}  // namespace engine
