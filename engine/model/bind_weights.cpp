#include "engine/model/bind_weights.h"

#include "engine/base/quote.h"
#include "engine/model/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace engine {

namespace {

// What keeps the matrices alive: the file, and aligned copies of those that are misaligned in it.
struct Backing {
  std::shared_ptr<const TensorFile> file;
  std::vector<std::unique_ptr<float[]>> copies;
};

constexpr std::uint64_t most_copied = std::uint64_t{2} << 30U;  // bytes that are not left where the file is mapped
constexpr const char* embedding_name = "backbone.embedding.weight";
constexpr const char* head_name = "lm_head.weight";

kernels::DType dtype_of(TensorType type) {
  return type == TensorType::f32   ? kernels::DType::f32
         : type == TensorType::f16 ? kernels::DType::f16
                                   : kernels::DType::bf16;
}

class Binder {
 public:
  Binder(std::shared_ptr<const TensorFile> file, const ModelConfig& config) : backing_(std::make_shared<Backing>()) {
    backing_->file = std::move(file);
    weights_.config = config;
  }

  Result<Weights> bind(const std::string& where) {
    if (const Tensor* other = other_layout(); other != nullptr) {
      return input_error(fmt::format(
          "{} holds the tensor {}: it is in the layout of Hugging Face or flash-linear-attention, not of the "
          "official package, and is not converted. Give the model in the official layout.",
          in_quotes(where), in_quotes(other->name)));
    }
    std::vector<TensorSlot> slots = tensor_slots(weights_);
    add_embedding_and_head(slots);
    for (const TensorSlot& slot : slots) check(slot);
    for (const Tensor& tensor : file().tensors) {
      if (wanted_.count(tensor.name) == 0) {
        faults_.push_back(fmt::format("extra {} with the shape {}", in_quotes(tensor.name), text_of(tensor.shape)));
      }
    }
    if (!faults_.empty()) return input_error(message(where));
    if (auto tied = check_tied(where); !tied) return tl::unexpected(tied.error());
    if (auto fits = check_copies(slots, where); !fits) return tl::unexpected(fits.error());
    for (const TensorSlot& slot : slots) fill(slot);
    if (weights_.config.tie_embeddings) {
      (weights_.embedding.data == nullptr ? weights_.embedding : weights_.head) =
          weights_.embedding.data == nullptr ? weights_.head : weights_.embedding;
    }
    weights_.files = file().files;
    weights_.backing = backing_;
    if (auto whole = check_whole(weights_.files); !whole) return tl::unexpected(whole.error());
    return std::move(weights_);
  }

 private:
  const TensorFile& file() const { return *backing_->file; }

  // The first tensor with a name that only other packages give; null: none.
  const Tensor* other_layout() const {
    for (const Tensor& tensor : file().tensors) {
      if (tensor.name == "backbone.embeddings.weight" || tensor.name.rfind("model.", 0) == 0) return &tensor;
    }
    return nullptr;
  }

  void add_embedding_and_head(std::vector<TensorSlot>& slots) {
    const std::vector<std::int64_t> shape = {weights_.config.padded_vocab(), weights_.config.d_model};
    const TensorSlot embedding{embedding_name, shape, &weights_.embedding, nullptr};
    const TensorSlot head{head_name, shape, &weights_.head, nullptr};
    if (!weights_.config.tie_embeddings) {
      slots.push_back(embedding);
      slots.push_back(head);
      return;
    }
    // Some writers drop one name of a shared tensor. Where both are there, the second must be the same bytes.
    const bool has_embedding = file().find(embedding_name) != nullptr;
    slots.push_back(has_embedding || file().find(head_name) == nullptr ? embedding : head);
    if (has_embedding && file().find(head_name) != nullptr) {
      wanted_.insert(head_name);
      check({head_name, shape, nullptr, nullptr});
    }
  }

