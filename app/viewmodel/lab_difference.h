// How far each rule's state is from the exact one over time, on a test signal: rule minus exact at the ends of the steps.
// Pure, no ImGui.
#pragma once

#include "app/viewmodel/laboratory.h"

#include <vector>

namespace app {

struct LabDifference {
  struct Rule {
    engine::RuleKind kind;
    std::vector<double> re, im, size;  // rule - exact, and its magnitude
  };
  std::vector<double> time;  // the study's
  std::vector<Rule> rules;   // those of the study
};
LabDifference make_lab_difference(const LabStudy& study);

}  // namespace app
