// The pages of the discretisation panel, and their names on the command line. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace app {

enum class DiscretisationPage : std::uint8_t {
  own_input,
  coefficients,
  lambda,
  convolution,
  signal,
  signal_difference,
  signal_errors,
  stability,
  formulas,
  effect,
};

struct DiscretisationPageName {
  const char* name;
  DiscretisationPage page;
  bool accumulated;  // errors carried over the tokens
};
inline constexpr std::array<DiscretisationPageName, 7> discretisation_pages = {{
    {"own-input", DiscretisationPage::own_input, false},
    {"accumulated", DiscretisationPage::own_input, true},
    {"lambda", DiscretisationPage::lambda, false},
    {"test-signal", DiscretisationPage::signal, false},
    {"stability", DiscretisationPage::stability, false},
    {"formulas", DiscretisationPage::formulas, false},
    {"effect", DiscretisationPage::effect, false},
}};

inline std::optional<DiscretisationPageName> discretisation_page_named(std::string_view name) {
  for (const DiscretisationPageName& entry : discretisation_pages) {
    if (name == entry.name) return entry;
  }
  return {};
}

}  // namespace app
