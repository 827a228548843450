// What `mambascope eval` does with a model that predicts next tokens: bits per byte on a text. A tokenizer's special tokens
// begin it; what they are given is no byte of it and does not count.
#pragma once

#include "app/commands/options.h"

#include <string>

namespace app {

struct EvalTextOptions {
  std::string file;  // empty: held_out.txt beside the model's config
  int length = 256;  // tokens predicted from a fresh state
  int batch = 32;
};

// Prints the result; returns the exit code. Errors (input): the model has neither bytes nor a tokenizer, no text or one too large.
int eval_text(const CommonOptions& common, const engine::Model& model, const EvalTextOptions& options);

}  // namespace app
