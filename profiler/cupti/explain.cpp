#include "profiler/cupti/explain.h"

#include <fmt/format.h>

namespace profiler {

Unavailable explain(const std::string& doing, const std::string& error, CuptiFault fault) {
  const std::string what = fmt::format("CUPTI could not {}: {}.", doing, error);
  switch (fault) {
    case CuptiFault::second_subscriber:
      return {what + " Another tool (nsys, ncu, compute-sanitizer, a debugger) profiles this process.",
              "Start the program without that tool, or with --no-cupti to leave the process to it."};
    case CuptiFault::no_privilege:
      return {what + " This user may not profile on this machine.",
              "Load the driver with NVreg_RestrictProfilingToAdminUsers=0, or run with CAP_SYS_ADMIN; see "
              "developer.nvidia.com/ERR_NVGPUCTRPERM."};
    case CuptiFault::hardware_busy:
      return {what + " Somebody else has the device's counters: a monitor such as DCGM, or another profiler.",
              "Pause it (dcgmi profile --pause, and --resume after), or end the other profiler, and start again."};
    case CuptiFault::unsupported_device:
      return {what +
                  " Counters are not to be had on this device as it is set up (a vGPU, MIG, confidential computing, "
                  "an old or a crypto-mining chip).",
              "Use a whole GPU without these, of compute capability 7.5 or newer."};
    case CuptiFault::no_driver:
      return {what + " There is no working NVIDIA driver or device.", "Check nvidia-smi."};
    case CuptiFault::missing_symbol:
      return {what, "Point MAMBASCOPE_CUPTI at the folder of a libcupti that belongs to this toolkit."};
    case CuptiFault::out_of_memory:
      return {what, "Free memory on the host or the device, then start again."};
    case CuptiFault::none:
    case CuptiFault::other:
      break;
  }
  return {what, "Check that libcupti belongs to the driver's CUDA version; MAMBASCOPE_CUPTI=FOLDER chooses another."};
}

}  // namespace profiler
