// A small profile with known times: an embedding, `layers` layers of in_proj, mixer and out_proj, and a head.
#pragma once

#include "app/wiring/profile_result.h"

#include <cstdint>
#include <memory>

namespace tests {

// Stage `id` takes 1000 (id + 1) ns, plus 10 ns times (token mod 5); the wall time has 500 ns more than the stages. Token 17
// takes ten times as long. Tokens are numbered from 8 on.
inline app::ProfileResult example_profile(int layers, int tokens) {
  app::ProfileResult profile;
  profile.model = "example";
  profile.program = "mambascope test";
  profile.recorded_at = "2026-11-23T11:20:00Z";
  profile.weights = "bf16";
  profile.config.n_layer = layers;
  profile.backend.name = "cuda";
  profile.backend.device = "a GPU";
  profile.backend.is_gpu = true;
  profile.plan.variant = "fused";
  profile.status.source = profiler::TimeSource::cupti;
  profile.status.tier = 1;
  profile.status.available = true;
  profile.copy_bytes_per_second = 2e12;
  profile.names = {"", "a kernel"};
  const auto add = [&](int layer, engine::StageKind kind, std::uint64_t bytes, std::uint64_t flops) {
    engine::Stage stage;
    stage.id = static_cast<int>(profile.plan.stages.size());
    stage.layer = layer;
    stage.kind = kind;
    stage.cost = {bytes, 0, flops};
    profile.plan.stages.push_back(stage);
  };
  add(-1, engine::StageKind::embed, 1000, 0);
  for (int layer = 0; layer < layers; ++layer) {
    add(layer, engine::StageKind::in_proj, 1'000'000, 1'000'000);
    add(layer, engine::StageKind::mixer, 500'000, 2'000'000);
    add(layer, engine::StageKind::out_proj, 200'000, 200'000);
  }
  add(-1, engine::StageKind::head, 4'000'000, 4'000'000);
  std::int64_t now = 0;
  for (int i = 0; i < tokens; ++i) {
    auto token = std::make_shared<profiler::TokenTimes>();
    token->source = profiler::TimeSource::cupti;
    token->token = static_cast<std::uint32_t>(i + 8);
    token->wall_start_ns = now;
    for (const engine::Stage& stage : profile.plan.stages) {
      profiler::StageTime piece;
      piece.tag = {0, token->token, static_cast<std::uint16_t>(stage.id)};
      piece.kind = profiler::WorkKind::kernel;
      piece.name = 1;
      piece.start_ns = now;
      piece.duration_ns = (1000 * (stage.id + 1) + 10 * (i % 5)) * (token->token == 17 ? 10 : 1);
      now += piece.duration_ns;
      token->stages.push_back(piece);
    }
    now += 500;
    token->wall_ns = now - token->wall_start_ns;
    profile.tokens.push_back(std::move(token));
  }
  return profile;
}

}  // namespace tests
