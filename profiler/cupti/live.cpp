#include "profiler/cupti/live.h"

#include "profiler/cupti/faults.h"
#include "profiler/cupti/records.h"

#include <cupti.h>

#include <fmt/format.h>

#include <dlfcn.h>

#include <atomic>
#include <string>

namespace profiler {

namespace {

// CUPTI's functions by address; null where the library lacks one.
struct Functions {
  decltype(&cuptiGetVersion) get_version = nullptr;
  decltype(&cuptiGetResultString) get_result_string = nullptr;
  decltype(&cuptiSubscribe) subscribe = nullptr;
  decltype(&cuptiUnsubscribe) unsubscribe = nullptr;
  decltype(&cuptiActivityRegisterCallbacks) register_callbacks = nullptr;
  decltype(&cuptiActivityEnable) enable = nullptr;
  decltype(&cuptiActivityDisable) disable = nullptr;
  decltype(&cuptiActivityFlushAll) flush_all = nullptr;
  decltype(&cuptiActivityGetNextRecord) next_record = nullptr;
  decltype(&cuptiActivityGetNumDroppedRecords) dropped = nullptr;
  decltype(&cuptiActivityPushExternalCorrelationId) push = nullptr;
  decltype(&cuptiActivityPopExternalCorrelationId) pop = nullptr;
  decltype(&cuptiGetTimestamp) timestamp = nullptr;
  decltype(&cuptiEnableCallback) enable_callback = nullptr;
  decltype(&cuptiGetGraphNodeId) graph_node_id = nullptr;
  // Written out, because the headers of CUDA 12 lack it.
  CUptiResult(CUPTIAPI* enable_driver_call)(CUpti_CallbackId, std::uint8_t) = nullptr;
};

// The driver's calls that issue device work; the runtime's end in these. Recording only them costs a launch-bound
// step less than recording every runtime call (cudaGetLastError after each launch is one).
constexpr CUpti_CallbackId issuing_calls[] = {
    CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel,
    CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx,
    CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel,
    CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch,
    CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyAsync,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyAsync_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyHtoDAsync_v2,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyHtoDAsync_v2_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyDtoHAsync_v2,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyDtoHAsync_v2_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyDtoDAsync_v2,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyDtoDAsync_v2_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpy2DAsync_v2,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpy2DAsync_v2_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyHtoD_v2,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyDtoH_v2,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyDtoD_v2,
    CUPTI_DRIVER_TRACE_CBID_cuMemsetD8Async,
    CUPTI_DRIVER_TRACE_CBID_cuMemsetD8Async_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemsetD32Async,
    CUPTI_DRIVER_TRACE_CBID_cuMemsetD32Async_ptsz,
};

// CUPTI's buffer callbacks carry no user data: one exchange per process.
std::atomic<BufferExchange*> the_exchange{nullptr};

void CUPTIAPI on_request(std::uint8_t** buffer, std::size_t* size, std::size_t* max_records) {
  *max_records = 0;  // as many as fit
  *size = 0;
  *buffer = nullptr;
  if (BufferExchange* exchange = the_exchange.load()) *buffer = exchange->request(*size);
}

void CUPTIAPI on_complete(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t, std::size_t valid) {
  BufferExchange* exchange = the_exchange.load();
  if (exchange != nullptr && buffer != nullptr) exchange->complete(buffer, valid);
}

// What the graph callback needs; the subscription's user data, so it must stay.
struct GraphCallback {
  decltype(&cuptiGetGraphNodeId) node_id = nullptr;
  std::atomic<CloneSink*> sink{nullptr};
};

void CUPTIAPI on_callback(void* user, CUpti_CallbackDomain domain, CUpti_CallbackId id, const void* data) {
  if (domain != CUPTI_CB_DOMAIN_RESOURCE || id != CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED) return;
  const auto& graphs = *static_cast<const GraphCallback*>(user);
  CloneSink* sink = graphs.sink.load();
  if (sink == nullptr || graphs.node_id == nullptr) return;
  const auto* graph =
      static_cast<const CUpti_GraphData*>(static_cast<const CUpti_ResourceData*>(data)->resourceDescriptor);
  std::uint64_t original = 0, clone = 0;
  if (graphs.node_id(graph->originalNode, &original) != CUPTI_SUCCESS) return;
  if (graphs.node_id(graph->node, &clone) == CUPTI_SUCCESS) sink->cloned(original, clone);
}

CUpti_ActivityKind cupti_kind(ActivityKind kind) {
  switch (kind) {
    case ActivityKind::kernel:
      return CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;  // KERNEL would serialise them
    case ActivityKind::memcpy:
      return CUPTI_ACTIVITY_KIND_MEMCPY;
    case ActivityKind::memset:
      return CUPTI_ACTIVITY_KIND_MEMSET;
    case ActivityKind::external_correlation:
      return CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
    case ActivityKind::api_calls:
      return CUPTI_ACTIVITY_KIND_RUNTIME;
    case ActivityKind::overhead:
      return CUPTI_ACTIVITY_KIND_OVERHEAD;
  }
  return CUPTI_ACTIVITY_KIND_INVALID;
}

class LiveCupti : public CuptiApi {
 public:
  LiveCupti(std::string path, const Functions& functions) : path_(std::move(path)), f_(functions) {}

