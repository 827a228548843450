#include "engine/recording/recording.h"

#include "engine/base/quote.h"
#include "engine/formats/mapped_file.h"
#include "engine/formats/safetensors.h"
#include "engine/recording/journal.h"
#include "engine/recording/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace engine {

namespace {

constexpr const char* ending = ".safetensors";

std::vector<std::int64_t> shape_of(const Field& field, std::int64_t tokens) {
  std::vector<std::int64_t> shape = {field.rows(tokens)};
  shape.insert(shape.end(), field.row.begin(), field.row.end());
  return shape;
}

std::size_t bytes_of(const std::vector<std::int64_t>& shape) {
  std::size_t bytes = sizeof(float);
  for (const std::int64_t size : shape) bytes *= static_cast<std::size_t>(size);
  return bytes;
}

// The tensor as the list of fields wants it, or what is wrong with it.
std::string find(const TensorFile& file, const std::string& name, TensorType type,
                 const std::vector<std::int64_t>& shape, const Tensor*& out) {
  out = file.find(name);
  if (out == nullptr) return fmt::format("the tensor {} is missing", name);
  if (out->type != type)
    return fmt::format("{} is of the type {}; expected {}", name, name_of(out->type), name_of(type));
  if (out->shape != shape) {
    return fmt::format("{} has the shape {}; its model and its tokens need {}", name, text_of(out->shape),
                       text_of(shape));
  }
  return {};
}

std::string check_axes(const Metadata& metadata, const Field& field) {
  const auto at = metadata.find(std::string("axes.") + field.name);
  if (at != metadata.end() && at->second == field.axes) return {};
  return fmt::format("axes.{} is {}; expected {}", field.name, at == metadata.end() ? "missing" : in_quotes(at->second),
                     field.axes);
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

Result<std::shared_ptr<const Recording>> Recording::parse(std::span<const std::byte> file, const std::string& where) {
  if (!looks_like_journal(file)) return parse_file(file, where);
  auto journal = parse_journal(file, where);
  if (!journal) return tl::unexpected(journal.error());
  std::shared_ptr<Recording> out(new Recording);
  out->info_ = std::move(journal->info);
  out->fields_ = std::move(journal->fields);
  out->columns_ = {journal->blocks};
  out->journal_ = true;
  out->tokens_ = journal->tokens;
  out->file_bytes_ = file.size();
  out->cut_words_ = fmt::format(
      "The recording was not finished; it ends with its last complete token{}.",
      journal->lost_bytes > 0 ? fmt::format(", {} bytes of another are left out", journal->lost_bytes) : std::string());
  if (const std::string wrong = out->check_tokens(); !wrong.empty()) return no_recording(where, wrong);
  out->make_model(journal->mimo_x);
  return std::shared_ptr<const Recording>(std::move(out));
}

Result<std::shared_ptr<const Recording>> Recording::parse_file(std::span<const std::byte> file,
                                                               const std::string& where) {
  const auto tensors = parse_cut_safetensors(file, where);
  if (!tensors) return tl::unexpected(tensors.error());
  auto info = info_of(tensors->metadata);
  if (!info) return no_recording(where, info.error().message);
  std::shared_ptr<Recording> out(new Recording);
  out->info_ = std::move(*info);
  out->fields_ = fields_of(out->info_);
  out->file_bytes_ = file.size();
  const Tensor* ids = tensors->find("token.id");
  const std::int64_t declared = ids != nullptr && ids->shape.size() == 1 ? ids->shape.front() : 0;
  if (declared == 0) return no_recording(where, "it holds no token");
  out->tokens_ = declared;
  for (const Field& field : out->fields_) {
    const Tensor* tensor = nullptr;
    std::string wrong = find(*tensors, field.name, field.type, shape_of(field, declared), tensor);
    if (wrong.empty()) wrong = check_axes(tensors->metadata, field);
    if (!wrong.empty()) return no_recording(where, wrong);
    out->columns_.push_back(tensor->bytes);
    if (tensor->bytes.size() == static_cast<std::size_t>(field.rows(declared)) * field.row_bytes) continue;
    out->tokens_ =
        std::min(out->tokens_, static_cast<std::int64_t>(tensor->bytes.size() / field.row_bytes) * field.every);
  }
  if (out->tokens_ == 0) {
    return no_recording(
        where,
        fmt::format("it was cut off after {} bytes, before its last tensor holds a complete token", file.size()));
  }
  const Tensor* mimo_x = nullptr;
  if (out->info_.config.is_mimo) {
    const auto shape = mimo_shape(out->info_);
    std::string wrong = find(*tensors, mimo_name, TensorType::f32, shape, mimo_x);
    if (wrong.empty() && mimo_x->bytes.size() != bytes_of(shape)) wrong = "it was cut off before its first token";
    if (!wrong.empty()) return no_recording(where, wrong);
  }
  if (out->tokens_ < declared) {
    out->cut_words_ = fmt::format("The file was cut off: {} of {} tokens are complete.", out->tokens_, declared);
  }
  if (const std::string wrong = out->check_tokens(); !wrong.empty()) return no_recording(where, wrong);
  out->make_model(mimo_x != nullptr ? mimo_x->bytes : std::span<const std::byte>());
  return std::shared_ptr<const Recording>(std::move(out));
}

Result<std::shared_ptr<const Recording>> Recording::open(const std::string& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped) return tl::unexpected(mapped.error());
  auto file = std::make_shared<const MappedFile>(std::move(*mapped));
  auto parsed = parse(file->bytes(), path);
  if (auto whole = file->check(); !whole) return tl::unexpected(whole.error());
  if (!parsed) return parsed;
  auto whole = std::make_shared<Recording>(**parsed);
  whole->files_ = {std::move(file)};
  return std::shared_ptr<const Recording>(std::move(whole));
}

std::string Recording::check_tokens() const {
  for (std::int64_t i = 0; i < tokens_; ++i) {
    const std::string wrong = wrong_with(info_, fields_, [&](const Field& field) { return row(field, i); });
    if (!wrong.empty()) return fmt::format("{} at token {}", wrong, i);
  }
  return {};
}

void Recording::make_model(std::span<const std::byte> mimo_x) {
  auto model = std::make_shared<Model>();
  model->name = info_.model;
  model->card = info_.card;
  Weights& weights = model->weights;
  weights.config = info_.config;
  weights.layers.resize(static_cast<std::size_t>(info_.config.n_layer));
  const std::size_t part = mimo_x.size() / weights.layers.size();
  for (std::size_t i = 0; i < weights.layers.size() && part > 0; ++i) {
    weights.layers[i].mimo_x.resize(part / sizeof(float));
    std::memcpy(weights.layers[i].mimo_x.data(), mimo_x.data() + i * part, part);
  }
  model_ = std::move(model);
}

std::span<const std::byte> Recording::row(const Field& field, std::int64_t token) const {
  if (!journal_) {
    const auto column = columns_[static_cast<std::size_t>(&field - fields_.data())];
    return column.subspan(static_cast<std::size_t>(token / field.every) * field.row_bytes, field.row_bytes);
  }
  const std::uint64_t begin = blocks_bytes(fields_, token) + static_cast<std::uint64_t>(token) * block_head;
  return columns_.front().subspan(begin + block_head + field.offset, field.row_bytes);
}

std::shared_ptr<const TokenRecord> Recording::token(std::int64_t i) const {
  auto record = read_rows(info_, fields_, i, [&](const Field& field) { return row(field, i); });
  if (!record->coefficients.dt.empty()) record->coefficients.pairs = pairs_at(i);
  return record;
}

std::shared_ptr<const std::vector<kernels::PairChange>> Recording::pairs_at(std::int64_t token) const {
  std::vector<Intervention> active;
  for (const Intervention& by : info_.interventions)
    if (by.quantity == Quantity::rotation && by.tokens.contains(token)) active.push_back(by);
  if (active.empty()) return nullptr;
  const std::lock_guard lock(kept_->mutex);
  if (active != kept_->active) {
    kept_->pairs = shared_pairs(changes_at(active, info_.config, token));
    kept_->active = std::move(active);
  }
  return kept_->pairs;
}

StepTimes Recording::times(std::int64_t i) const {
  return read_times(fields_, [&](const Field& field) { return row(field, i); });
}

std::int32_t Recording::id(std::int64_t i) const {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [](const Field& f) { return f.kind == FieldKind::id; });
  std::int32_t value = 0;
  std::memcpy(&value, row(*at, i).data(), sizeof(value));
  return value;
}

bool is_recording_file(const std::string& path) {
  const auto mapped = MappedFile::open(path);
  if (!mapped) return false;
  if (looks_like_journal(mapped->bytes())) return true;
  if (!ends_with(path, ending)) return false;
  const auto tensors = parse_cut_safetensors(mapped->bytes(), path);
  return tensors && is_recording(tensors->metadata);
}

}  // namespace engine
