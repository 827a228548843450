#include "profiler/cupti/records.h"

#include <cupti_activity.h>

namespace profiler {

namespace {

template <class T>
const T& as(const void* record) {
  return *static_cast<const T*>(record);
}

template <class T>
ActivityRecord timed(const T& record, ActivityRecord::Type type) {
  ActivityRecord out;
  out.type = type;
  out.start = record.start;
  out.end = record.end;
  out.correlation = record.correlationId;
  return out;
}

template <class T>
ActivityRecord work(const T& record, ActivityRecord::Type type) {
  ActivityRecord out = timed(record, type);
  out.graph_node = record.graphNodeId;
  return out;
}

}  // namespace

ActivityRecord decode(const void* record) {
  using Type = ActivityRecord::Type;
  switch (as<CUpti_Activity>(record).kind) {
    case CUPTI_ACTIVITY_KIND_KERNEL:
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
      const auto& kernel = as<CUpti_ActivityKernel9>(record);
      ActivityRecord out = work(kernel, Type::kernel);
      out.name = kernel.name;
      return out;
    }
    case CUPTI_ACTIVITY_KIND_MEMCPY:
      return work(as<CUpti_ActivityMemcpy5>(record), Type::memcpy);
    case CUPTI_ACTIVITY_KIND_MEMSET:
      return work(as<CUpti_ActivityMemset4>(record), Type::memset);
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: {
      const auto& link = as<CUpti_ActivityExternalCorrelation>(record);
      ActivityRecord out;
      out.type = link.externalKind == CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0 ? Type::correlation : Type::unknown;
      out.correlation = link.correlationId;
      out.external = link.externalId;
      return out;
    }
    case CUPTI_ACTIVITY_KIND_RUNTIME:
    case CUPTI_ACTIVITY_KIND_DRIVER:
      return timed(as<CUpti_ActivityAPI>(record), Type::api_call);
    case CUPTI_ACTIVITY_KIND_OVERHEAD: {
      const auto& overhead = as<CUpti_ActivityOverhead2>(record);
      ActivityRecord out;
      out.type = Type::overhead;
      out.start = overhead.start;
      out.end = overhead.end;
      return out;
    }
    default:
      return {};
  }
}

}  // namespace profiler
