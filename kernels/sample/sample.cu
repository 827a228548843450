// One id a sequence. Eight blocks (a cluster) share a row of logits: warps take neighbouring pieces of it, so that the
// order of ids is that of blocks, warps and lanes. The row is read from L2 once and from L1 in the passes behind: the
// best; the sums of masses by logit, coarse and then finer, until the last candidate stands alone in its bin; the
// candidates' masses by warp; and the one warp that the drawn number falls into.
#include "kernels/fused/launch.cuh"
#include "kernels/sample/buckets.h"
#include "kernels/sample/histogram.cuh"
#include "kernels/sample/sample.h"

namespace kernels::device {

namespace {

constexpr int block_size = 1024;
constexpr int warp_count = block_size / warp_size;
constexpr int cluster_blocks = 8;
constexpr int least_for_cluster = 4096;  // below, a block alone is done sooner than a cluster has met
static_assert(bucket_count == bins);

// The piece of a row that this warp looks at.
struct Piece {
  const float* logits;
  const float* rest;
  int first, end;

  __device__ Piece(const SampleArgs& args, int sequence, int warp_of_all, int all_warps) {
    logits = args.logits + static_cast<std::size_t>(sequence) * args.stride;
    rest = args.rest == nullptr ? nullptr : args.rest + static_cast<std::size_t>(sequence) * args.stride;
    const int share = (args.vocab + all_warps * warp_size - 1) / (all_warps * warp_size) * warp_size;
    first = min(args.vocab, warp_of_all * share);
    end = min(args.vocab, first + share);
  }

  __device__ __forceinline__ float operator[](int id) const {
    return rest == nullptr ? __ldg(logits + id) : __ldg(logits + id) + __ldg(rest + id);
  }

  template <class Use>
  __device__ __forceinline__ void each(const Use& use) const {
#pragma unroll 4
    for (int id = first + static_cast<int>(threadIdx.x % warp_size); id < end; id += warp_size) use(id, (*this)[id]);
  }
};

// What is known of a row after its first pass.
struct Row {
  float best;
  double scale;
  int id_bits;

