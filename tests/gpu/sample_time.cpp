// Prints how long drawing the next ids takes on the GPU, for logits in L2: a hundred draws in one CUDA graph, the median of
// several. Not a test: it judges nothing.
#include "engine/backend/cuda_backend.h"
#include "engine/base/random.h"
#include "engine/sampling/sampler.h"
#include "kernels/device/buffer.h"
#include "kernels/device/graph.h"
#include "kernels/device/stream.h"
#include "kernels/sample/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

namespace {

using kernels::DeviceResult;

constexpr int vocab = 128256;
constexpr int draws = 100, samples = 21;

// Near normal. A deviation of 0 is the worst case: all ids share a bin until their ids divide them.
std::vector<float> logits_of(std::size_t count, double deviation) {
  engine::Random random(1);
  std::vector<float> logits(count);
  for (float& logit : logits) {
    const double sum = random.uniform() + random.uniform() + random.uniform() + random.uniform();
    logit = static_cast<float>(deviation * 1.7320508 * (sum - 2));
  }
  return logits;
}

DeviceResult<double> microseconds_of(const engine::Sampler& sampler, int batch, double deviation) {
  const std::vector<float> logits =
      logits_of(static_cast<std::size_t>(vocab) * static_cast<std::size_t>(batch), deviation);
  auto stream = kernels::Stream::create();
  if (!stream) return tl::unexpected(stream.error());
  kernels::Layout layout;
  const std::size_t rows = layout.add(4 * logits.size());
  const std::size_t cursors = layout.add(sizeof(kernels::SampleCursor) * static_cast<std::size_t>(batch));
  const std::size_t ids = layout.add(4 * static_cast<std::size_t>(batch));
  const std::size_t drawn = layout.add(std::size_t{4} * draws * static_cast<std::size_t>(batch));
  auto memory = kernels::DeviceBuffer::allocate(layout.bytes(), "logits to draw from");
  if (!memory) return tl::unexpected(memory.error());
  kernels::SampleArgs args;
  args.batch = batch;
  args.vocab = vocab;
  args.stride = vocab;
  args.logits = memory->at<float>(rows);
  args.rule = engine::draw_rule(sampler);
  args.cursors = memory->at<kernels::SampleCursor>(cursors);
  args.ids = memory->at<std::int32_t>(ids);
  args.drawn = memory->at<std::int32_t>(drawn);
  auto ready = stream->copy_to_device(memory->at(rows), logits.data(), 4 * logits.size()).and_then([&] {
    return stream->synchronize();
  });
  if (!ready) return tl::unexpected(ready.error());
  auto graph = kernels::Graph::record(*stream, [&] {
    DeviceResult<void> done;
    for (int i = 0; done && i < draws; ++i) {
      done = kernels::check_cuda(kernels::device::sample(args, {stream->handle(), false, true, 132}), "launch");
    }
    return done;
  });
  if (!graph) return tl::unexpected(graph.error());
  auto start = kernels::Event::create(), end = kernels::Event::create();
  if (!start || !end) return tl::unexpected(!start ? start.error() : end.error());
  std::vector<double> taken;
  for (int i = 0; i < samples; ++i) {
    auto ran = stream->fill_zero(memory->at(cursors), sizeof(kernels::SampleCursor) * static_cast<std::size_t>(batch))
                   .and_then([&] { return start->record(*stream); })
                   .and_then([&] { return graph->launch(*stream); })
                   .and_then([&] { return end->record(*stream); })
                   .and_then([&] { return stream->synchronize(); });
    if (!ran) return tl::unexpected(ran.error());
    const auto ms = end->milliseconds_since(*start);
    if (!ms) return tl::unexpected(ms.error());
    taken.push_back(1e3 * static_cast<double>(*ms) / draws);
  }
  std::sort(taken.begin(), taken.end());
  return taken[taken.size() / 2];
}

}  // namespace

int main() {
  if (const std::string reason = engine::why_no_cuda(); !reason.empty()) {
    std::fprintf(stderr, "%s\n", reason.c_str());
    return 3;
  }
  const std::vector<std::pair<const char*, engine::Sampler::Kind>> kinds = {
      {"greedy", engine::Sampler::Kind::greedy},
      {"temperature", engine::Sampler::Kind::temperature},
      {"top-k 40", engine::Sampler::Kind::top_k},
      {"top-p 0.95", engine::Sampler::Kind::top_p}};
  fmt::print("Drawing from {} logits, us\n{:>6} {:>10}", vocab, "batch", "deviation");
  for (const auto& [name, kind] : kinds) fmt::print(" {:>12}", name);
  fmt::print("\n");
  for (const int batch : {1, 8, 32, 128}) {
    for (const double deviation : {0.0, 0.5, 3.0}) {
      fmt::print("{:>6} {:>10}", batch, deviation);
      for (const auto& [name, kind] : kinds) {
        engine::Sampler sampler;
        sampler.kind = kind;
        const auto taken = microseconds_of(sampler, batch, deviation);
        if (!taken) {
          std::fprintf(stderr, "%s: %s\n", name, taken.error().message.c_str());
          return 3;
        }
        fmt::print(" {:>12.2f}", *taken);
      }
      fmt::print("\n");
    }
  }
  return 0;
}
