#include "app/viewmodel/word_filter.h"

#include <doctest/doctest.h>

using app::WordFilter;

TEST_CASE("a filter takes names that hold all its words, in any order and case") {
  CHECK(WordFilter("").takes("anything"));
  CHECK(WordFilter("MIX layer").takes("layer 3 mixer"));
  CHECK_FALSE(WordFilter("mixer head").takes("layer 3 mixer"));
  CHECK_FALSE(WordFilter("mixer").takes(""));
}

TEST_CASE("a filter takes a number as a whole, and as a part of a name what is no number") {
  CHECK(WordFilter("layer 3").takes("layer 3 mixer"));
  CHECK(WordFilter("3").takes("layer 3"));
  CHECK(WordFilter("3").takes("layer 13, part 3"));
  for (const char* other : {"layer 13 mixer", "layer 30 mixer", "layer 131"})
    CHECK_FALSE(WordFilter("layer 3").takes(other));
  CHECK(WordFilter("1.5").takes("siso-1.5b"));
  CHECK(WordFilter("187m").takes("siso-187m"));
}
