// One measured piece of work, attributed to a stage by id. The profiler knows nothing else about the model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace profiler {

// What a piece of work was issued for. Packed into the 64-bit external correlation id of CUPTI.
struct Tag {
  std::uint16_t source = 0;  // which session of the program
  std::uint32_t token = 0;
  std::uint16_t stage = 0;

  std::uint64_t pack() const { return std::uint64_t{source} << 48 | std::uint64_t{token} << 16 | stage; }
  static Tag unpack(std::uint64_t bits) {
    return {static_cast<std::uint16_t>(bits >> 48), static_cast<std::uint32_t>(bits >> 16 & 0xffffffffU),
            static_cast<std::uint16_t>(bits & 0xffffU)};
  }
};

enum class WorkKind : std::uint8_t { kernel, memcpy, memset, cpu };

// Where a time comes from; times of different origin never share an unlabelled axis.
enum class TimeSource : std::uint8_t { none, cpu_clock, cupti };

// Device work of a step that belongs to no stage: the upload of the token ids, for example.
inline constexpr std::uint16_t between_stages = 0xffff;

// Work of a CUDA graph whose node is not known to belong to any stage.
inline constexpr std::uint16_t unknown_stage = 0xfffe;

struct StageTime {
  Tag tag;
  WorkKind kind = WorkKind::cpu;
  std::int64_t start_ns = 0;  // steady clock
  std::int64_t duration_ns = 0;
  std::uint32_t name = 0;  // interned kernel name; index into names(); 0: none
};

// All pieces of one token, and the step's wall time around them.
struct TokenTimes {
  TimeSource source = TimeSource::none;
  std::uint32_t token = 0;
  std::int64_t wall_start_ns = 0, wall_ns = 0;  // steady clock around the step, begin to finished
  std::vector<StageTime> stages;                // by start time
};

// How far the times can be trusted, for the trust strip.
struct ProfilerStatus {
  TimeSource source = TimeSource::none;
  int tier = 0;                // 0: clock only, 1: CUPTI activity, 2: counters
  bool available = false;      // CUPTI activity
  std::string reason, remedy;  // why not, and what to do
  std::string library, version;
  std::uint64_t records = 0;   // kernels, copies and sets seen
  std::uint64_t dropped = 0;   // by CUPTI, for want of buffers
  std::uint64_t invalid = 0;   // with zero or reversed times: skipped
  std::uint64_t untagged = 0;  // issued under no tag, inside or outside of steps
  std::uint64_t unattributed =
      0;  // ran inside a step under no tag, or in a graph without a stage: a stage's time lacks them
  std::int64_t clock_uncertainty_ns = 0;
  std::int64_t overhead_ns = 0;  // that CUPTI's own records give as its cost
};

}  // namespace profiler
