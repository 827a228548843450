#include "engine/tasks/evaluate.h"

#include "engine/base/quote.h"
#include "engine/intervention/sequence_interventions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace engine {

namespace {

// The class with the largest logit, the first of equals; -1 when one is not finite.
std::int32_t argmax(const std::vector<float>& logits, int classes) {
  std::int32_t best = 0;
  for (std::int32_t i = 0; i < classes; ++i) {
    if (!std::isfinite(logits[static_cast<std::size_t>(i)])) return -1;
    if (logits[static_cast<std::size_t>(i)] > logits[static_cast<std::size_t>(best)]) best = i;
  }
  return best;
}

}  // namespace

double scaled_accuracy(double accuracy, int classes) {
  if (classes < 2) return std::numeric_limits<double>::quiet_NaN();
  return (accuracy - 1.0 / classes) / (1 - 1.0 / classes);
}

LabelCounts Evaluation::counts(int first, int last) const {
  LabelCounts sum;
  for (int t = std::max(0, first); t < std::min(last, length()); ++t) {
    sum.labelled += labelled_at[static_cast<std::size_t>(t)];
    sum.right += right_at[static_cast<std::size_t>(t)];
  }
  return sum;
}

std::vector<int> told_lengths(int length) {
  std::vector<int> told;
  for (std::int64_t power = 16; power < length; power *= 2) told.push_back(static_cast<int>(power));
  told.push_back(length);
  return told;
}

Result<const Task*> task_of(const Model& model, const std::string& asked) {
  if (asked.empty() && model.card.task.empty()) {
    return input_error(
        fmt::format("The model {} names no task: it has no task.json with a \"task\". Open a model that was trained on "
                    "one; eval also takes --task.",
                    in_quotes(model.name)));
  }
  auto task = find_task(asked.empty() ? model.card.task : asked);
  if (!task) return task;
  const Task& found = **task;
  if (model.card.kind == "next-token") {
    return input_error(fmt::format("The model {} predicts next tokens and labels no positions: no task fits it.",
                                   in_quotes(model.name)));
  }
  const int vocabulary = model.config().vocab_size;
  const bool fits_card =
      !model.card.labels_positions() || (static_cast<int>(model.card.labels.size()) == found.classes &&
                                         static_cast<int>(model.card.symbols.size()) == found.symbols);
  if (vocabulary < std::max(found.symbols, found.classes) || !fits_card) {
    return input_error(
        fmt::format("The task {} has {} symbols and {} classes; the model {} has a vocabulary of {}, {} symbols and {} "
                    "labels. Give a "
                    "model made for the task.",
                    found.name, found.symbols, found.classes, in_quotes(model.name), vocabulary,
                    model.card.symbols.size(), model.card.labels.size()));
  }
  if (model.card.labels_positions() &&
      (model.card.symbols != found.symbol_texts || model.card.labels != found.label_texts)) {
    return input_error(fmt::format(
        "The symbols or labels in task.json of the model {} are not those of the task {}, in its order: {}; {}.",
        in_quotes(model.name), found.name, fmt::join(found.symbol_texts, " "), fmt::join(found.label_texts, " ")));
  }
  return task;
}

Result<Evaluation> evaluate(Backend& backend, const ModelConfig& config, const Task& task,
                            const EvaluateOptions& options,
                            const std::function<bool(const EvaluationProgress&)>& progress) {
  const int batch = backend.plan().batch;
  const auto length = static_cast<std::size_t>(options.length);
  for (const Intervention& intervention : options.interventions) {
    if (auto fits = check(intervention, config); !fits) return tl::unexpected(fits.error());
  }
  SequenceInterventions changed(
      backend, config, std::vector<std::vector<Intervention>>(static_cast<std::size_t>(batch), options.interventions));
  std::vector<float> logits(static_cast<std::size_t>(config.padded_vocab()));
  std::vector<std::int32_t> ids(static_cast<std::size_t>(batch));
  struct Place {
    Random random;
    TaskWalk walk;
    std::int32_t truth = 0;
  };
  std::vector<Place> places;
  Evaluation result;
  result.classes = task.classes;
  result.labelled_at.resize(length);
  result.right_at.resize(length);
  std::vector<std::int64_t> labelled(length), right(length);  // of the batch under way
  for (int first = 0; first < options.sequences; first += batch) {
    // The last batch may be short: its free places repeat the last sequence and are not counted.
    const int used = std::min(batch, options.sequences - first);
    places.clear();
    for (int b = 0; b < batch; ++b) {
      const int index = first + std::min(b, used - 1);
      places.push_back({Random(options.seed, static_cast<std::uint64_t>(index)), TaskWalk(task)});
    }
    if (auto done = backend.reset(); !done) return tl::unexpected(done.error());
    for (std::size_t t = 0; t < length; ++t) {
      for (std::size_t b = 0; b < places.size(); ++b) {
        ids[b] = places[b].walk.draw(places[b].random);
        places[b].truth = places[b].walk.read(ids[b]);
      }
      if (auto done = changed.follow(); !done) return tl::unexpected(done.error());
      if (auto done = backend.step(ids, nullptr); !done) return tl::unexpected(done.error());
      labelled[t] = right[t] = 0;
      for (int b = 0; b < used; ++b) {
        const std::int32_t truth = places[static_cast<std::size_t>(b)].truth;
        if (truth < 0) continue;
        if (auto done = backend.read_logits(b, logits); !done) return tl::unexpected(done.error());
        const std::int32_t answer = argmax(logits, task.classes);
        if (answer < 0) {
          return input_error(fmt::format(
              "The logits at position {} of sequence {} are not finite: the model gives no answer there. Its "
              "weights hold NaN or infinity, or overflow.",
              t, first + b));
        }
        ++labelled[t];
        right[t] += answer == truth ? 1 : 0;
      }
      // The last step of a batch reports once its counts are in.
      if (t + 1 == length || !progress) continue;
      const double share = static_cast<double>(used) * static_cast<double>(t + 1) / static_cast<double>(length);
      if (!progress({result, (first + share) / options.sequences})) return result;
    }
    for (std::size_t t = 0; t < length; ++t) {
      result.labelled_at[t] += labelled[t];
      result.right_at[t] += right[t];
    }
    result.sequences = first + used;
    if (progress && !progress({result, static_cast<double>(first + used) / options.sequences})) return result;
  }
  return result;
}

}  // namespace engine
