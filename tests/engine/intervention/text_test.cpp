// Interventions as text: what was read is written back, and what cannot be read says why.
#include "engine/intervention/text.h"

#include "engine/base/random.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using engine::IndexRange;
using engine::Intervention;
using engine::Operation;
using engine::Quantity;

TEST_CASE("an intervention's text: what it says") {
  const auto plain = engine::parse_intervention("rotation*0");
  REQUIRE(plain.has_value());
  CHECK(*plain == Intervention{Quantity::rotation, Operation::scale, 0, {}, {}, {}, {}, 0, 0, {}});
  const auto scoped = engine::parse_intervention("  dt + 0.1 @layers 0-1 head 3 tokens 10-20 ");
  REQUIRE(scoped.has_value());
  CHECK(scoped->operation == Operation::add);
  CHECK(scoped->value == 0.1);
  CHECK(scoped->layers == IndexRange{0, 2});
  CHECK(scoped->heads == IndexRange{3, 4});
  CHECK(scoped->tokens == IndexRange{10, 21});
  CHECK(engine::parse_intervention("a-0.5")->value == -0.5);
  CHECK(engine::parse_intervention("rotation~7 @ pairs 2-")->pairs == IndexRange{2, -1});
  const auto cell = engine::parse_intervention("state=1e-3 @ layers 0 cell 3,7");
  REQUIRE(cell.has_value());
  CHECK(cell->row == 3);
  CHECK(cell->channel == 7);
  CHECK(engine::parse_intervention("b_bias*2 @ ranks 0-2")->ranks == IndexRange{0, 3});
}

TEST_CASE("an intervention's text comes back as it was written") {
  engine::Random random(5);
  const auto range = [&] {
    IndexRange r;
    if (random.below(2) == 0) return r;
    r.first = static_cast<std::int64_t>(random.below(40));
    r.end = random.below(3) == 0 ? -1 : r.first + 1 + static_cast<std::int64_t>(random.below(5));
    return r;
  };
  for (int i = 0; i < 2000; ++i) {
    Intervention by;
    by.quantity = static_cast<Quantity>(random.below(11));
    by.operation = static_cast<Operation>(random.below(by.quantity == Quantity::rotation ? 4 : 3));
    by.value = by.operation == Operation::shuffle ? static_cast<double>(random.below(1000))
                                                  : (random.uniform() - 0.5) * (random.below(2) == 0 ? 1e-9 : 1e5);
    by.layers = range();
    by.heads = range();
    by.tokens = range();
    if (by.quantity >= Quantity::b_bias && by.quantity <= Quantity::rank_read && by.quantity != Quantity::d)
      by.ranks = range();
    if (by.quantity == Quantity::rotation) by.pairs = range();
    if (by.quantity == Quantity::state) {
      by.row = static_cast<int>(random.below(64));
      by.channel = static_cast<int>(random.below(128));
    }
    const std::string text = engine::format_intervention(by);
    CAPTURE(text);
    const auto back = engine::parse_intervention(text);
    REQUIRE(back.has_value());
    CHECK(*back == by);
    CHECK(engine::format_intervention(*back) == text);
  }
}

TEST_CASE("what is no intervention says what is wrong, and where") {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "a quantity"},
      {"rotate*0", "a quantity"},
      {"Rotation*0", "a quantity"},
      {"rotation", "one of * + - = ~"},
      {"rotation 0", "one of * + - = ~"},
      {"rotation*", "a finite number"},
      {"rotation*x", "a finite number"},
      {"rotation*nan", "a finite number"},
      {"rotation*inf", "a finite number"},
      {"rotation*1e999", "a finite number"},
      {"lambda~1", "only the rotation"},
      {"rotation~-1", "seed, a whole number"},
      {"rotation~4294967296", "seed, a whole number"},
      {"rotation*0 layers 1", "@ and a scope"},
      {"rotation*0 @ layers", "the numbers of the layers"},
      {"rotation*0 @ layers -1", "the numbers of the layers"},
      {"rotation*0 @ layers 3-1", "before it begins"},
      {"rotation*0 @ layers 1 layers 2", "named twice"},
      {"rotation*0 @ layers 99999999999999999999", "the numbers of the layers"},
      {"rotation*0 @ tokens 9223372036854775807", "the numbers of the tokens"},
      {"rotation*0 @ ranks 1", "layers, heads, pairs"},
      {"dt*0 @ pairs 1", "layers, heads or tokens"},
      {"rotation*0 @ layers 1x", "a blank"},
      {"rotation*0 @ layers 1-2-3", "a blank"},
      {"state*0", "the cell"},
      {"state*0 @ layers 0", "the cell"},
      {"state*0 @ cell 3", "a comma"},
      {"state*0 @ cell 3,", "a channel"},
      {"state*0 @ cell -3,1", "row and channel"},
      {"state*0 @ cell 99999999999,1", "row and channel"},
      {std::string("rotation*0\0", 11), "@ and a scope"},
      {"\x1b[31m*0", "a quantity"},
      {std::string(5000, '*'), "longer than"},
  };
  for (const auto& [text, says] : wrong) {
    CAPTURE(text);
    const auto refused = engine::parse_intervention(text);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == engine::ErrorKind::input);
    CAPTURE(refused.error().message);
    CHECK(refused.error().message.find(says) != std::string::npos);
    CHECK(refused.error().message.find('\x1b') == std::string::npos);
    CHECK(refused.error().message.size() < 500);
  }
  // Every beginning of a right one, and every one with a character gone wrong, is read or refused, never worse.
  const std::string right = "rotation*-1.5e-3 @ layers 0-1 heads 3 pairs 4- tokens 10-20";
  for (std::size_t i = 0; i < right.size(); ++i) {
    static_cast<void>(engine::parse_intervention(right.substr(0, i)));
    for (int c = 0; c < 256; ++c) {
      std::string other = right;
      other[i] = static_cast<char>(c);
      const auto read = engine::parse_intervention(other);
      if (read) CHECK(engine::parse_intervention(engine::format_intervention(*read)).value() == *read);
    }
  }
}
