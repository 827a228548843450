#include "engine/session/token_list.h"

#include "engine/session/snapshot.h"

#include <doctest/doctest.h>

using namespace engine;

namespace {

std::shared_ptr<const TokenRecord> record(std::int64_t position) {
  auto made = std::make_shared<TokenRecord>();
  made->position = position;
  return made;
}

bool counts_up(const TokenList& list, std::int64_t size) {
  std::int64_t expected = 0;
  for (const auto& item : list) {
    if (item->position != expected++) return false;
  }
  return expected == size && list.size() == static_cast<std::size_t>(size);
}

}  // namespace

TEST_CASE("a list reads like a vector, and copies keep what they had") {
  TokenList list;
  CHECK(list.empty());
  std::vector<TokenList> copies;
  for (std::int64_t i = 0; i < 1000; ++i) {
    copies.push_back(list);
    list.push_back(record(i));
  }
  CHECK(counts_up(list, 1000));
  CHECK(list.front()->position == 0);
  CHECK(list.back()->position == 999);
  CHECK(list[511]->position == 511);
  CHECK((list.end() - list.begin()) == 1000);
  for (const std::int64_t cut : {1000, 999, 769, 768, 767, 512, 300, 256, 255, 1, 0}) {
    list.truncate(static_cast<std::size_t>(cut));
    CHECK(counts_up(list, cut));
    list.push_back(record(cut));
    CHECK(counts_up(list, cut + 1));
    list.truncate(static_cast<std::size_t>(cut));
  }
  for (std::size_t i = 0; i < copies.size(); ++i) CHECK(counts_up(copies[i], static_cast<std::int64_t>(i)));
}

TEST_CASE("a replaced record is seen by this list only") {
  TokenList list;
  for (std::int64_t i = 0; i < 600; ++i) list.push_back(record(i));
  const TokenList before = list;
  list.replace(3, record(-3));
  list.replace(599, record(-599));
  CHECK(list[3]->position == -3);
  CHECK(list[599]->position == -599);
  CHECK(list[4]->position == 4);
  CHECK(counts_up(before, 600));
}
