#include "engine/tokenizer/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>

#include <pcre2.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace engine {

namespace {

// The longest text's steps are proportional to it: a run of blanks is looked through once for each way to end it.
constexpr std::size_t steps_at_least = 100000, steps_per_byte = 32;
constexpr double seconds_at_least = 10, seconds_per_byte = 2e-6;
constexpr std::size_t largest_jit_stack = std::size_t{4} << 20U;

using Clock = std::chrono::steady_clock;

std::string message_of(int error) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

struct Matcher::State {
  std::shared_ptr<const pcre2_real_code_8> code;
  pcre2_match_data* data = nullptr;
  pcre2_match_context* context = nullptr;
  pcre2_jit_stack* stack = nullptr;
  double allowed_s = seconds_at_least;
  Clock::duration used{};

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }

  int match(std::string_view text, std::size_t from, std::uint32_t options) const {
    // Options that its compiled code does not know would make it interpret.
    return pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       options | PCRE2_NO_UTF_CHECK, data, context);
  }
};

Result<Pattern> Pattern::compile(const std::string& text) {
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* made = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr);
  if (made == nullptr) return input_error("cannot be compiled: " + message_of(error));
  Pattern pattern;
  pattern.code_ = std::shared_ptr<const pcre2_real_code_8>(
      made, [](const pcre2_real_code_8* code) { pcre2_code_free(const_cast<pcre2_real_code_8*>(code)); });
  std::uint32_t empty = 0;
  pcre2_pattern_info(made, PCRE2_INFO_MATCHEMPTY, &empty);
  if (empty != 0) return input_error("can match nothing at all, which cuts no text");
  // Without it (not every processor has one) the pattern is interpreted, with the same matches.
  pcre2_jit_compile(made, PCRE2_JIT_COMPLETE);
  return pattern;
}

Matcher::Matcher(const Pattern& pattern) : state_(std::make_unique<State>()) {
  state_->code = pattern.code_;
  state_->data = pcre2_match_data_create(1, nullptr);
  state_->context = pcre2_match_context_create(nullptr);
  state_->stack = pcre2_jit_stack_create(std::size_t{32} << 10U, largest_jit_stack, nullptr);
  if (state_->data == nullptr || state_->context == nullptr) throw std::bad_alloc();
  if (state_->stack != nullptr) pcre2_jit_stack_assign(state_->context, nullptr, state_->stack);
  pcre2_set_heap_limit(state_->context, 64U << 10U);  // KiB
}

Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&& other) noexcept = default;

Result<void> Matcher::find_all(std::string_view text, std::vector<Span>& out) {
  out.clear();
  const std::size_t steps = steps_at_least + steps_per_byte * text.size();
  pcre2_set_match_limit(state_->context, static_cast<std::uint32_t>(std::min<std::size_t>(steps, 2000000000)));
  state_->allowed_s += seconds_per_byte * static_cast<double>(text.size());
  const Clock::time_point start = Clock::now();
  int found = 0;
  std::size_t from = 0;
  for (unsigned turn = 1; from < text.size(); ++turn) {
    found = state_->match(text, from, 0);
    if (found < 0) break;
    const PCRE2_SIZE* const ends = pcre2_get_ovector_pointer(state_->data);
    if (ends[1] <= from) return input_error("matched nothing, which cuts no text");  // never: MATCHEMPTY was asked
    out.push_back({ends[0], ends[1]});
    from = ends[1];
    if (turn % 16 == 0 &&
        std::chrono::duration<double>(state_->used + (Clock::now() - start)).count() > state_->allowed_s) {
      return input_error("takes too long for this text");
    }
  }
  state_->used += Clock::now() - start;
  if (found < 0 && found != PCRE2_ERROR_NOMATCH)
    return input_error("is too costly for this text: " + message_of(found));
  return {};
}

bool Matcher::begins(std::string_view text) {
  pcre2_set_match_limit(state_->context, steps_at_least);
  return state_->match(text, 0, PCRE2_ANCHORED) >= 0;
}

}  // namespace engine
