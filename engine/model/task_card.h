// What a model's task.json says about its symbols and its task.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace engine {

// task.json beside a model; absent fields stay empty. kind "labels": the model labels every position, its class ids are
// 0..K-1.
struct TaskCard {
  std::string name;                  // "parity"
  std::string task;                  // the generator's name in engine/tasks, or empty
  std::string kind;                  // "labels" or "next-token"
  std::vector<std::string> symbols;  // text of input id i
  std::vector<std::string> labels;   // text of class i, for kind "labels"
  std::vector<std::string> prompts;  // examples, written in symbols
  std::string description, origin, license;
  std::vector<std::pair<int, double>> accuracy;  // (length, accuracy) as measured at training

  bool labels_positions() const { return kind == "labels"; }
};

}  // namespace engine
