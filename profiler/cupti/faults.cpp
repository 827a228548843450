#include "profiler/cupti/faults.h"

namespace profiler {

CuptiFault fault_of(CUptiResult result) {
  switch (static_cast<int>(result)) {
    case CUPTI_SUCCESS:
      return CuptiFault::none;
    case CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED:
      return CuptiFault::second_subscriber;
    case CUPTI_ERROR_INSUFFICIENT_PRIVILEGES:
    case CUPTI_ERROR_VIRTUALIZED_DEVICE_INSUFFICIENT_PRIVILEGES:
      return CuptiFault::no_privilege;
    case CUPTI_ERROR_HARDWARE_BUSY:
      return CuptiFault::hardware_busy;
    case CUPTI_ERROR_VIRTUALIZED_DEVICE_NOT_SUPPORTED:
    case CUPTI_ERROR_LEGACY_PROFILER_NOT_SUPPORTED:
    case 41:  // to 45: confidential computing, mining chips, MIG, SLI, WSL; the headers of CUDA 12.0 lack some
    case 42:
    case 43:
    case 44:
    case 45:
      return CuptiFault::unsupported_device;
    case CUPTI_ERROR_NOT_INITIALIZED:
    case CUPTI_ERROR_INVALID_DEVICE:
      return CuptiFault::no_driver;
    case CUPTI_ERROR_OUT_OF_MEMORY:
      return CuptiFault::out_of_memory;
    default:
      return CuptiFault::other;
  }
}

}  // namespace profiler
