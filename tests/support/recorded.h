// Recordings of made-up snapshots for tests.
#pragma once

#include "engine/recording/recording.h"
#include "engine/recording/recording_writer.h"
#include "tests/support/fake_snapshot.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>

namespace tests {

inline engine::RecordingInfo info_of(const engine::Snapshot& snapshot) {
  engine::StepPlan plan;  // a made-up snapshot has none
  plan.stages = {{0, -1, engine::StageKind::embed, {}}, {1, 0, engine::StageKind::mixer, {}}};
  engine::RecordingInfo info =
      engine::describe_recording(*snapshot.model, snapshot.backend, plan, "mambascope test", "2026-11-23T12:00:00Z");
  info.backend.device = "a test's machine";
  return info;
}

// Appends all tokens of the snapshot; finishes unless `keep_journal`.
inline void write_recording(const engine::Snapshot& snapshot, const engine::RecordingInfo& info,
                            const std::string& path, bool keep_journal = false) {
  auto writer = engine::RecordingWriter::create(path, info, *snapshot.model);
  REQUIRE(writer.has_value());
  for (const auto& record : snapshot.tokens) REQUIRE((*writer)->add(*record).has_value());
  if (keep_journal) return;
  const auto finished = (*writer)->finish();
  if (!finished) FAIL(finished.error().message);
}

}  // namespace tests
