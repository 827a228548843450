#include "app/panels/gl_context.h"

#include "app/wiring/shared_tiles.h"

#include <utility>
#include <vector>

namespace app {

namespace {

int ended = 0;

using Calls = std::vector<std::function<void()>>;

Calls& releases() {
  static Calls all;
  return all;
}

Calls& frame_work() {
  static Calls all;
  return all;
}

}  // namespace

int gl_context_number() { return ended; }

void when_gl_context_ends(std::function<void()> release) { releases().push_back(std::move(release)); }

bool draws_where_cuda_computes() {
  static int asked_in = -1;
  static bool answer = false;
  if (std::exchange(asked_in, ended) != ended) answer = SharedBuffer::possible();
  return answer;
}

void behind_frame(std::function<void()> work) { frame_work().push_back(std::move(work)); }

void end_frame() {
  for (const auto& work : std::exchange(frame_work(), {})) work();
}

void end_gl_context() {
  frame_work().clear();
  for (const auto& release : std::exchange(releases(), {})) release();
  ++ended;
}

}  // namespace app
