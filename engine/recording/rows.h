// One token's record as the rows of its fields, and back: the only place that knows which number of a record is which
// field's. Any thread.
#pragma once

#include "engine/recording/fields.h"
#include "engine/session/snapshot.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace engine {

// Writes the rows into a block of block_bytes(fields, token); what the record lacks, or has of another size, becomes
// zeros, and token.holds says so. `times` may be null.
void write_rows(const RecordingInfo& info, const std::vector<Field>& fields, std::int64_t token,
                const TokenRecord& record, const StepTimes* times, std::span<std::byte> block);

// The bytes of a field's row of one token; field.row_bytes of them.
using RowOf = std::function<std::span<const std::byte>(const Field& field)>;

// The record of a token whose rows are there.
std::shared_ptr<TokenRecord> read_rows(const RecordingInfo& info, const std::vector<Field>& fields, std::int64_t token,
                                       const RowOf& row);
StepTimes read_times(const std::vector<Field>& fields, const RowOf& row);

// What is wrong with the codes and ids of a token, to be followed by what to do; empty: nothing. Numbers may be anything:
// a model that went wrong leaves NaN.
std::string wrong_with(const RecordingInfo& info, const std::vector<Field>& fields, const RowOf& row);

}  // namespace engine
