#include "profiler/counters/live.h"

#include "profiler/counters/metric_host.h"
#include "profiler/cupti/faults.h"
#include "profiler/cupti/library.h"

#include <cupti_profiler_target.h>
#include <cupti_range_profiler.h>
#include <cupti_target.h>

#include <fmt/format.h>

#include <dlfcn.h>

#include <cstdint>
#include <string>

namespace profiler {

namespace {

struct Functions {
  MetricFunctions metrics;
  decltype(&cuptiProfilerGetCounterAvailability) availability = nullptr;
  decltype(&cuptiRangeProfilerEnable) enable = nullptr;
  decltype(&cuptiRangeProfilerDisable) disable = nullptr;
  decltype(&cuptiRangeProfilerSetConfig) set_config = nullptr;
  decltype(&cuptiRangeProfilerStart) start = nullptr;
  decltype(&cuptiRangeProfilerStop) stop = nullptr;
  decltype(&cuptiRangeProfilerPushRange) push = nullptr;
  decltype(&cuptiRangeProfilerPopRange) pop = nullptr;
  decltype(&cuptiRangeProfilerDecodeData) decode = nullptr;
  decltype(&cuptiRangeProfilerGetCounterDataSize) data_size = nullptr;
  decltype(&cuptiRangeProfilerCounterDataImageInitialize) data_initialize = nullptr;
  decltype(&cuptiRangeProfilerGetCounterDataInfo) data_info = nullptr;
  decltype(&cuptiRangeProfilerCounterDataGetRangeInfo) range_info = nullptr;
  CUresult (*current_context)(CUcontext*) = nullptr;
};

class LiveCounters final : public CounterApi {
 public:
  LiveCounters(std::string path, const Functions& functions)
      : path_(std::move(path)), f_(functions), host_(functions.metrics) {}
  ~LiveCounters() override { disable(); }
  LiveCounters(const LiveCounters&) = delete;
  LiveCounters& operator=(const LiveCounters&) = delete;

  std::string path() const override { return path_; }

  CuptiResult open(std::string& chip) override {
    if (f_.current_context(&context_) != CUDA_SUCCESS || context_ == nullptr) {
      return {CuptiFault::no_driver, CUPTI_ERROR_INVALID_CONTEXT};
    }
    auto available =
        sized<CUpti_Profiler_GetCounterAvailability_Params>(CUpti_Profiler_GetCounterAvailability_Params_STRUCT_SIZE);
    available.ctx = context_;
    return from(host_.open(CUPTI_PROFILER_TYPE_RANGE_PROFILER, chip, f_.availability, available));
  }

  bool knows(const std::string& metric) override { return host_.knows(metric); }

  CuptiResult choose(const std::vector<std::string>& metrics, std::size_t& passes) override {
    return from(host_.choose(metrics, passes));
  }

  CuptiResult enable(std::size_t ranges) override {
    auto enable = sized<CUpti_RangeProfiler_Enable_Params>(CUpti_RangeProfiler_Enable_Params_STRUCT_SIZE);
    enable.ctx = context_;
    CUptiResult result = f_.enable(&enable);
    if (result != CUPTI_SUCCESS) return from(result);
    profiler_ = enable.pRangeProfilerObject;
    auto size =
        sized<CUpti_RangeProfiler_GetCounterDataSize_Params>(CUpti_RangeProfiler_GetCounterDataSize_Params_STRUCT_SIZE);
    size.pRangeProfilerObject = profiler_;
    size.pMetricNames = host_.names().data();
    size.numMetrics = host_.names().size();
    size.maxNumOfRanges = ranges;
    size.maxNumRangeTreeNodes = static_cast<std::uint32_t>(ranges);
    result = f_.data_size(&size);
    if (result != CUPTI_SUCCESS) return from(result);
    data_.resize(size.counterDataSize);
    auto image = sized<CUpti_RangeProfiler_CounterDataImage_Initialize_Params>(
        CUpti_RangeProfiler_CounterDataImage_Initialize_Params_STRUCT_SIZE);
    image.pRangeProfilerObject = profiler_;
    image.counterDataSize = data_.size();
    image.pCounterData = data_.data();
    result = f_.data_initialize(&image);
    if (result != CUPTI_SUCCESS) return from(result);
    auto config = sized<CUpti_RangeProfiler_SetConfig_Params>(CUpti_RangeProfiler_SetConfig_Params_STRUCT_SIZE);
    config.pRangeProfilerObject = profiler_;
    config.configSize = host_.config().size();
    config.pConfig = host_.config().data();
    config.counterDataImageSize = data_.size();
    config.pCounterDataImage = data_.data();
    config.range = CUPTI_UserRange;
    config.replayMode = CUPTI_UserReplay;
    config.maxRangesPerPass = ranges;
    config.numNestingLevels = 1;
    config.minNestingLevel = 1;
    config.passIndex = 0;
    config.targetNestingLevel = 1;
    return from(f_.set_config(&config));
  }

  CuptiResult disable() override {
    if (profiler_ == nullptr) return {};
    auto params = sized<CUpti_RangeProfiler_Disable_Params>(CUpti_RangeProfiler_Disable_Params_STRUCT_SIZE);
    params.pRangeProfilerObject = profiler_;
    profiler_ = nullptr;
    return from(f_.disable(&params));
  }

  CuptiResult begin_pass() override {
    auto params = sized<CUpti_RangeProfiler_Start_Params>(CUpti_RangeProfiler_Start_Params_STRUCT_SIZE);
    params.pRangeProfilerObject = profiler_;
    return from(f_.start(&params));
  }

