// The table's finest level: a row for each piece of work of each measured token, sorted and filtered as the user asks. There
// may be a million of them: made behind the window, and a frame looks at the rows that it draws. Pure; times in nanoseconds.
#pragma once

#include "engine/plan/step_plan.h"
#include "profiler/report/statistics.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace app {

enum class RecordColumn { stage, token, layer, start, time, bytes, adds };

// What the rows are wanted as. Equal ones keep the order in which they ran.
struct RecordOrder {
  std::string filter;  // words of the stage's full name in any case, and "token N", which is that token alone
  int column = -1;     // RecordColumn; -1: as they ran
  bool descending = true;
  bool operator==(const RecordOrder&) const = default;
};

struct RecordRow {
  std::uint32_t token = 0, piece = 0;  // places among the tokens and in the token's stages
  std::int64_t adds_ns = 0;  // by how much it lengthens the token's work: from the end of all before it to its own
};

struct RecordRows {
  std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens;
  std::vector<int> pieces_of_stage;  // by stage id, the most in one token: bytes of the plan belong to all of them
  std::vector<RecordRow> rows;
  std::size_t records = 0;  // before the filter

  const profiler::TokenTimes& token(const RecordRow& row) const { return *tokens[row.token]; }
  const profiler::StageTime& piece(const RecordRow& row) const { return token(row).stages[row.piece]; }
  // From the token's first piece of work.
  std::int64_t start_ns(const RecordRow& row) const { return piece(row).start_ns - token(row).stages.front().start_ns; }
  // Of the stage, where this piece is all of it; 0: of several pieces, or of no stage.
  std::uint64_t bytes(const engine::StepPlan& plan, const RecordRow& row) const;
};

// Told to stop, what it returns says nothing.
RecordRows make_record_rows(const engine::StepPlan& plan, profiler::Tokens tokens, const RecordOrder& order,
                            const profiler::GoesOn& goes_on = {});

// "mixer of layer 3"; of a piece that belongs to no stage, what is known of it.
std::string record_name(const engine::StepPlan& plan, std::uint16_t stage);

}  // namespace app
