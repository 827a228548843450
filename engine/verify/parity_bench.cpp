#include "engine/verify/parity_bench.h"

#include "engine/backend/reference_backend.h"
#include "engine/intervention/sequence_interventions.h"
#include "engine/verify/residual_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace engine {

namespace {

constexpr const char* cancelled = "The parity bench was cancelled.";

class Bench {
 public:
  Bench(const Weights& weights, std::span<const std::int32_t> ids, const std::vector<ParityCandidate>& candidates,
        const ParityOptions& options, const ParityProgress& progress)
      : weights_(weights),
        config_(weights.config),
        ids_(ids),
        candidates_(candidates),
        options_(options),
        progress_(progress),
        layers_(static_cast<std::size_t>(config_.n_layer)) {
    std::iota(layers_.begin(), layers_.end(), 0);
    report_.tokens = static_cast<std::int64_t>(ids.size());
    report_.rtol = options.rtol;
    const auto present =
        std::count_if(candidates.begin(), candidates.end(), [](const auto& c) { return c.absent.empty(); });
    all_ = static_cast<double>(ids.size()) * static_cast<double>(1 + 2 * present);
  }

  Result<ParityReport> run() {
    if (auto done = run_reference(); !done) return ended(done.error());
    for (const ParityCandidate& candidate : candidates_) {
      ParityRow row;
      row.name = candidate.name;
      row.prefill = candidate.prefill;
      if (!candidate.absent.empty()) {
        row.message = candidate.absent;
      } else if (auto done = measure(candidate, row); !done) {
        if (stopped_) return ended(done.error());
        row.text.clear();  // cells of half a comparison say nothing
        row.step.clear();
        row.message = done.error().message;
      }
      report_.rows.push_back(std::move(row));
    }
    return std::move(report_);
  }

 private:
  // A cancelled bench is a report; anything else that ends the reference is an error.
  Result<ParityReport> ended(const Error& error) {
    if (!stopped_) return tl::unexpected(error);
    report_.cancelled = true;
    return std::move(report_);
  }

  Result<void> tick(const std::string& now, double tokens) {
    done_ += tokens;
    if (!progress_ || progress_(report_, now, std::min(1.0, done_ / all_))) return {};
    stopped_ = true;
    return input_error(cancelled);
  }

  Result<void> read(Backend& backend, ParityValues& out) {
    out.logits.resize(static_cast<std::size_t>(config_.padded_vocab()));
    return backend.read_state(0, layers_, true, out.state)
        .and_then([&] { return backend.read_coefficients(0, out.coefficients); })
        .and_then([&] { return backend.read_logits(0, out.logits); });
  }

  // Ids of a step of all sequences of the batch.
  std::vector<std::int32_t> batch_of(const Backend& backend, std::span<const std::int32_t> ids) const {
    std::vector<std::int32_t> all;
    const auto batch = static_cast<std::size_t>(backend.plan().batch);
    for (const std::int32_t id : ids) all.insert(all.end(), batch, id);
    return all;
  }

  SequenceInterventions changed(Backend& backend) const {
    return {backend, config_,
            options_.interventions.empty() ? std::vector<SequenceInterventions::List>()
                                           : std::vector<SequenceInterventions::List>{options_.interventions}};
  }

  Result<void> step_all(Backend& backend, std::span<const std::int32_t> ids, const std::string& now) {
    auto changes = changed(backend);
    for (const std::int32_t& id : ids) {
      auto done = changes.follow();
      if (done) done = backend.step(batch_of(backend, {&id, 1}), nullptr);
      if (done) done = tick(now, 1);
      if (!done) return done;
    }
    return {};
  }

  Result<void> step_watched(Backend& backend, ParityValues& out, const ParityValues* instead) {
    auto* residual = dynamic_cast<ResidualAccess*>(&backend);
    if (residual == nullptr) return input_error("This backend does not show its residual between stages.");
    auto changes = changed(backend);
    ResidualWatch watch(*residual, config_, out, instead);
    auto done = changes.follow();
    if (done) done = backend.step(batch_of(backend, ids_.last(1)), &watch);
    if (done) done = watch.done();
    return done ? read(backend, out) : done;
  }

