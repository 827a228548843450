#include "engine/session/command_queue.h"

#include "engine/session/pacer.h"

#include <doctest/doctest.h>

#include <string>

using namespace engine;

namespace {

// One letter per command: s step, r run, p pause, k seek, m prompt, a append, b forget, w watch, t tiles, v speed, h budget, l last, g sampler;
std::string order(const std::vector<Command>& commands) {
  std::string letters;
  for (const Command& command : commands) letters += "srpkmabFEISRDUYwtvhlg"[command.index()];
  return letters;
}

}  // namespace

TEST_CASE("newer commands replace older ones of their kind as far as the order allows") {
  CommandQueue queue;
  for (int i = 0; i < 50; ++i) queue.post(command::Seek{i});
  auto taken = queue.take();
  REQUIRE(taken.size() == 1);
  CHECK(std::get<command::Seek>(taken[0]).position == 49);

  // Settings do not stand in the way of each other or of moves.
  for (int i = 0; i < 5; ++i) {
    queue.post(command::Seek{i});
    queue.post(command::Speed{static_cast<double>(i)});
    queue.post(command::Watch{i});
  }
  taken = queue.take();
  CHECK(order(taken) == "kvw");
  CHECK(std::get<command::Seek>(taken[0]).position == 4);
  CHECK(std::get<command::Watch>(taken[2]).layer == 4);

  // A step between two seeks keeps both.
  queue.post(command::Seek{1});
  queue.post(command::Step{2});
  queue.post(command::Seek{3});
  CHECK(order(queue.take()) == "ksk");

  queue.post(command::Step{2});
  queue.post(command::Speed{3});
  queue.post(command::Step{-7});
  queue.post(command::Step{5});
  taken = queue.take();
  CHECK(order(taken) == "vs");
  CHECK(std::get<command::Step>(taken[1]).count >= 5);

  // Nothing is lost that adds up or must be in order.
  queue.post(command::Append{{1}});
  queue.post(command::Append{{2}});
  queue.post(command::Prompt{{1}});
  queue.post(command::Prompt{{2}});
  queue.post(Sampler{});
  queue.post(command::Step{});
  queue.post(command::StepLast{1});
  queue.post(command::StepLast{2});
  queue.post(Sampler{});
  CHECK(order(queue.take()) == "aamgslg");
  CHECK(queue.take().empty());
}

TEST_CASE("a wait ends with a command, with its time, or with a stop") {
  using namespace std::chrono_literals;
  CommandQueue queue;
  std::stop_source stop;
  const auto begin = CommandQueue::Clock::now();
  queue.wait_until(stop.get_token(), begin + 5ms);
  CHECK(CommandQueue::Clock::now() - begin >= 5ms);
  queue.post(command::Run{});
  queue.wait(stop.get_token());
  queue.wait_until(stop.get_token(), begin + 100s);
  queue.take();
  stop.request_stop();
  queue.wait(stop.get_token());
  queue.wait_until(stop.get_token(), begin + 100s);
  queue.close();
  queue.wait_idle();
  CHECK(CommandQueue::Clock::now() - begin < 50s);
}

TEST_CASE("deadlines are absolute: late steps do not add up, long ones are forgotten") {
  using namespace std::chrono_literals;
  Pacer pacer;
  const Pacer::Clock::time_point zero{};
  pacer.start(100, zero);
  CHECK(pacer.due() == zero);
  auto now = zero;
  for (int i = 0; i < 100; ++i) {
    now = *pacer.due() + 4ms;  // each step takes 4 ms
    pacer.stepped(now);
  }
  CHECK(*pacer.due() - zero == 1000ms);
  CHECK(pacer.rate(now) == doctest::Approx(100).epsilon(0.02));
  now += 2s;
  pacer.stepped(now);
  CHECK(*pacer.due() == now);
  pacer.start(0, now);
  CHECK_FALSE(pacer.due().has_value());
  pacer.start(1e-300, now);
  CHECK(pacer.due().has_value());
  CHECK(*pacer.due() > now);
  pacer.rest();
  CHECK(pacer.rate(now) == 0);
}
