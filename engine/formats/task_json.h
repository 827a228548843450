// task.json beside a model: its symbols, its task, example prompts, and what the official layout cannot express.
#pragma once

#include "engine/base/result.h"
#include "engine/model/task_card.h"

#include <string>
#include <string_view>

namespace engine {

struct TaskFile {
  TaskCard card;
  double lambda_override = -1;  // {"override": {"lambda": 1}}; negative: none
};

// Fields: name, task, kind ("labels" or "next-token"), symbols or vocabulary ("bytes": a token id is a byte of UTF-8
// text; kind "next-token" with a vocabulary of 256), labels, prompts, description, origin, license,
// accuracy {"256": 0.999}, bits_per_byte (kind "next-token"), family and variant (both or neither, at most 64 bytes each),
// override {"lambda": 0..1}. Errors (input): not JSON, an unknown field, a wrong type, a symbol that is empty or there
// twice, a vocabulary that does not fit, more symbols or labels than the vocabulary, a model of the kind "labels" with fewer than two labels.
Result<TaskFile> parse_task(std::string_view text, const std::string& where, int vocab_size);

Result<TaskFile> read_task(const std::string& path, int vocab_size);

// The text of a task.json from which parse_task makes an equal one.
std::string task_text(const TaskFile& task);

}  // namespace engine
