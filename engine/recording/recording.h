// A recording that was opened: a finished safetensors file or the journal that an interrupted one left. Values stay where
// the file is mapped; a token is read when it is asked for. Immutable; any thread.
#pragma once

#include "engine/base/result.h"
#include "engine/recording/fields.h"
#include "engine/session/snapshot.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace engine {

class Recording {
 public:
  // Errors (input): it cannot be opened, or what is wrong with it. A file that was cut off opens up to its last complete
  // token: of a journal any, of a finished file one whose end is missing within the last tensor, the matrix states.
  static Result<std::shared_ptr<const Recording>> open(const std::string& path);
  // The same on bytes in memory, which must outlive the result; `where` names them in errors.
  static Result<std::shared_ptr<const Recording>> parse(std::span<const std::byte> file, const std::string& where);

  const RecordingInfo& info() const { return info_; }
  const std::vector<Field>& fields() const { return fields_; }
  std::int64_t tokens() const { return tokens_; }  // at least 1
  std::uint64_t file_bytes() const { return file_bytes_; }
  // Why there may have been more: a sentence; empty: the recording is whole.
  const std::string& cut_words() const { return cut_words_; }

  // Error (input): the file became shorter since it was opened; what is read of it now may be zeros.
  Result<void> check() const { return check_whole(files_); }

  std::shared_ptr<const TokenRecord> token(std::int64_t i) const;
  StepTimes times(std::int64_t i) const;  // empty without times
  std::int32_t id(std::int64_t i) const;
  // The row of a field that has one at this token (Field::has).
  std::span<const std::byte> row(const Field& field, std::int64_t token) const;
  // A model with the recorded shape, card and mimo_x, and without weights: for views, never for stepping.
  std::shared_ptr<const Model> model() const { return model_; }

 private:
  Recording() = default;
  static Result<std::shared_ptr<const Recording>> parse_file(std::span<const std::byte> file, const std::string& where);
  std::string check_tokens() const;
  // What turned its pairs in the step of this token, for StepCoefficients::pairs.
  std::shared_ptr<const std::vector<kernels::PairChange>> pairs_at(std::int64_t token) const;
  void make_model(std::span<const std::byte> mimo_x);

  RecordingInfo info_;
  std::vector<Field> fields_;
  std::vector<std::span<const std::byte>> columns_;  // of a file: by field, all its rows; of a journal: its blocks only
  bool journal_ = false;
  std::int64_t tokens_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::string cut_words_;
  std::shared_ptr<const Model> model_;
  MappedFiles files_;
  // Of the token that was asked for last: neighbours mostly have the same.
  struct KeptPairs {
    std::mutex mutex;
    std::vector<Intervention> active;
    std::shared_ptr<const std::vector<kernels::PairChange>> pairs;
  };
  std::shared_ptr<KeptPairs> kept_ = std::make_shared<KeptPairs>();
};

// Whether a file is a recording, by what it says of itself; anything that cannot be read is none.
bool is_recording_file(const std::string& path);

}  // namespace engine
