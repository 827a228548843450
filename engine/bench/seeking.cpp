#include "engine/bench/seeking.h"

#include "engine/base/random.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace engine {

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// A record that lost its details says nothing against.
bool same_record(const TokenRecord& before, const TokenRecord& now) {
  const StepCoefficients &a = before.coefficients, &b = now.coefficients;
  if (before.id != now.id) return false;
  if (a.dt.empty()) return true;
  return same(a.dt, b.dt) && same(a.alpha, b.alpha) && same(a.lambda, b.lambda) && same(a.state_norm, b.state_norm) &&
         same(a.state_change, b.state_change) && before.top.size() == now.top.size() &&
         std::equal(before.top.begin(), before.top.end(), now.top.begin(),
                    [](const TopToken& x, const TopToken& y) { return x.id == y.id && x.logit == y.logit; });
}

}  // namespace

Result<Seeking> measure_seeking(Session& session, const SeekingOptions& options,
                                const std::function<void(double)>& progress) {
  Seeking found;
  const auto failed = [&] { return session.snapshot()->error; };
  // Tokens between two reports; of a prompt all.
  const int piece = options.step_last > 0 ? options.tokens : 100;
  if (options.step_last > 0) {
    Random drawn(options.seed + 1);
    std::vector<std::int32_t> ids;
    const auto vocabulary = static_cast<std::uint64_t>(session.snapshot()->model->config().vocab_size);
    for (int i = 0; i < options.tokens; ++i) ids.push_back(static_cast<std::int32_t>(drawn.below(vocabulary)));
    session.post(command::StepLast{options.step_last});
    session.post(command::Prompt{std::move(ids)});
    session.wait_idle();
  }
  auto start = Clock::now();
  for (int at = 0; at < options.tokens; at += piece) {
    session.post(command::Step{std::min(piece, options.tokens - at)});
    session.wait_idle();
    if (auto error = failed()) return tl::unexpected(*std::move(error));
    if (progress) progress(0.7 * at / options.tokens);
  }
  found.tokens_per_second = 1e3 * options.tokens / milliseconds_since(start);
  const auto stepped = session.snapshot();
  found.history_bytes = stepped->history_bytes;
  found.history_budget_bytes = stepped->history_budget_bytes;
  found.states_dropped = stepped->states_dropped;
  for (const auto& record : stepped->tokens) found.prefilled += record->skipped ? 1 : 0;
  found.same_bits = true;
  Random random(options.seed);
  for (int i = 0; i < options.seeks; ++i) {
    const auto target = 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(options.tokens)));
    start = Clock::now();
    session.post(command::Seek{target});
    session.wait_idle();
    found.seeks_ms.push_back(milliseconds_since(start));
    if (auto error = failed()) return tl::unexpected(*std::move(error));
    const auto there = session.snapshot();
    const auto at = static_cast<std::size_t>(target) - 1;
    found.same_bits = found.same_bits && static_cast<std::int64_t>(there->tokens.size()) == target &&
                      same_record(*stepped->tokens[at], *there->tokens[at]);
    if (progress) progress(0.7 + 0.3 * i / options.seeks);
  }
  return found;
}

}  // namespace engine
