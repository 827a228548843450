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

// A GPU's step by its own clock when steps are queued one behind the other, so that the host's way to a launch is hidden:
// medians in microseconds; 0: not measured.
struct QueuedTime {
  double us = 0;                // as this process is, with CUPTI or without
  double without_cupti_us = 0;  // in a second process
};

nlohmann::ordered_json accounting_json(const ProfileResult& result, const CopyRate& copy,
                                       const QueuedTime& queued = {});
std::string accounting_text(const ProfileResult& result, const CopyRate& copy, const QueuedTime& queued = {});

// Microseconds of each kind of stage in both runs, and of what lies around the stages.
nlohmann::ordered_json eager_and_graph_json(const ProfileResult& eager, const ProfileResult& graph);
std::string eager_and_graph_text(const ProfileResult& eager, const ProfileResult& graph);

}  // namespace app
