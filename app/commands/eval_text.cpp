#include "app/commands/eval_text.h"

#include "app/commands/progress.h"
#include "app/commands/text.h"
#include "engine/base/quote.h"
#include "engine/formats/mapped_file.h"
#include "engine/tasks/score_text.h"
#include "engine/tokenizer/tokenizer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace app {

namespace {

constexpr std::size_t largest_text = std::size_t{256} << 20U, largest_held_out = std::size_t{1} << 20U;

engine::Result<std::string> path_of_text(const engine::Model& model, const std::string& given) {
  if (!given.empty()) return given;
  const std::filesystem::path own = std::filesystem::path(model.path).parent_path() / "held_out.txt";
  if (engine::is_there(own)) return own.string();
  return engine::input_error(fmt::format(
      "The model {} predicts next tokens and has no held_out.txt beside its config. Give a text with --text.",
      engine::in_quotes(model.name)));
}

// Bytes of the text that all ids but the first spell.
std::int64_t predicted_bytes(const engine::Model& model, const std::vector<std::int32_t>& ids) {
  std::size_t bytes = 0;
  for (std::size_t i = 1; i < ids.size(); ++i) {
    if (model.tokenizer == nullptr) {
      ++bytes;
    } else if (!model.tokenizer->is_special(ids[i])) {
      bytes += model.tokenizer->bytes_of(ids[i]).size();
    }
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

int eval_text(const CommonOptions& common, const engine::Model& model, const EvalTextOptions& options) {
  if (!model.has_text()) {
    return report(
        {engine::ErrorKind::input,
         fmt::format(
             "Bits per byte need a model with a tokenizer.json beside it, or one whose tokens are bytes (task.json "
             "with \"vocabulary\": \"bytes\"); {} has neither. {}",
             engine::in_quotes(model.name), model.tokenizer_fault)});
  }
  const auto path = path_of_text(model, options.file);
  if (!path) return report(path.error());
  const auto text = engine::read_text_file(*path, options.file.empty() ? largest_held_out : largest_text);
  if (!text) return report(text.error());
  const auto ids = model.encode(*text);
  if (!ids) return report(ids.error());
  const auto length = static_cast<std::size_t>(options.length);
  const std::size_t windows = std::max<std::size_t>(1, (ids->size() + length - 1) / length);
  const int batch = static_cast<int>(std::min(static_cast<std::size_t>(options.batch), windows));
  auto backend = engine::make_backend(model.weights, backend_options(common, batch));
  if (!backend) return report(backend.error());

  const auto start = std::chrono::steady_clock::now();
  engine::Result<engine::TextScore> score;
  {
    Progress progress(fmt::format("{} on {}", model.name, *path));
    score =
        engine::score_text(**backend, model.config(), *ids, options.length, [&](double done) { progress.show(done); });
  }
  if (!score) return report(score.error());
  const std::int64_t bytes = predicted_bytes(model, *ids);
  const double bits_per_byte = bytes > 0 ? score->bits / static_cast<double>(bytes) : 0;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (common.json) {
    print_json({{"model", model.name},
                {"text", *path},
                {"bytes", text->size()},
                {"predicted", score->tokens},
                {"predicted_bytes", bytes},
                {"bits_per_token", score->bits_per_token()},
                {"length", options.length},
                {"bits_per_byte", bits_per_byte},
                {"lambda_override", lambda_override_json(model)},
                {"backend", (*backend)->info().name},
                {"seconds", seconds}});
    return 0;
  }
  fmt::print("{} on {}, {}{}\n", model.name, engine::printable(*path), (*backend)->info().device,
             lambda_override_words(model));
  fmt::print("  bits per byte    {:.4f} over {} bytes, windows of {} from a fresh state\n", bits_per_byte,
             grouped(bytes), grouped(options.length));
  if (model.tokenizer != nullptr) {
    fmt::print("  bits per token   {:.4f} over {} tokens\n", score->bits_per_token(), grouped(score->tokens));
  }
  fmt::print("  time             {:.2f} s\n", seconds);
  return 0;
}

}  // namespace app
