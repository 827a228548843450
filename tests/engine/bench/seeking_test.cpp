#include "engine/bench/seeking.h"

#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

using namespace engine;

TEST_CASE("seeking ends with the session's own error") {
  for (const ErrorKind kind : {ErrorKind::input, ErrorKind::system}) {
    const FakeSession s;
    s.counters->fail_at_step = 12;
    s.counters->failure = kind;
    SeekingOptions options;
    options.tokens = 10;
    options.seeks = 20;
    const auto found = measure_seeking(*s.session, options, {});
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().kind == kind);
    CHECK(found.error().message.find("asked for") != std::string::npos);
  }
}