  std::string path() const override { return path_; }
  CuptiResult version(std::uint32_t& version) override { return call(f_.get_version, &version); }
  std::uint32_t minimum_version() const override {
    // 18 is CUDA 12.0's; from 13.0 on the version is 10000 times the toolkit's, and a major version needs its own.
    return CUPTI_API_VERSION >= 130000 ? CUPTI_API_VERSION / 10000 * 10000 : 18;
  }
  CuptiResult subscribe() override {
    graphs_.node_id = f_.graph_node_id;
    return call(f_.subscribe, &subscriber_, &on_callback, &graphs_);
  }
  CuptiResult unsubscribe() override { return call(f_.unsubscribe, subscriber_); }
  CuptiResult exchange_buffers(BufferExchange& exchange) override {
    the_exchange.store(&exchange);
    return call(f_.register_callbacks, &on_request, &on_complete);
  }
  CuptiResult enable(ActivityKind kind) override {
    if (kind == ActivityKind::api_calls && switch_issuing_calls(true)) return {};
    return call(f_.enable, cupti_kind(kind));
  }
  CuptiResult disable(ActivityKind kind) override {
    if (kind == ActivityKind::api_calls && switch_issuing_calls(false)) return {};
    return call(f_.disable, cupti_kind(kind));
  }
  CuptiResult flush(bool forced) override {
    return call(f_.flush_all, static_cast<std::uint32_t>(forced ? CUPTI_ACTIVITY_FLAG_FLUSH_FORCED : 0));
  }
  CuptiResult dropped(std::uint64_t& count) override {
    std::size_t since_last = 0;
    const CuptiResult result = call(f_.dropped, nullptr, 0U, &since_last);
    count = result.ok() ? since_last : 0;
    return result;
  }
  CuptiResult push(std::uint64_t external) override {
    return call(f_.push, CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, external);
  }
  CuptiResult pop() override {
    std::uint64_t last = 0;
    return call(f_.pop, CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, &last);
  }
  CuptiResult watch_graphs(CloneSink& sink) override {
    if (f_.graph_node_id == nullptr) return {CuptiFault::missing_symbol, 0};
    graphs_.sink.store(&sink);
    return call(f_.enable_callback, 1U, subscriber_, CUPTI_CB_DOMAIN_RESOURCE, CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED);
  }
  CuptiResult graph_node_id(const void* node, std::uint64_t& id) override {
    // The runtime's and the driver's handle of a node are the same pointer.
    return call(f_.graph_node_id, static_cast<CUgraphNode>(const_cast<void*>(node)), &id);
  }
  CuptiResult timestamp(std::uint64_t& now) override { return call(f_.timestamp, &now); }

