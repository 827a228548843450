#include "kernels/cpu/table.h"

#ifdef MAMBASCOPE_X86
#include <cpuid.h>
#endif

namespace kernels::cpu {

#define MAMBASCOPE_DECLARE_ISA(isa)                                                      \
  namespace isa {                                                                        \
  void embedding(const EmbeddingArgs<float>& args, int begin, int end);                  \
  void norm(const NormArgs<float>& args, int begin, int end);                            \
  void projection(const ProjectionArgs<float>& args, int begin, int end);                \
  void rotate(const RotateArgs<float>& args, int begin, int end);                        \
  void state_update(const StateUpdateArgs<float>& args, int begin, int end);             \
  void readout(const ReadoutArgs<float>& args, int begin, int end);                      \
  void mimo_mix(const MimoMixArgs<float>& args, int begin, int end);                     \
  namespace {                                                                            \
  constexpr Table table(const char* name) {                                              \
    return {name, embedding, norm, projection, rotate, state_update, readout, mimo_mix}; \
  }                                                                                      \
  }                                                                                      \
  }

MAMBASCOPE_DECLARE_ISA(baseline)
#ifdef MAMBASCOPE_X86
MAMBASCOPE_DECLARE_ISA(avx2)
MAMBASCOPE_DECLARE_ISA(avx512)
#endif

#ifdef MAMBASCOPE_X86
namespace {

// __builtin_cpu_supports("f16c") is not known to every compiler.
bool converts_half_floats() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & unsigned{bit_F16C}) != 0;
}

}  // namespace
#endif

const std::vector<const Table*>& tables() {
  static const std::vector<const Table*> usable = [] {
    std::vector<const Table*> found;
#ifdef MAMBASCOPE_X86
    static constexpr Table with_avx512 = avx512::table("AVX-512");
    static constexpr Table with_avx2 = avx2::table("AVX2");
    const bool fma =
        __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 && converts_half_floats();
    const bool wide = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    if (fma && wide) found.push_back(&with_avx512);
    if (fma) found.push_back(&with_avx2);
#endif
    static constexpr Table portable = baseline::table("portable");
    found.push_back(&portable);
    return found;
  }();
  return usable;
}

}  // namespace kernels::cpu
