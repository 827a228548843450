#include "app/viewmodel/roofline.h"

#include <algorithm>
#include <cmath>

namespace app {

namespace {

void add(Roofline& roofline, std::string name, int kind, const kernels::Cost& cost, double us) {
  if (cost.flops == 0 || cost.bytes() == 0 || !(us > 0)) return;
  RooflinePoint point;
  point.name = std::move(name);
  point.kind = kind;
  point.median_us = us;
  point.intensity = static_cast<double>(cost.flops) / static_cast<double>(cost.bytes());
  point.gflop_per_s = static_cast<double>(cost.flops) / us * 1e-3;
  point.gb_per_s = static_cast<double>(cost.bytes()) / us * 1e-3;
  if (roofline.copy_gb_per_s > 0) point.of_roof = point.gb_per_s / roofline.copy_gb_per_s;
  roofline.points.push_back(std::move(point));
}

}  // namespace

Roofline make_roofline(const std::vector<TimingTableRow>& kinds, double wall_us, double copy_bytes_per_second,
                       double peak_flops_per_second) {
  Roofline out;
  out.peak_gflop_per_s = peak_flops_per_second / 1e9;
  out.copy_gb_per_s = copy_bytes_per_second / 1e9;
  kernels::Cost total;
  for (const TimingTableRow& row : kinds) {
    add(out, row.group.name, row.group.kind, row.group.cost, row.median_us);
    total.bytes_read += row.group.cost.bytes_read;
    total.bytes_written += row.group.cost.bytes_written;
    total.flops += row.group.cost.flops;
  }
  add(out, "whole step", -1, total, wall_us);
  if (out.points.empty()) return out;
  double x_low = INFINITY, x_high = 0, y_low = INFINITY, y_high = 0;
  for (const RooflinePoint& point : out.points) {
    x_low = std::min(x_low, point.intensity);
    x_high = std::max(x_high, point.intensity);
    y_low = std::min(y_low, point.gflop_per_s);
    y_high = std::max(y_high, point.gflop_per_s);
    out.best_gb_per_s = std::max(out.best_gb_per_s, point.gb_per_s);
  }
  // Room around, and for the roof above the middle of the points.
  out.x_low = x_low / 2.5;
  out.x_high = x_high * 4;
  out.y_low = y_low / 2.5;
  out.y_high = std::max(y_high, out.copy_gb_per_s * std::sqrt(x_low * x_high)) * 3;
  // The whole roof, with its edge.
  if (out.peak_gflop_per_s > 0 && out.copy_gb_per_s > 0) {
    out.x_high = std::max(out.x_high, 4 * out.peak_gflop_per_s / out.copy_gb_per_s);
    out.y_high = std::max(out.y_high, 2 * out.peak_gflop_per_s);
  }
  return out;
}

void add_counted(Roofline& roofline, const StageCounters& counters, const std::vector<GroupCounters>& by_kind) {
  double flops = 0, bytes = 0;
  for (const GroupCounters& group : by_kind) {
    const double moved = group.memory_bytes(counters);
    if (!(moved > 0) || group.group.cost.flops == 0) continue;
    flops += static_cast<double>(group.group.cost.flops);
    bytes += moved;
    for (RooflinePoint& point : roofline.points) {
      if (point.kind != group.group.kind) continue;
      point.counted_intensity = static_cast<double>(group.group.cost.flops) / moved;
      roofline.x_low = std::min(roofline.x_low, point.counted_intensity / 1.5);
      roofline.x_high = std::max(roofline.x_high, point.counted_intensity * 1.5);
    }
  }
  for (RooflinePoint& point : roofline.points)
    if (point.kind < 0 && bytes > 0) point.counted_intensity = flops / bytes;
}

}  // namespace app
