// The part of `mambascope profile` that says where a token's wall time went and what bounds it, and the view of the same
// tokens stepped kernel by kernel and as one CUDA graph.
#pragma once

#include "app/commands/profile_report.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace app {

// `copy_bytes_per_second` is of the device that was timed, 0: not measured, and why.
struct CopyRate {
  double bytes_per_second = 0;
  std::string problem;
};

nlohmann::ordered_json accounting_json(const ProfileResult& result, const CopyRate& copy);
std::string accounting_text(const ProfileResult& result, const CopyRate& copy);

// Microseconds of each kind of stage in both runs, and of what lies around the stages.
nlohmann::ordered_json eager_and_graph_json(const ProfileResult& eager, const ProfileResult& graph);
std::string eager_and_graph_text(const ProfileResult& eager, const ProfileResult& graph);

}  // namespace app
