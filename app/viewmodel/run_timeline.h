// All tokens of a measurement on one axis, drawn at the detail that pixels can show: above the pieces lies a pyramid, each of
// whose blocks joins some below it, so that a frame asks for as many blocks as there are pixels, whether it shows one kernel or
// a million. Pure; times in microseconds from the first step's start.
#pragma once

#include "engine/plan/step_plan.h"
#include "profiler/report/statistics.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace app {

struct RunBlock {
  double start_us = 0, end_us = 0;
  double busy_us = 0;                              // of its pieces, added up
  std::uint32_t first = 0;                         // its first piece; of the lowest level: the piece itself
  std::uint16_t stage = profiler::between_stages;  // of the longest piece in it
  std::int16_t kind = -1;                          // of that stage; -1: of no stage
};

struct RunPiece {
  std::uint32_t token = 0, name = 0;
};

class RunTimeline {
 public:
  RunTimeline() = default;
  // `goes_on` is told what share is done, now and then; where it answers no, what was made is empty.
  RunTimeline(
      const engine::StepPlan& plan, profiler::Tokens tokens,
      const std::function<bool(double)>& goes_on = [](double) { return true; });

  bool empty() const { return lanes_.empty(); }
  double end_us() const { return end_us_; }
  std::size_t pieces() const { return pieces_.size(); }
  // Pieces that run at once lie in different lanes.
  std::size_t lanes() const { return lanes_.size(); }
  std::size_t tokens() const { return steps_.size(); }

  // Blocks of a lane that touch [from, to], at the finest level that needs no more than about `most` of them.
  struct Range {
    const RunBlock* begin = nullptr;
    const RunBlock* end = nullptr;
    bool pieces = false;  // each is one piece
  };
  Range blocks(std::size_t lane, double from_us, double to_us, std::size_t most) const;
  // The steps likewise; `stage` of a block of one step is not used, `first` is its place among the tokens.
  Range steps(double from_us, double to_us, std::size_t most) const;
  const RunPiece& piece(const RunBlock& block) const { return pieces_[block.first]; }
  std::uint32_t token(const RunBlock& step) const { return step_tokens_[step.first]; }
  // From the origin of this axis to the start of a token's step; negative: it is not there.
  double start_of(std::uint32_t token) const;

 private:
  using Level = std::vector<RunBlock>;
  using Pyramid = std::vector<Level>;  // the finest first
  static void build(Pyramid& pyramid);
  static Range pick(const Pyramid& pyramid, double from_us, double to_us, std::size_t most);

  std::vector<Pyramid> lanes_;
  Pyramid step_pyramid_;
  std::vector<RunBlock> steps_;
  std::vector<RunPiece> pieces_;
  std::vector<std::uint32_t> step_tokens_;
  double end_us_ = 0;
};

}  // namespace app
