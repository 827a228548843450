#include "engine/recording/recording_writer.h"

#include "engine/base/quote.h"
#include "engine/recording/recording.h"
#include "engine/recording/rows.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace engine {

namespace {

using nlohmann::ordered_json;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

// As many values as the file has room for, whatever the model holds of them.
std::vector<float> mimo_of(const RecordingInfo& info, const Model& model) {
  std::size_t count = 1;
  for (const std::int64_t size : mimo_shape(info)) count *= static_cast<std::size_t>(size);
  std::vector<float> out;
  for (const LayerWeights& layer : model.weights.layers)
    out.insert(out.end(), layer.mimo_x.begin(), layer.mimo_x.end());
  out.resize(count);
  return out;
}

// The header of the finished file: tensors in the order in which their bytes follow.
std::string header_of(const Recording& recording) {
  const RecordingInfo& info = recording.info();
  ordered_json table = ordered_json::object();
  table["__metadata__"] = metadata_of(info, recording.fields());
  std::uint64_t at = 0;
  const auto add = [&](const char* name, TensorType type, const std::vector<std::int64_t>& shape) {
    std::uint64_t bytes = size_of(type);
    for (const std::int64_t size : shape) bytes *= static_cast<std::uint64_t>(size);
    table[name] = {{"dtype", name_of(type)}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  };
  for (const Field& field : recording.fields()) {
    // mimo_x lies before the last tensor, so that a cut in that one costs tokens only.
    if (&field == &recording.fields().back() && info.config.is_mimo) add(mimo_name, TensorType::f32, mimo_shape(info));
    std::vector<std::int64_t> shape = {field.rows(recording.tokens())};
    shape.insert(shape.end(), field.row.begin(), field.row.end());
    add(field.name, field.type, shape);
  }
  std::string header = table.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

enum class Written { all, not_all, stopped };

Written write_tensors(const Recording& recording, std::FILE* file, const RecordingProgress& progress) {
  const auto put = [&](const void* data, std::size_t size) {
    return size == 0 || std::fwrite(data, 1, size, file) == size;
  };
  const std::string header = header_of(recording);
  const std::uint64_t length = header.size();
  if (!put(&length, sizeof(length)) || !put(header.data(), header.size())) return Written::not_all;
  const std::uint64_t all = blocks_bytes(recording.fields(), recording.tokens());
  std::uint64_t done = 0;
  for (const Field& field : recording.fields()) {
    if (&field == &recording.fields().back()) {
      for (const LayerWeights& layer : recording.model()->weights.layers)
        if (!put(layer.mimo_x.data(), layer.mimo_x.size() * sizeof(float))) return Written::not_all;
    }
    for (std::int64_t token = 0; token < recording.tokens(); token += field.every) {
      const auto row = recording.row(field, token);
      if (!put(row.data(), row.size())) return Written::not_all;
      done += row.size();
      if (progress && !progress(static_cast<double>(done) / static_cast<double>(all))) return Written::stopped;
    }
  }
  return std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0 ? Written::all : Written::not_all;
}

Result<void> write_file(const std::string& journal, const std::string& path, const RecordingProgress& progress) {
  const auto recording = Recording::open(journal);
  if (!recording) return tl::unexpected(recording.error());
  const std::string temporary = fmt::format("{}.new-{}", path, ::getpid());
  OpenFile file(std::fopen(temporary.c_str(), "wbxe"));
  Written written = file ? write_tensors(**recording, file.get(), progress) : Written::not_all;
  std::string why = std::strerror(errno);
  // What the system could not write before may be said only now.
  if (file && std::fclose(file.release()) != 0 && written == Written::all) {
    why = std::strerror(errno);
    written = Written::not_all;
  }
  if (written == Written::all && std::rename(temporary.c_str(), path.c_str()) == 0) return {};
  if (written == Written::all) why = std::strerror(errno);
  std::remove(temporary.c_str());
  if (written == Written::stopped) why = "it was stopped";
  return system_error(fmt::format(
      "Cannot write {}: {}. All {} tokens are in {}; when there is room for them again, "
      "`mambascope record --recover {} -o {}` writes the file.",
      in_quotes(path), why, (*recording)->tokens(), in_quotes(journal), printable(journal), printable(path)));
}

}  // namespace

Result<void> finish_journal(const std::string& journal, const std::string& path, const RecordingProgress& progress) {
  if (is_being_written(journal))
    return input_error(
        fmt::format("{} is being written by another program now: the recording goes on there. Wait until it ends; "
                    "recover only what was cut off.",
                    in_quotes(journal)));
  return write_file(journal, path, progress);
}

RecordingWriter::RecordingWriter(JournalFile journal, std::string path, const RecordingInfo& info)
    : journal_(std::move(journal)), path_(std::move(path)), info_(info), fields_(fields_of(info)) {}

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::create(const std::string& path, const RecordingInfo& info,
                                                                 const Model& model) {
  auto journal = JournalFile::create(path + journal_ending);
  if (!journal) return tl::unexpected(journal.error());
  std::unique_ptr<RecordingWriter> out(new RecordingWriter(std::move(*journal), path, info));
  if (auto head = out->journal_.append_head(info, out->fields_, mimo_of(info, model)); !head) {
    return system_error(head.error().message + " Free some space, or record elsewhere.");
  }
  return out;
}

RecordingWriter::~RecordingWriter() {
  if (!finished_ && tokens_ == 0) std::remove(journal_.path().c_str());
}

Result<void> RecordingWriter::add(const TokenRecord& record, const StepTimes* times) {
  block_.resize(block_head + block_bytes(fields_, tokens_));
  write_rows(info_, fields_, tokens_, record, times, std::span(block_).subspan(block_head));
  if (auto appended = journal_.append_block(tokens_, block_); !appended) {
    return system_error(fmt::format("{} {}", appended.error().message,
                                    tokens_ == 0 ? "Free some space, or record elsewhere."
                                                 : fmt::format("The {} tokens before are kept there: free some space, "
                                                               "then `mambascope record --recover {} -o {}`.",
                                                               tokens_, printable(journal_.path()), printable(path_))));
  }
  ++tokens_;
  return {};
}

Result<void> RecordingWriter::finish(const RecordingProgress& progress) {
  if (tokens_ == 0) return input_error("There is nothing to record: no token was consumed.");
  if (auto written = write_file(journal_.path(), path_, progress); !written) return written;
  finished_ = true;
  std::remove(journal_.path().c_str());
  return {};
}

}  // namespace engine