  Result<void> run_reference() {
    BackendOptions reference;
    reference.choice = BackendChoice::reference;
    auto opened = make_backend(weights_, reference);
    if (!opened) return tl::unexpected(opened.error());
    reference_ = std::move(*opened);
    const std::string now = "the reference in double precision";
    return step_all(*reference_, ids_.first(ids_.size() - 1), now)
        .and_then([&] { return reference_->read_state(0, layers_, true, before_); })
        .and_then([&] { return step_all(*reference_, ids_.last(1), now); })
        .and_then([&] { return read(*reference_, after_text_); });
  }

  Result<void> read_text(Backend& backend, const ParityCandidate& candidate, ParityValues& out) {
    auto done = backend.reset();
    if (done && !candidate.prefill) done = step_all(backend, ids_, candidate.name);
    if (done && candidate.prefill) {
      done = tick(candidate.name, 0);
      if (done) done = backend.prefill(batch_of(backend, ids_), options_.prefill_progress);
      if (options_.prefill_progress != nullptr && options_.prefill_progress->cancelled) stopped_ = true;
      if (done) done = tick(candidate.name, static_cast<double>(ids_.size()));
    }
    return done ? read(backend, out) : done;
  }

  // The last token alone, from the reference's state, layer by layer from the reference's residual.
  Result<void> read_step(Backend& backend, ParityValues& expected, ParityValues& out) {
    SequenceState start;
    auto done = backend.restore(0, before_).and_then([&] { return backend.read_state(0, layers_, true, start); });
    if (done && expected.added.empty()) {
      // make_backend made it of this kind.
      done = static_cast<ReferenceBackend&>(*reference_).take_over(0, start).and_then([&] {
        return step_watched(*reference_, expected, nullptr);
      });
    }
    return done ? step_watched(backend, out, &expected) : done;
  }

  void compare_runs(const ParityValues& first, const ParityValues& again, const char* which, ParityRow& row) const {
    const std::size_t at = first_unequal(first, again, config_);
    if (at == parity_cell_count(config_)) return;
    row.repeatable = false;
    if (row.first_unequal.empty()) {
      const std::vector<ParityCell>& cells = row.text;
      row.first_unequal = fmt::format("{}, {}", describe(cells[at]), which);
    }
  }

  Result<void> measure(const ParityCandidate& candidate, ParityRow& row) {
    if (candidate.prefill && !options_.interventions.empty()) {
      row.message = "Steps that interventions change are not prefilled.";
      return {};
    }
    auto opened = candidate.open();
    if (!opened) {
      // Wrong input: this model in this way. Anything else should have worked.
      if (opened.error().kind != ErrorKind::input) row.outcome = ParityRow::Outcome::failed;
      return tl::unexpected(opened.error());
    }
    Backend& backend = **opened;
    row.outcome = ParityRow::Outcome::failed;
    row.device = backend.info().device;
    row.chunked = candidate.prefill && backend.info().chunked_prefill && ids_.size() > 2;
    ParityLimits limits{options_.rtol, backend.info().state == "bf16"};
    const bool rounds = row.chunked && backend.info().state != "fp64";
    row.text_rtol = rounds ? std::max(options_.rtol, options_.prefill_rtol) : options_.rtol;
    row.judged_text = !limits.bf16_state;
    row.repeatable = true;
    {
      ParityValues first, again;
      auto done = read_text(backend, candidate, first);
      if (done) row.text = compare_cells(first, after_text_, config_, {row.text_rtol, false});
      if (done) done = read_text(backend, candidate, again);
      if (!done) return done;
      compare_runs(first, again, "after the text", row);
    }
    if (!candidate.prefill) {
      ParityValues expected, first, again;
      auto done = read_step(backend, expected, first);
      if (done) row.step = compare_cells(first, expected, config_, limits);
      if (done) done = read_step(backend, expected, again);
      if (!done) return done;
      compare_runs(first, again, "step by step", row);
    }
    row.outcome = ParityRow::Outcome::measured;
    return {};
  }