  __device__ __forceinline__ double exponent(float logit) const { return exponent_of(logit, best, scale); }
};

struct Shared {
  Histogram histogram;
  std::uint64_t warps[warp_count];
  std::uint64_t block;  // what the other blocks read
};

template <int blocks>
__device__ std::uint64_t best_rank(Shared& shared, const Piece& piece, int id_bits) {
  std::uint64_t best = 0;
  piece.each([&](int id, float logit) {
    const std::uint64_t rank = rank_of(logit, id, id_bits);
    best = best > rank ? best : rank;
  });
  best = max_lanes(best);
  const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
  if (lane == 0) shared.warps[warp] = best;
  __syncthreads();
  if (warp == 0) {
    best = max_lanes(shared.warps[lane]);
    if (lane == 0) shared.block = best;
  }
  meet<blocks>();
  for (int b = 0; b < blocks; ++b) {
    const std::uint64_t other = *seen_from<blocks>(&shared.block, b);
    best = b == 0 || other > best ? other : best;
  }
  meet<blocks>();
  return best;
}

template <int blocks>
__device__ Candidates find_candidates(Histogram& histogram, const Piece& piece, const Row& row, const DrawRule& rule,
                                      int block) {
  const bool by_count = rule.kind == DrawRule::Kind::top_count;
  Candidates found;
  histogram.clear();
  piece.each([&](int, float logit) {
    const double exponent = row.exponent(logit);
    const std::uint64_t mass = mass_of(exponent);
    if (mass != 0) histogram.add(static_cast<int>(bucket_of(exponent)), by_count ? 1 : mass);
  });
  const std::uint64_t total = histogram.add_up<blocks>(block);
  std::uint64_t goal = by_count ? static_cast<std::uint64_t>(rule.count) : mass_to_reach(rule.share, total);
  if (goal > total) {
    meet<blocks>();
    return found;
  }
  histogram.find<blocks>(goal);
  goal -= histogram.before;
  found.bucket = static_cast<unsigned>(histogram.bin);

  RankRange range = ranks_of_bucket(found.bucket, row.best, row.scale, row.id_bits);
  do {
    range.divide();
    histogram.clear();
    piece.each([&](int id, float logit) {
      const double exponent = row.exponent(logit);
      const std::uint64_t mass = mass_of(exponent);
      if (mass == 0 || bucket_of(exponent) != found.bucket) return;
      const std::uint64_t rank = rank_of(logit, id, row.id_bits);
      if (range.has(rank)) histogram.add(range.bin_of(rank), by_count ? 1 : mass);
    });
    histogram.add_up<blocks>(block);
    histogram.find<blocks>(goal);
    goal -= histogram.before;
    range.narrow(histogram.bin);
  } while (range.shift > 0 && histogram.count > 1);
  found.lowest = range.lowest;
  return found;
}

template <int blocks>
__global__ void __launch_bounds__(block_size) sample_kernel(const SampleArgs args) {
  __shared__ Shared shared;
  const int block = blocks == 1 ? 0 : static_cast<int>(blockIdx.x);
  const int sequence = static_cast<int>(blockIdx.y);
  const int lane = static_cast<int>(threadIdx.x) % warp_size, warp = static_cast<int>(threadIdx.x) / warp_size;
  SampleCursor& cursor = args.cursors[sequence];
  const SampleCursor at = cursor;  // every block reads it before any of them is through
  const Piece piece(args, sequence, block * warp_count + warp, blocks * warp_count);
  const auto write = [&](std::int32_t id) {
    args.ids[sequence] = id;
    args.drawn[at.draw * static_cast<std::size_t>(args.batch) + static_cast<std::size_t>(sequence)] = id;
    cursor = {at.position + 1, at.draw + 1};
  };

  Row row;
  row.id_bits = id_bits_of(args.vocab);
  row.scale = args.rule.scale;
  const std::uint64_t best = best_rank<blocks>(shared, piece, row.id_bits);
  row.best = logit_of(static_cast<std::uint32_t>(best >> row.id_bits));
  if (args.rule.kind == DrawRule::Kind::best || !is_finite(row.best)) {
    if (block == 0 && threadIdx.x == 0) write(id_of_rank(best, row.id_bits));
    return;
  }

  Candidates candidates;
  if (args.rule.kind != DrawRule::Kind::all) {
    candidates = find_candidates<blocks>(shared.histogram, piece, row, args.rule, block);
  }
  const auto candidate_mass = [&](int id, float logit) -> std::uint64_t {
    const double exponent = row.exponent(logit);
    const std::uint64_t mass = mass_of(exponent);
    if (mass == 0 || candidates.bucket == Candidates::all) return mass;
    return candidates.have(bucket_of(exponent), rank_of(logit, id, row.id_bits)) ? mass : 0;
  };

  std::uint64_t mine = 0;
  piece.each([&](int id, float logit) { mine += candidate_mass(id, logit); });
  const std::uint64_t upto = running_sum_block(mine, shared.warps);
  if (threadIdx.x == block_size - 1) shared.block = upto;
  // The sum up to the end of this warp, and of this warp's own lanes.
  const std::uint64_t warp_end = __shfl_sync(full_warp, upto, warp_size - 1);
  const std::uint64_t warp_start = __shfl_sync(full_warp, upto - mine, 0);
  meet<blocks>();
  std::uint64_t before = 0, total = 0;
  for (int b = 0; b < blocks; ++b) {
    const std::uint64_t sum = *seen_from<blocks>(&shared.block, b);
    if (b < block) before += sum;
    total += sum;
  }
  meet<blocks>();
  const std::uint64_t number = first_number(args.rule.seed + static_cast<std::uint64_t>(sequence), at.position);
  const std::uint64_t target = __umul64hi(number, total);
  if (target < before + warp_start || target >= before + warp_end) return;

  std::uint64_t running = before + warp_start;
  for (int first = piece.first; first < piece.end; first += warp_size) {
    const int id = first + lane;
    const std::uint64_t sum = running + running_sum_lanes(id < piece.end ? candidate_mass(id, piece[id]) : 0);
    const unsigned beyond = __ballot_sync(full_warp, sum > target);
    if (beyond != 0) {
      if (lane == __ffs(static_cast<int>(beyond)) - 1) write(id);
      return;
    }
    running = __shfl_sync(full_warp, sum, warp_size - 1);
  }
}

}  // namespace

int sample(const SampleArgs& args, const Placement& placement) {
  const auto sequences = static_cast<unsigned>(args.batch);
  if (placement.clusters && args.vocab >= least_for_cluster) {
    return launch_kernel(sample_kernel<cluster_blocks>, dim3(cluster_blocks, sequences), block_size, 0, placement, args,
                         cluster_blocks);
  }
  return launch_kernel(sample_kernel<1>, dim3(1, sequences), block_size, 0, placement, args);
}

}  // namespace kernels::device
