#include "app/viewmodel/opening_words.h"

#include <doctest/doctest.h>

TEST_CASE("how far an opening is, in words") {
  CHECK(app::opening_words(0, 3'000'000'000, 1) == "0.0 of 3.0 GB");
  CHECK(app::opening_words(1'500'000'000, 3'000'000'000, 0.05) == "1.5 of 3.0 GB");
  CHECK(app::opening_words(1'500'000'000, 3'000'000'000, 1) == "1.5 of 3.0 GB, 1.5 GB/s, 1 s left");
  CHECK(app::opening_words(20'000'000, 200'000'000, 2) == "20.0 of 200.0 MB, 10 MB/s, 18 s left");
  CHECK(app::opening_words(200'000'000, 200'000'000, 2) == "200.0 of 200.0 MB, 100 MB/s");
}
