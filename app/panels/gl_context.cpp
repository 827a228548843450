#include "app/panels/gl_context.h"

#include <utility>
#include <vector>

namespace app {

namespace {

int ended = 0;

std::vector<std::function<void()>>& releases() {
  static std::vector<std::function<void()>> all;
  return all;
}

}  // namespace

int gl_context_number() { return ended; }

void when_gl_context_ends(std::function<void()> release) { releases().push_back(std::move(release)); }

void end_gl_context() {
  for (const auto& release : std::exchange(releases(), {})) release();
  ++ended;
}

}  // namespace app