  CuptiResult end_pass(bool& complete) override {
    auto params = sized<CUpti_RangeProfiler_Stop_Params>(CUpti_RangeProfiler_Stop_Params_STRUCT_SIZE);
    params.pRangeProfilerObject = profiler_;
    const CUptiResult result = f_.stop(&params);
    complete = params.isAllPassSubmitted != 0;
    return from(result);
  }

  CuptiResult begin_range(const std::string& name) override {
    auto params = sized<CUpti_RangeProfiler_PushRange_Params>(CUpti_RangeProfiler_PushRange_Params_STRUCT_SIZE);
    params.pRangeProfilerObject = profiler_;
    params.pRangeName = name.c_str();
    return from(f_.push(&params));
  }

  CuptiResult end_range() override {
    auto params = sized<CUpti_RangeProfiler_PopRange_Params>(CUpti_RangeProfiler_PopRange_Params_STRUCT_SIZE);
    params.pRangeProfilerObject = profiler_;
    return from(f_.pop(&params));
  }

  CuptiResult read(std::vector<CountedRange>& ranges, std::size_t& dropped) override {
    auto decode = sized<CUpti_RangeProfiler_DecodeData_Params>(CUpti_RangeProfiler_DecodeData_Params_STRUCT_SIZE);
    decode.pRangeProfilerObject = profiler_;
    CUptiResult result = f_.decode(&decode);
    if (result != CUPTI_SUCCESS) return from(result);
    dropped = decode.numOfRangeDropped;
    auto info =
        sized<CUpti_RangeProfiler_GetCounterDataInfo_Params>(CUpti_RangeProfiler_GetCounterDataInfo_Params_STRUCT_SIZE);
    info.pCounterDataImage = data_.data();
    info.counterDataImageSize = data_.size();
    result = f_.data_info(&info);
    for (std::size_t i = 0; result == CUPTI_SUCCESS && i < info.numTotalRanges; ++i) {
      auto range = sized<CUpti_RangeProfiler_CounterData_GetRangeInfo_Params>(
          CUpti_RangeProfiler_CounterData_GetRangeInfo_Params_STRUCT_SIZE);
      range.pCounterDataImage = data_.data();
      range.counterDataImageSize = data_.size();
      range.rangeIndex = i;
      range.rangeDelimiter = "/";
      result = f_.range_info(&range);
      if (result != CUPTI_SUCCESS) break;
      CountedRange counted{range.rangeName != nullptr ? range.rangeName : "", {}};
      result = host_.evaluate(data_, i, counted.values);
      if (result == CUPTI_SUCCESS) ranges.push_back(std::move(counted));
    }
    return from(result);
  }

  std::string describe(const CuptiResult& result) const override { return host_.describe(result.code); }

 private:
  std::string path_;
  Functions f_;
  MetricHost host_;
  CUcontext context_ = nullptr;
  CUpti_RangeProfiler_Object* profiler_ = nullptr;
  std::vector<std::uint8_t> data_;  // the library writes it as long as it counts
};

}  // namespace

tl::expected<std::unique_ptr<CounterApi>, Unavailable> bind_counters(const std::string& path,
                                                                     const std::function<void*(const char*)>& resolve) {
  Functions f;
  FunctionLookup functions(resolve);
  functions.find(f.availability, "cuptiProfilerGetCounterAvailability");
  f.metrics.find(functions);
  functions.find(f.enable, "cuptiRangeProfilerEnable");
  functions.find(f.disable, "cuptiRangeProfilerDisable");
  functions.find(f.set_config, "cuptiRangeProfilerSetConfig");
  functions.find(f.start, "cuptiRangeProfilerStart");
  functions.find(f.stop, "cuptiRangeProfilerStop");
  functions.find(f.push, "cuptiRangeProfilerPushRange");
  functions.find(f.pop, "cuptiRangeProfilerPopRange");
  functions.find(f.decode, "cuptiRangeProfilerDecodeData");
  functions.find(f.data_size, "cuptiRangeProfilerGetCounterDataSize");
  functions.find(f.data_initialize, "cuptiRangeProfilerCounterDataImageInitialize");
  functions.find(f.data_info, "cuptiRangeProfilerGetCounterDataInfo");
  functions.find(f.range_info, "cuptiRangeProfilerCounterDataGetRangeInfo");
  functions.find(f.current_context, "cuCtxGetCurrent");
  if (!functions.missing().empty()) {
    return tl::unexpected<Unavailable>(
        Unavailable{fmt::format("{} lacks {}.", path, functions.missing()),
                    "Counters need a libcupti of CUDA 12.6 or newer: point MAMBASCOPE_CUPTI at its folder."});
  }
  return std::make_unique<LiveCounters>(path, f);
}

tl::expected<std::unique_ptr<CounterApi>, Unavailable> open_counters() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) {
    return tl::unexpected<Unavailable>(
        Unavailable{"No NVIDIA driver on this machine (libcuda.so.1 is absent).", "Counters are a GPU's."});
  }
  const auto library = open_cupti_library(cupti_candidates());
  if (!library) return tl::unexpected<Unavailable>(library.error());
  return bind_counters(library->path, [handle = library->handle, driver](const char* name) {
    void* found = dlsym(handle, name);
    return found != nullptr ? found : dlsym(driver, name);
  });
}

}  // namespace profiler
