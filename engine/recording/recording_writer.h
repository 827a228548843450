// Records tokens to a file: appends each to a journal beside it (journal.h) and makes the safetensors file at the end.
// Owned by one thread.
#pragma once

#include "engine/recording/journal.h"
#include "engine/recording/recording_info.h"
#include "engine/session/snapshot.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace engine {

// Called with the share that is done, in [0, 1]; false: stop.
using RecordingProgress = std::function<bool(double)>;

class RecordingWriter {
 public:
  // Makes FILE.part. `model` gives mimo_x. Errors: as JournalFile::create; system, when the head cannot be written.
  static Result<std::unique_ptr<RecordingWriter>> create(const std::string& path, const RecordingInfo& info,
                                                         const Model& model);
  // Removes a journal without a token; leaves any other that was not finished.
  ~RecordingWriter();
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;

  // The next token's record, and its times where they are recorded. When this returns, the token outlives the program.
  // Error (system): it could not be written; says what was kept, and where.
  Result<void> add(const TokenRecord& record, const StepTimes* times = nullptr);
  std::int64_t tokens() const { return tokens_; }
  std::uint64_t bytes() const { return journal_.bytes(); }
  // Makes FILE of FILE.part and removes that. Errors: as finish_journal.
  Result<void> finish(const RecordingProgress& progress = {});

 private:
  RecordingWriter(JournalFile journal, std::string path, const RecordingInfo& info);

  JournalFile journal_;
  std::string path_;
  RecordingInfo info_;
  std::vector<Field> fields_;
  std::vector<std::byte> block_;
  std::int64_t tokens_ = 0;
  bool finished_ = false;
};

// Writes the complete tokens of a journal as a safetensors file, first beside `path`, then in its place. The journal
// stays. Errors: as Recording::open; input, when another program is still writing it; system, when the file cannot be
// written (for want of space, for instance) or was stopped.
Result<void> finish_journal(const std::string& journal, const std::string& path, const RecordingProgress& progress);

}  // namespace engine
