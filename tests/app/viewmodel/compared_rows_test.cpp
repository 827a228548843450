#include "app/viewmodel/compared_rows.h"

#include <doctest/doctest.h>

namespace {

app::ComparedRow row(const char* name, double a, double b, app::Verdict verdict) {
  app::ComparedRow out;
  out.name = name;
  out.median_a_us = a;
  out.median_b_us = b;
  out.ratio.ratio = b / a;
  out.verdict = verdict;
  return out;
}

const std::vector<app::ComparedRow> rows = {
    row("whole step", 10, 11, app::Verdict::slower), row("norm", 1, 1, app::Verdict::no_change),
    row("Mixer of layer 3", 4, 3, app::Verdict::faster), row("mimo_mix", 0.5, 2, app::Verdict::unlike)};

}  // namespace

TEST_CASE("rows of a comparison are filtered and sorted; those that are not in both come last") {
  using Order = std::vector<int>;
  CHECK(app::arranged(rows, "", false, -1, true) == Order{0, 1, 2, 3});
  CHECK(app::arranged(rows, "layer MIX", false, -1, true) == Order{2});
  CHECK(app::arranged(rows, "nothing", false, -1, true).empty());
  CHECK(app::arranged(rows, "", true, -1, true) == Order{0, 2});
  const auto by = [](app::ComparedColumn column) { return static_cast<int>(column); };
  CHECK(app::arranged(rows, "", false, by(app::ComparedColumn::ratio), true) == Order{0, 1, 2, 3});
  CHECK(app::arranged(rows, "", false, by(app::ComparedColumn::ratio), false) == Order{2, 1, 0, 3});
  CHECK(app::arranged(rows, "", false, by(app::ComparedColumn::median_b), true) == Order{0, 2, 1, 3});
  CHECK(app::arranged(rows, "", false, by(app::ComparedColumn::name), false) == Order{2, 1, 0, 3});
  CHECK(app::arranged(rows, "", false, 99, false) == Order{0, 1, 2, 3});
}
