// Instructions of compute capability 9.0 that have no C++ name: barriers that count bytes, tensor copies into shared
// memory, products of tiles by four warps. Device code of sm_90a only.
#pragma once

#include <cuda.h>

#include <cstdint>

namespace kernels::device::hopper {

__device__ __forceinline__ std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

// Barriers are named by their address in shared memory.
__device__ __forceinline__ void init(std::uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals));
}
// Makes barriers known to the copies; before the block's own barrier.
__device__ __forceinline__ void inits_done() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
__device__ __forceinline__ void arrive(std::uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
// Arrives; the phase ends when that many bytes have been copied, too.
__device__ __forceinline__ void arrive_expecting(std::uint32_t barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
// Returns when the phase of this parity has ended.
__device__ __forceinline__ void wait(std::uint32_t barrier, int parity) {
  asm volatile(
      "{ .reg .pred ended;\n"
      "again: mbarrier.try_wait.parity.shared::cta.b64 ended, [%0], %1;\n"
      "@!ended bra again; }" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

// Copies a box of a tensor to shared memory; what lies outside of the tensor arrives as zeros.
__device__ __forceinline__ void copy_box(std::uint32_t to, const CUtensorMap& map, std::uint32_t barrier, int x, int y,
                                         int z) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], "
      "[%2];" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(x), "r"(y), "r"(z)
      : "memory");
}
// The same of what is read once: the cache is to keep other things. Box 0 of the third dimension.
__device__ __forceinline__ void copy_box_once(std::uint32_t to, const CUtensorMap& map, std::uint32_t barrier, int x,
                                              int y, int w) {
  std::uint64_t policy;
  asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
      "[%0], [%1, {%3, %4, 0, %5}], [%2], %6;" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(x), "r"(y), "r"(w), "l"(policy)
      : "memory");
}
// A barrier of the 128 threads of four neighbouring warps; `which` from 1 on, one for each four.
__device__ __forceinline__ void group_barrier(int which) { asm volatile("bar.sync %0, 128;" ::"r"(which) : "memory"); }

// A tile of rows of 128 bytes as the products find it: rows in a row, swizzled by the copy, at a multiple of 1024 bytes.
// The next 16 columns of it are 2 further on.
__device__ __forceinline__ std::uint64_t tile(std::uint32_t address) {
  constexpr std::uint64_t eight_rows = 1024 >> 4, swizzle_128 = 1;
  return (address & 0x3ffffU) >> 4 | std::uint64_t{1} << 16 | eight_rows << 32 | swizzle_128 << 62;
}

// Before the first product that follows other uses of its sums; the products of a group run together in order.
__device__ __forceinline__ void products_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void products_end() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Returns when all but the last `groups` of this thread's groups have run.
template <int groups>
__device__ __forceinline__ void products_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(groups) : "memory");
}

// clang-format off
#define MAMBASCOPE_4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define MAMBASCOPE_16(i) MAMBASCOPE_4(i), MAMBASCOPE_4(i + 4), MAMBASCOPE_4(i + 8), MAMBASCOPE_4(i + 12)
#define MAMBASCOPE_64(i) MAMBASCOPE_16(i), MAMBASCOPE_16(i + 16), MAMBASCOPE_16(i + 32), MAMBASCOPE_16(i + 48)
#define MAMBASCOPE_NAMES_32 \
  "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29" \
  ",%30,%31"
#define MAMBASCOPE_NAMES_64 MAMBASCOPE_NAMES_32 \
  ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58" \
  ",%59,%60,%61,%62,%63"
#define MAMBASCOPE_NAMES_68 MAMBASCOPE_NAMES_64 ",%64,%65,%66,%67"
#define MAMBASCOPE_NAMES_128 MAMBASCOPE_NAMES_68 \
  ",%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94" \
  ",%95,%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,%112,%113,%114,%115,%116,%117" \
  ",%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
#define MAMBASCOPE_PRODUCT(n, names, a, b, add) \
  "{ .reg .pred add; setp.ne.b32 add, " add ", 0;\n" \
  "wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 {" names "}, " a ", " b ", add, 1, 1, 0, 0; }"

// d += (if not `add`: =) 64 rows of one tile times n rows of another, 16 columns of both. A warp has 16 of the 64 rows; for
// every 8 of the n, a lane holds two neighbouring sums of row lane / 4 and two of the row 8 further on.
__device__ __forceinline__ void add_product(float (&d)[32], std::uint64_t a, std::uint64_t b, int add) {
  asm volatile(MAMBASCOPE_PRODUCT(64, MAMBASCOPE_NAMES_32, "%32", "%33", "%34")
               : MAMBASCOPE_16(0), MAMBASCOPE_16(16) : "l"(a), "l"(b), "r"(add));
}
__device__ __forceinline__ void add_product(float (&d)[64], std::uint64_t a, std::uint64_t b, int add) {
  asm volatile(MAMBASCOPE_PRODUCT(128, MAMBASCOPE_NAMES_64, "%64", "%65", "%66")
               : MAMBASCOPE_64(0) : "l"(a), "l"(b), "r"(add));
}
__device__ __forceinline__ void add_product(float (&d)[68], std::uint64_t a, std::uint64_t b, int add) {
  asm volatile(MAMBASCOPE_PRODUCT(136, MAMBASCOPE_NAMES_68, "%68", "%69", "%70")
               : MAMBASCOPE_64(0), MAMBASCOPE_4(64) : "l"(a), "l"(b), "r"(add));
}
__device__ __forceinline__ void add_product(float (&d)[128], std::uint64_t a, std::uint64_t b, int add) {
  asm volatile(MAMBASCOPE_PRODUCT(256, MAMBASCOPE_NAMES_128, "%128", "%129", "%130")
               : MAMBASCOPE_64(0), MAMBASCOPE_64(64) : "l"(a), "l"(b), "r"(add));
}

#undef MAMBASCOPE_4
#undef MAMBASCOPE_16
#undef MAMBASCOPE_64
#undef MAMBASCOPE_NAMES_32
#undef MAMBASCOPE_NAMES_64
#undef MAMBASCOPE_NAMES_68
#undef MAMBASCOPE_NAMES_128
#undef MAMBASCOPE_PRODUCT
// clang-format on

}  // namespace kernels::device::hopper
