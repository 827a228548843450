#include "app/viewmodel/run_timeline.h"

#include <algorithm>

namespace app {

namespace {

constexpr std::size_t joined = 4;  // blocks of one level in one of the next
constexpr std::size_t most_lanes = 3;

}  // namespace

RunTimeline::RunTimeline(const engine::StepPlan& plan, profiler::Tokens tokens,
                         const std::function<bool(double)>& goes_on) {
  if (tokens.empty()) return;
  std::int64_t origin = INT64_MAX;
  for (const auto& token : tokens) origin = std::min(origin, token->wall_start_ns);
  const auto us = [&](std::int64_t ns) { return static_cast<double>(ns - origin) * 1e-3; };
  std::vector<std::int64_t> lane_ends;
  // The pyramid above takes about a quarter of the time.
  constexpr double pieces_share = 0.75;
  constexpr std::size_t tokens_between = 64;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto& token = tokens[t];
    if (t % tokens_between == 0 &&
        !goes_on(pieces_share * static_cast<double>(t) / static_cast<double>(tokens.size()))) {
      *this = RunTimeline();
      return;
    }
    RunBlock step;
    step.start_us = us(token->wall_start_ns);
    step.end_us = us(token->wall_start_ns + token->wall_ns);
    step.first = static_cast<std::uint32_t>(step_tokens_.size());
    steps_.push_back(step);
    step_tokens_.push_back(token->token);
    end_us_ = std::max(end_us_, step.end_us);
    for (const profiler::StageTime& piece : token->stages) {
      const std::int64_t end = piece.start_ns + piece.duration_ns;
      auto lane = static_cast<std::size_t>(
          std::find_if(lane_ends.begin(), lane_ends.end(), [&](std::int64_t e) { return e <= piece.start_ns; }) -
          lane_ends.begin());
      if (lane == lane_ends.size() && lane_ends.size() < most_lanes) {
        lane_ends.push_back(end);
        lanes_.emplace_back(1);
      }
      lane = std::min(lane, lane_ends.size() - 1);
      lane_ends[lane] = std::max(lane_ends[lane], end);
      RunBlock block;
      block.start_us = us(piece.start_ns);
      block.end_us = us(end);
      block.busy_us = block.end_us - block.start_us;
      block.first = static_cast<std::uint32_t>(pieces_.size());
      if (piece.tag.stage < plan.stages.size()) {
        block.stage = piece.tag.stage;
        block.kind = static_cast<std::int16_t>(plan.stages[piece.tag.stage].kind);
      }
      lanes_[lane].front().push_back(block);
      pieces_.push_back({token->token, piece.name});
      end_us_ = std::max(end_us_, block.end_us);
    }
  }
  for (Pyramid& lane : lanes_) {
    goes_on(pieces_share +
            (1 - pieces_share) * static_cast<double>(&lane - lanes_.data()) / static_cast<double>(lanes_.size()));
    build(lane);
  }
  step_pyramid_.push_back(steps_);
  build(step_pyramid_);
}

void RunTimeline::build(Pyramid& pyramid) {
  std::sort(pyramid.front().begin(), pyramid.front().end(),
            [](const RunBlock& a, const RunBlock& b) { return a.start_us < b.start_us; });
  while (pyramid.back().size() > joined) {
    const Level& below = pyramid.back();
    Level above;
    above.reserve(below.size() / joined + 1);
    double longest = 0;
    for (std::size_t i = 0; i < below.size(); ++i) {
      const double length = below[i].busy_us;
      if (i % joined == 0) {
        above.push_back(below[i]);
        longest = length;
        continue;
      }
      RunBlock& block = above.back();
      block.end_us = std::max(block.end_us, below[i].end_us);
      block.busy_us += length;
      if (length > longest) {
        longest = length;
        block.stage = below[i].stage;
        block.kind = below[i].kind;
      }
    }
    pyramid.push_back(std::move(above));
  }
}

RunTimeline::Range RunTimeline::pick(const Pyramid& pyramid, double from_us, double to_us, std::size_t most) {
  for (std::size_t level = 0; level < pyramid.size(); ++level) {
    const Level& blocks = pyramid[level];
    // Pieces of a lane do not overlap: only the block before the first can reach in.
    auto first =
        std::partition_point(blocks.begin(), blocks.end(), [&](const RunBlock& b) { return b.start_us < from_us; });
    const auto last = std::partition_point(first, blocks.end(), [&](const RunBlock& b) { return b.start_us <= to_us; });
    if (first != blocks.begin()) --first;
    if (static_cast<std::size_t>(last - first) > most && level + 1 < pyramid.size()) continue;
    return {blocks.data() + (first - blocks.begin()), blocks.data() + (last - blocks.begin()), level == 0};
  }
  return {};
}

RunTimeline::Range RunTimeline::blocks(std::size_t lane, double from_us, double to_us, std::size_t most) const {
  return lane < lanes_.size() ? pick(lanes_[lane], from_us, to_us, most) : Range{};
}

RunTimeline::Range RunTimeline::steps(double from_us, double to_us, std::size_t most) const {
  return step_pyramid_.empty() ? Range{} : pick(step_pyramid_, from_us, to_us, most);
}

double RunTimeline::start_of(std::uint32_t token) const {
  const auto at = std::find(step_tokens_.begin(), step_tokens_.end(), token);
  return at == step_tokens_.end() ? -1 : steps_[static_cast<std::size_t>(at - step_tokens_.begin())].start_us;
}

}  // namespace app
