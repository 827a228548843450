// What `mambascope discretise` found, as text for people, as JSON and as CSV. Pure.
#pragma once

#include "engine/analysis/step_size_study.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace app {

struct DiscretiseResult {
  engine::SignalProblem problem;
  engine::StudyOptions options;
  double first = 0, last = 0;  // range of steps as asked for
  engine::StepSizeStudy study;
};

std::string discretise_text(const DiscretiseResult& result);
nlohmann::ordered_json discretise_json(const DiscretiseResult& result);
// One line for each step size and rule, with a header; what is not known or not finite is left empty.
std::string discretise_csv(const DiscretiseResult& result);

}  // namespace app
