#include "engine/backend/cpu_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

namespace engine {
namespace {

// A stage that moves less than this takes about as long as waking another thread's cache lines: it is not divided.
constexpr std::uint64_t bytes_per_chunk = std::uint64_t{48} << 10;
constexpr std::uint64_t chunks_per_thread = 4;  // so that a thread that was held up leaves its share to others

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos && line.rfind("model name", 0) == 0) return line.substr(colon + 2);
  }
  return "CPU";
}

int count_threads(int asked) {
  return std::clamp(asked > 0 ? asked : static_cast<int>(std::thread::hardware_concurrency()), 1, 256);
}

}  // namespace

CpuBackend::CpuBackend(const Weights& weights, int batch, int threads, const kernels::cpu::Table* table, bool errors)
    : HostBackend(weights, batch, errors),
      table_(table != nullptr ? *table : *kernels::cpu::tables().front()),
      pool_(count_threads(threads)) {
  info_.name = "cpu";
  info_.threads = pool_.threads();
  info_.device = fmt::format("{}, {} thread{}, {}", processor_name(), pool_.threads(), pool_.threads() == 1 ? "" : "s",
                             table_.name);
  info_.detail = "fp32 arithmetic; weights are read in their stored type.";
}

template <class Args>
void CpuBackend::divide(const Stage& stage, void (*kernel)(const Args&, int, int), const Args& args) {
  const int items = kernels::cpu::items(args);
  const std::uint64_t worth = stage.cost.bytes() / bytes_per_chunk;
  const int chunks = static_cast<int>(std::min(worth, chunks_per_thread * static_cast<std::uint64_t>(pool_.threads())));
  pool_.run(items, chunks, [&](int begin, int end) { kernel(args, begin, end); });
}

void CpuBackend::run(const Stage& stage) {
  switch (stage.kind) {
    case StageKind::embed:
      return divide(stage, table_.embedding, arguments_.embedding());
    case StageKind::norm:
    case StageKind::mlp_norm:
    case StageKind::final_norm:
      return divide(stage, table_.norm, arguments_.norm(stage));
    case StageKind::in_proj:
    case StageKind::out_proj:
    case StageKind::mlp_up:
    case StageKind::mlp_down:
    case StageKind::head:
      return divide(stage, table_.projection, arguments_.projection(stage));
    case StageKind::coefficients:
      return kernels::cpu::coefficients(arguments_.coefficients(stage));
    case StageKind::rotate:
      return divide(stage, table_.rotate, arguments_.rotate(stage));
    case StageKind::state_update:
      return divide(stage, table_.state_update, arguments_.state_update(stage));
    case StageKind::readout:
      return divide(stage, table_.readout, arguments_.readout(stage));
    case StageKind::errors:
      for (std::size_t l = 0; l < buffers_.layers.size(); ++l) {
        divide(stage, kernels::cpu::discretisation_errors, arguments_.errors(l));
      }
      return;
    case StageKind::mixer:  // in no plan of this backend
    case StageKind::sample:
      break;
    case StageKind::mimo_mix:
      return divide(stage, table_.mimo_mix, arguments_.mimo_mix(stage));
  }
}

}  // namespace engine