  CuptiResult read(std::uint8_t* buffer, std::size_t valid_bytes, RecordSink& sink) override {
    CUpti_Activity* record = nullptr;
    for (;;) {
      const CUptiResult result = f_.next_record(buffer, valid_bytes, &record);
      if (result == CUPTI_ERROR_MAX_LIMIT_REACHED) return {};
      if (result != CUPTI_SUCCESS) return from(result);
      sink.add(decode(record));
    }
  }

  std::string describe(const CuptiResult& result) const override {
    const char* text = nullptr;
    if (result.fault != CuptiFault::missing_symbol && f_.get_result_string != nullptr &&
        f_.get_result_string(static_cast<CUptiResult>(result.code), &text) == CUPTI_SUCCESS && text != nullptr) {
      return text;
    }
    return result.fault == CuptiFault::missing_symbol ? std::string("function not in this library")
                                                      : fmt::format("CUPTI error {}", result.code);
  }

 private:
  // False when this library cannot choose calls: then every runtime call is recorded.
  bool switch_issuing_calls(bool on) {
    if (f_.enable_driver_call == nullptr) return false;
    for (const CUpti_CallbackId id : issuing_calls) {
      if (f_.enable_driver_call(id, on ? 1 : 0) != CUPTI_SUCCESS) return false;
    }
    return true;
  }

  template <class Function, class... Arguments>
  static CuptiResult call(Function function, Arguments... arguments) {
    if (function == nullptr) return {CuptiFault::missing_symbol, 0};
    return from(function(arguments...));
  }

  std::string path_;
  Functions f_;
  CUpti_SubscriberHandle subscriber_ = nullptr;
  GraphCallback graphs_;
};

}  // namespace

tl::expected<std::unique_ptr<CuptiApi>, Unavailable> bind_cupti(const std::string& path,
                                                                const std::function<void*(const char*)>& resolve) {
  Functions f;
  FunctionLookup functions(resolve);
  functions.find(f.get_version, "cuptiGetVersion");
  functions.find(f.get_result_string, "cuptiGetResultString", false);
  functions.find(f.subscribe, "cuptiSubscribe");
  functions.find(f.unsubscribe, "cuptiUnsubscribe", false);
  functions.find(f.register_callbacks, "cuptiActivityRegisterCallbacks");
  functions.find(f.enable, "cuptiActivityEnable");
  functions.find(f.disable, "cuptiActivityDisable", false);
  functions.find(f.flush_all, "cuptiActivityFlushAll");
  functions.find(f.next_record, "cuptiActivityGetNextRecord");
  functions.find(f.dropped, "cuptiActivityGetNumDroppedRecords", false);
  functions.find(f.push, "cuptiActivityPushExternalCorrelationId", false);
  functions.find(f.pop, "cuptiActivityPopExternalCorrelationId", false);
  functions.find(f.timestamp, "cuptiGetTimestamp");
  functions.find(f.enable_callback, "cuptiEnableCallback", false);
  functions.find(f.graph_node_id, "cuptiGetGraphNodeId", false);
  functions.find(f.enable_driver_call, "cuptiActivityEnableDriverApi", false);
  if (!functions.missing().empty()) {
    return tl::unexpected<Unavailable>(
        Unavailable{fmt::format("{} lacks {}.", path, functions.missing()),
                    "Point MAMBASCOPE_CUPTI at the folder of a libcupti of CUDA 12 or newer."});
  }
  return std::make_unique<LiveCupti>(path, f);
}

tl::expected<std::unique_ptr<CuptiApi>, Unavailable> open_cupti() {
  // Without a driver CUPTI would answer with an unknown error; say what it is instead.
  if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) == nullptr) {
    return tl::unexpected<Unavailable>(Unavailable{"No NVIDIA driver on this machine (libcuda.so.1 is absent).",
                                                   "CPU stages are timed with the program's own clock."});
  }
  const auto library = open_cupti_library(cupti_candidates());
  if (!library) return tl::unexpected<Unavailable>(library.error());
  return bind_cupti(library->path, [handle = library->handle](const char* name) { return dlsym(handle, name); });
}

}  // namespace profiler
