#include "app/panels/plot.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

namespace {

std::string label(double value, int size = 32) {
  std::string text(static_cast<std::size_t>(size), '#');
  const int length = app::whole_label(value, text.data(), size, nullptr);
  CHECK(length < size);
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace

TEST_CASE("an axis that counts names whole numbers and nothing else") {
  CHECK(label(12) == "12");
  CHECK(label(-0.0) == "0");
  CHECK(label(2.0000000001) == "2");
  CHECK(label(2.5).empty());
  CHECK(label(std::nan("")).empty());
  CHECK(label(std::numeric_limits<double>::infinity()).empty());
  CHECK(label(1e300).size() < 12);
  CHECK(label(123456, 4) == "123");  // never beyond what it was given
}
