// Modular arithmetic against an evaluator of its own kind: recursive descent over the finished text.
#include "engine/tasks/task.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

const std::string symbols = "01234+-x()";

// Values are kept whole as long as they fit: only the end result is taken modulo 5.
class Evaluator {
 public:
  explicit Evaluator(std::string text) : text_(std::move(text)) {}
  int value() {
    const long long sum = expression();
    REQUIRE(at_ == text_.size());
    return static_cast<int>(((sum % 5) + 5) % 5);
  }

 private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  long long expression() {
    long long sum = product();
    while (next() == '+' || next() == '-') {
      const bool plus = text_[at_++] == '+';
      const long long right = product();
      sum += plus ? right : -right;
    }
    return sum;
  }
  long long product() {
    long long all = operand();
    while (next() == 'x') {
      ++at_;
      all = all * operand() % 1000000000;  // a multiple of 5, so that long products keep their remainder
    }
    return all;
  }
  long long operand() {
    if (next() == '(') {
      ++at_;
      const long long inside = expression() % 1000000000;
      REQUIRE(next() == ')');
      ++at_;
      return inside;
    }
    REQUIRE(next() >= '0');
    REQUIRE(next() <= '4');
    return text_[at_++] - '0';
  }

  std::string text_;
  std::size_t at_ = 0;
};

std::string text_of(const std::vector<std::int32_t>& ids) {
  std::string text;
  for (const std::int32_t id : ids) text += symbols[static_cast<std::size_t>(id)];
  return text;
}

// Labels of a text, one character each: the class, '.' where nothing is asked, '?' where nothing is known.
std::string labels_of(const char* task, const std::string& text) {
  engine::TaskWalk walk(**engine::find_task(task));
  std::string labels;
  for (const char c : text) {
    const std::int32_t label = walk.read(static_cast<std::int32_t>(symbols.find(c)));
    labels += label >= 0 ? static_cast<char>('0' + label) : label == engine::not_asked ? '.' : '?';
  }
  return labels;
}

}  // namespace

TEST_CASE("modular: labels by hand") {
  CHECK(labels_of("modular", "3+4x2-1") == "3.2.1.0");
  CHECK(labels_of("modular", "0-3x4") == "0.2.3");
  CHECK(labels_of("modular", "2x3x4-2x4+1") == "2.1.4.2.1.2");
  CHECK(labels_of("modular", "4-4-4-4") == "4.0.1.2");
  CHECK(labels_of("modular-brackets", "3x(2-4)") == "3.....4");
  CHECK(labels_of("modular-brackets", "(3)") == "..3");
  CHECK(labels_of("modular-brackets", "((1+2)x(3-4))-1") == "............2.1");
  CHECK(labels_of("modular-brackets", "1-(2-(3-(4-(0))))x2+1") == "1...............3.0.1");
  CHECK(labels_of("modular-brackets", "2x((((3))))") == "2.........1");
}

TEST_CASE("modular: what breaks the grammar ends what is known, for good") {
  CHECK(labels_of("modular", "++3") == "???");
  CHECK(labels_of("modular", "3++3") == "3.??");
  CHECK(labels_of("modular", "34") == "3?");
  CHECK(labels_of("modular", "(3)") == "???");
  CHECK(labels_of("modular-brackets", ")3+3") == "????");
  CHECK(labels_of("modular-brackets", "3)") == "3?");
  CHECK(labels_of("modular-brackets", "3(") == "3?");
  CHECK(labels_of("modular-brackets", "()") == ".?");
  CHECK(labels_of("modular-brackets", "(3+)") == "...?");
  CHECK(labels_of("modular-brackets", "(((((3") == "....??");
  // Ids beyond the symbols.
  for (const std::int32_t id : {-1, 8, 10, 1 << 30}) {
    engine::TaskWalk walk(**engine::find_task("modular"));
    CHECK(walk.read(id) == engine::not_known);
    CHECK(walk.read(3) == engine::not_known);
  }
}

TEST_CASE("modular: every drawn label is the value of the text so far, and sits where it should") {
  for (const std::string name : {"modular", "modular-brackets"}) {
    const engine::Task& task = **engine::find_task(name);
    const bool brackets = name == "modular-brackets";
    CAPTURE(name);
    std::vector<int> classes(5), seen(static_cast<std::size_t>(task.symbols));
    int asked = 0, deepest = 0;
    for (std::uint64_t index = 0; index < 200; ++index) {
      const engine::LabelledSequence sequence = task.draw(11, index, 101);
      const std::string text = text_of(sequence.ids);
      CAPTURE(text);
      int depth = 0;
      bool right = true;
      for (std::size_t t = 0; t < text.size(); ++t) {
        depth += text[t] == '(' ? 1 : text[t] == ')' ? -1 : 0;
        deepest = std::max(deepest, depth);
        ++seen[static_cast<std::size_t>(sequence.ids[t])];
        const bool operand = (text[t] >= '0' && text[t] <= '4') || text[t] == ')';
        const std::int32_t expected = depth == 0 && operand ? Evaluator(text.substr(0, t + 1)).value() : -1;
        right = right && sequence.labels[t] == expected;
        if (expected >= 0) ++classes[static_cast<std::size_t>(expected)];
        asked += expected >= 0 ? 1 : 0;
      }
      CHECK(right);
      if (!brackets) CHECK(std::count(sequence.labels.begin(), sequence.labels.end(), -1) == 50);
    }
    CHECK(deepest == (brackets ? 4 : 0));
    CHECK(*std::min_element(seen.begin(), seen.end()) > 500);
    CHECK(*std::min_element(classes.begin(), classes.end()) > asked / 8);
    // Every second position without brackets; with them, about 18 of 100 are outside of all.
    CHECK(asked > 200 * (brackets ? 16 : 50));
    CHECK(asked < 200 * (brackets ? 20 : 52));
  }
}

TEST_CASE("modular: a sequence depends on seed and index only, and a longer one begins with a shorter") {
  const engine::Task& task = **engine::find_task("modular-brackets");
  const auto sequence = task.draw(3, 8, 64), longer = task.draw(3, 8, 128);
  // Recorded: on every machine the same.
  CHECK(text_of(task.draw(0, 0, 40).ids) == "(3x(4x(1x0)-(4x3-4)x1+0-0-4)x3+2+4x(4)x3");
  CHECK(text_of((**engine::find_task("modular")).draw(0, 0, 40).ids) == "3+3x1-0+2x4-1x2x0+3-2-4x2+3-4+4+2x0-4+2+");
  CHECK(sequence.ids == task.draw(3, 8, 64).ids);
  CHECK(sequence.ids != task.draw(3, 9, 64).ids);
  CHECK(sequence.ids != task.draw(4, 8, 64).ids);
  CHECK(std::equal(sequence.ids.begin(), sequence.ids.end(), longer.ids.begin()));
  CHECK(std::equal(sequence.labels.begin(), sequence.labels.end(), longer.labels.begin()));
}
