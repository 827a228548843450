#include "engine/verify/residual_watch.h"

#include <algorithm>

namespace engine {

ResidualWatch::ResidualWatch(ResidualAccess& backend, const ModelConfig& config, ParityValues& out,
                             const ParityValues* instead)
    : backend_(backend), out_(out), instead_(instead), width_(static_cast<std::size_t>(config.d_model)), held_(width_) {
  out_.residual.assign(ParityValues::points(config) * width_, 0.0F);
  out_.added = out_.residual;
}

void ResidualWatch::after(const Stage& stage) {
  const bool of_mixer = stage.kind == StageKind::out_proj, of_mlp = stage.kind == StageKind::mlp_down;
  if (!done_ || (stage.kind != StageKind::embed && !of_mixer && !of_mlp)) return;
  const std::size_t point = of_mixer ? 1 + 2 * static_cast<std::size_t>(stage.layer)
                            : of_mlp ? 2 + 2 * static_cast<std::size_t>(stage.layer)
                                     : 0;
  const auto now = std::span(out_.residual).subspan(point * width_, width_);
  if (done_ = backend_.read_residual(0, now); !done_) return;
  for (std::size_t i = 0; i < width_; ++i) out_.added[point * width_ + i] = now[i] - held_[i];
  if (instead_ == nullptr) {
    std::copy(now.begin(), now.end(), held_.begin());
    return;
  }
  const auto other = std::span(instead_->residual).subspan(point * width_, width_);
  std::copy(other.begin(), other.end(), held_.begin());
  done_ = backend_.write_residual(0, other);
}

}  // namespace engine
