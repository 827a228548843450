// The pages of the kernel timings panel, and their names on the command line. Pure.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace app {

// Which picture the kernel timings show beside the table.
enum class TimingPage { timeline, bars, histogram, roofline, run, ranks, compare };

inline constexpr std::array<std::pair<const char*, TimingPage>, 7> timing_pages = {{
    {"timeline", TimingPage::timeline},
    {"bars", TimingPage::bars},
    {"histogram", TimingPage::histogram},
    {"roofline", TimingPage::roofline},
    {"all-tokens", TimingPage::run},
    {"ranks", TimingPage::ranks},
    {"compare", TimingPage::compare},
}};

// On the command line: the timeline, and beside it the table with a row for each piece of work.
inline constexpr const char* records_page = "records";

inline std::optional<TimingPage> timing_page_named(std::string_view name) {
  for (const auto& [known, page] : timing_pages) {
    if (name == known) return page;
  }
  if (name == records_page) return TimingPage::timeline;
  return {};
}

}  // namespace app