  void check(const TensorSlot& slot) {
    wanted_.insert(slot.name);
    const Tensor* tensor = file().find(slot.name);
    if (tensor == nullptr) {
      faults_.push_back(fmt::format("missing '{}', expected with the shape {}", slot.name, text_of(slot.shape)));
      return;
    }
    if (tensor->shape != slot.shape) {
      faults_.push_back(
          fmt::format("'{}' has the shape {}, expected {}", slot.name, text_of(tensor->shape), text_of(slot.shape)));
    }
    if (tensor->type != TensorType::f32 && tensor->type != TensorType::f16 && tensor->type != TensorType::bf16) {
      faults_.push_back(
          fmt::format("'{}' has the type {}, expected F32, F16 or BF16", slot.name, name_of(tensor->type)));
    }
  }

  Result<void> check_tied(const std::string& where) const {
    const Tensor* embedding = file().find(embedding_name);
    const Tensor* head = file().find(head_name);
    if (!weights_.config.tie_embeddings || embedding == nullptr || head == nullptr) return {};
    if (embedding->bytes.data() == head->bytes.data()) return {};  // one storage under two names
    if (embedding->type == head->type &&
        std::memcmp(embedding->bytes.data(), head->bytes.data(), head->bytes.size()) == 0) {
      return {};
    }
    return input_error(fmt::format(
        "{} holds a '{}' that differs from '{}', but config.json ties them (tie_embeddings is true or absent). Set "
        "tie_embeddings to false if the model has a head of its own, or remove the head from the file.",
        in_quotes(where), head_name, embedding_name));
  }

  static bool is_aligned(const Tensor& tensor) {
    return reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % size_of(tensor.type) == 0;
  }

  // A file may be sparse, and then its size says nothing of what memory there is.
  Result<void> check_copies(const std::vector<TensorSlot>& slots, const std::string& where) const {
    std::uint64_t widened = 0, misaligned = 0;
    for (const TensorSlot& slot : slots) {
      const Tensor& tensor = *file().find(slot.name);
      if (slot.values != nullptr) widened += static_cast<std::uint64_t>(tensor.count()) * sizeof(float);
      if (slot.values == nullptr && !is_aligned(tensor)) misaligned += tensor.bytes.size();
    }
    if (widened + misaligned <= most_copied) return {};
    return input_error(fmt::format(
        "{} needs {} bytes for small tensors in fp32 and {} for matrices that do not begin at a multiple of their "
        "type's size; at most {} are copied. Check its config.json, and save misaligned matrices anew.",
        in_quotes(where), widened, misaligned, most_copied));
  }

  void fill(const TensorSlot& slot) {
    const Tensor& tensor = *file().find(slot.name);
    weights_.parameters += tensor.count();
    if (slot.values != nullptr) {
      *slot.values = *to_floats(tensor);  // the type was checked
      return;
    }
    slot.matrix->dtype = dtype_of(tensor.type);
    slot.matrix->rows = static_cast<int>(slot.shape[0]);
    slot.matrix->cols = static_cast<int>(slot.shape[1]);
    slot.matrix->data = aligned(tensor);
  }

  const void* aligned(const Tensor& tensor) {
    if (is_aligned(tensor)) return tensor.bytes.data();
    auto copy = std::make_unique<float[]>(tensor.bytes.size() / 4 + 1);
    std::memcpy(copy.get(), tensor.bytes.data(), tensor.bytes.size());
    backing_->copies.push_back(std::move(copy));
    return backing_->copies.back().get();
  }

  std::string message(const std::string& where) const {
    constexpr std::size_t most = 20;
    std::string text =
        fmt::format("{} does not fit its config.json ({} differences):", in_quotes(where), faults_.size());
    for (std::size_t i = 0; i < std::min(most, faults_.size()); ++i) text += "\n  " + faults_[i];
    if (faults_.size() > most) text += fmt::format("\n  and {} more", faults_.size() - most);
    return text + "\nGive the weights and the config of the same model.";
  }

  std::shared_ptr<Backing> backing_;
  Weights weights_;
  std::set<std::string, std::less<>> wanted_;
  std::vector<std::string> faults_;
};

}  // namespace

Result<Weights> bind_weights(std::shared_ptr<const TensorFile> file, const ModelConfig& config,
                             const std::string& where) {
  return Binder(std::move(file), config).bind(where);
}

}  // namespace engine
