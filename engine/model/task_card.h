// What a model's task.json says about its symbols and its task.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace engine {

// task.json beside a model; absent fields stay empty. kind "labels": the model labels every position, its class ids are
// 0..K-1.
struct TaskCard {
  std::string name;    // "parity"
  std::string task;    // the generator's name in engine/tasks, or empty
  std::string kind;    // "labels" or "next-token"
  bool bytes = false;  // "vocabulary": "bytes": a token id is a byte of the text, and there are no symbols
  std::vector<std::string> symbols;  // text of input id i
  std::vector<std::string> labels;   // text of class i, for kind "labels"
  std::vector<std::string> prompts;  // examples, written in symbols or as the text itself
  std::string description, origin, license;
  // Models of one family were trained alike and differ in the variant: "parity" and "Mamba-3", "no rotation", "Mamba-2".
  // Both or neither.
  std::string family, variant;
  std::vector<std::pair<int, double>> accuracy;  // (length, accuracy) as measured at training
  double bits_per_byte = -1;                     // of a next-token model on its held-out text; negative: not measured

  bool labels_positions() const { return kind == "labels"; }
  // Whether the card itself has a vocabulary to write a prompt in.
  bool takes_text() const { return bytes || !symbols.empty(); }
};

}  // namespace engine