  const Weights& weights_;
  const ModelConfig& config_;
  const std::span<const std::int32_t> ids_;
  const std::vector<ParityCandidate>& candidates_;
  const ParityOptions& options_;
  const ParityProgress& progress_;
  std::vector<int> layers_;
  std::unique_ptr<Backend> reference_;
  SequenceState before_;     // the reference's, before the last token
  ParityValues after_text_;  // the reference's
  ParityReport report_;
  double done_ = 0, all_ = 1;  // tokens
  bool stopped_ = false;
};

}  // namespace

const ParityCell* ParityRow::begins() const {
  for (const auto* cells : {&step, &text}) {
    if (cells == &text && !judged_text) continue;
    const auto first = std::find_if(cells->begin(), cells->end(), [](const ParityCell& cell) { return cell.over(); });
    if (first != cells->end()) return &*first;
  }
  return nullptr;
}

bool ParityRow::begins_in_step() const {
  return std::any_of(step.begin(), step.end(), [](const ParityCell& cell) { return cell.over(); });
}

const ParityCell* ParityRow::worst(const std::vector<ParityCell>& cells) {
  const auto found = std::max_element(cells.begin(), cells.end(),
                                      [](const ParityCell& a, const ParityCell& b) { return a.of_limit < b.of_limit; });
  return found == cells.end() ? nullptr : &*found;
}

std::size_t ParityRow::not_finite(const std::vector<ParityCell>& cells) {
  return std::accumulate(cells.begin(), cells.end(), std::size_t{0},
                         [](std::size_t sum, const ParityCell& cell) { return sum + cell.not_finite; });
}

bool ParityRow::pass() const { return outcome == Outcome::measured && repeatable && begins() == nullptr; }

namespace {
bool absent(const ParityRow& row) { return row.outcome == ParityRow::Outcome::absent; }
}  // namespace

bool ParityReport::compared() const { return !std::all_of(rows.begin(), rows.end(), absent); }

bool ParityReport::pass() const {
  return !cancelled && compared() &&
         std::all_of(rows.begin(), rows.end(), [](const ParityRow& row) { return absent(row) || row.pass(); });
}

std::vector<ParityCandidate> parity_candidates(const Weights& weights, int threads) {
  const std::string no_cuda = why_no_cuda();
  std::vector<ParityCandidate> out;
  const auto add = [&](const std::string& name, BackendOptions options, bool steps, bool prefill) {
    options.threads = threads;
    const std::string absent = options.choice == BackendChoice::cuda ? no_cuda : std::string();
    const auto open = [&weights, options] { return make_backend(weights, options); };
    if (steps) out.push_back({name, false, absent, open});
    if (prefill) out.push_back({name + ", prefilled", true, absent, open});
  };
  using Choice = BackendChoice;
  BackendOptions options;
  options.choice = Choice::cpu;
  add("cpu", options, true, true);
  options.choice = Choice::reference;
  add("reference", options, false, true);
  options.choice = Choice::cuda;
  add("cuda staged", options, true, true);
  options.variant = Variant::fused;
  add("cuda fused", options, true, true);
  options.state = kernels::DType::bf16;
  add("cuda fused, bf16 state", options, true, false);
  return out;
}

Result<ParityReport> run_parity_bench(const Weights& weights, std::span<const std::int32_t> ids,
                                      const std::vector<ParityCandidate>& candidates, const ParityOptions& options,
                                      const ParityProgress& progress) {
  if (ids.empty()) return input_error("The parity bench compares the last token of a text, and there is none.");
  for (const Intervention& intervention : options.interventions) {
    if (auto fits = check(intervention, weights.config); !fits) return tl::unexpected(fits.error());
  }
  return Bench(weights, ids, candidates, options, progress).run();
}

}  // namespace engine
