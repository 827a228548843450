#include "profiler/counters/live_sampling.h"

#include "profiler/counters/metric_host.h"
#include "profiler/cupti/faults.h"
#include "profiler/cupti/library.h"

#include <cupti_pmsampling.h>

#include <fmt/format.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace profiler {

namespace {

constexpr std::size_t device = 0;  // the only one that this program uses
// Raw samples wait here until they are decoded; one takes some kilobytes on a chip of 132 multiprocessors.
constexpr std::size_t hardware_buffer_bytes = std::size_t{256} << 20;

struct Functions {
  MetricFunctions metrics;
  decltype(&cuptiPmSamplingGetCounterAvailability) availability = nullptr;
  decltype(&cuptiPmSamplingEnable) enable = nullptr;
  decltype(&cuptiPmSamplingDisable) disable = nullptr;
  decltype(&cuptiPmSamplingSetConfig) set_config = nullptr;
  decltype(&cuptiPmSamplingStart) start = nullptr;
  decltype(&cuptiPmSamplingStop) stop = nullptr;
  decltype(&cuptiPmSamplingDecodeData) decode = nullptr;
  decltype(&cuptiPmSamplingGetCounterDataSize) data_size = nullptr;
  decltype(&cuptiPmSamplingCounterDataImageInitialize) data_initialize = nullptr;
  decltype(&cuptiPmSamplingGetCounterDataInfo) data_info = nullptr;
  decltype(&cuptiPmSamplingCounterDataGetSampleInfo) sample_info = nullptr;
};

class LiveSampling final : public SamplingApi {
 public:
  LiveSampling(std::string path, const Functions& functions)
      : path_(std::move(path)), f_(functions), host_(functions.metrics) {}
  ~LiveSampling() override { disable(); }
  LiveSampling(const LiveSampling&) = delete;
  LiveSampling& operator=(const LiveSampling&) = delete;

  std::string path() const override { return path_; }

  CuptiResult open(std::string& chip) override {
    auto available = sized<CUpti_PmSampling_GetCounterAvailability_Params>(
        CUpti_PmSampling_GetCounterAvailability_Params_STRUCT_SIZE);
    available.deviceIndex = device;
    return from(host_.open(CUPTI_PROFILER_TYPE_PM_SAMPLING, chip, f_.availability, available));
  }

  bool knows(const std::string& metric) override { return host_.knows(metric); }

  CuptiResult choose(const std::vector<std::string>& metrics, std::size_t& passes) override {
    return from(host_.choose(metrics, passes));
  }

  CuptiResult enable(std::uint64_t interval_ns, std::size_t most_samples) override {
    most_ = most_samples;
    auto enable = sized<CUpti_PmSampling_Enable_Params>(CUpti_PmSampling_Enable_Params_STRUCT_SIZE);
    enable.deviceIndex = device;
    CUptiResult result = f_.enable(&enable);
    if (result != CUPTI_SUCCESS) return from(result);
    sampling_ = enable.pPmSamplingObject;
    auto config = sized<CUpti_PmSampling_SetConfig_Params>(CUpti_PmSampling_SetConfig_Params_STRUCT_SIZE);
    config.pPmSamplingObject = sampling_;
    config.configSize = host_.config().size();
    config.pConfig = host_.config().data();
    config.hardwareBufferSize = hardware_buffer_bytes;
    config.samplingInterval = interval_ns;
    config.triggerMode = CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_TIME_INTERVAL;
    config.hwBufferAppendMode = CUPTI_PM_SAMPLING_HARDWARE_BUFFER_APPEND_MODE_KEEP_OLDEST;
    result = f_.set_config(&config);
    if (result != CUPTI_SUCCESS) return from(result);
    auto size =
        sized<CUpti_PmSampling_GetCounterDataSize_Params>(CUpti_PmSampling_GetCounterDataSize_Params_STRUCT_SIZE);
    size.pPmSamplingObject = sampling_;
    size.pMetricNames = host_.names().data();
    size.numMetrics = host_.names().size();
    size.maxSamples = static_cast<std::uint32_t>(most_samples);
    result = f_.data_size(&size);
    if (result != CUPTI_SUCCESS) return from(result);
    data_.resize(size.counterDataSize);
    return from(empty_image());
  }

  CuptiResult disable() override {
    if (sampling_ == nullptr) return {};
    auto params = sized<CUpti_PmSampling_Disable_Params>(CUpti_PmSampling_Disable_Params_STRUCT_SIZE);
    params.pPmSamplingObject = sampling_;
    sampling_ = nullptr;
    return from(f_.disable(&params));
  }

  CuptiResult start() override {
    auto params = sized<CUpti_PmSampling_Start_Params>(CUpti_PmSampling_Start_Params_STRUCT_SIZE);
    params.pPmSamplingObject = sampling_;
    return from(f_.start(&params));
  }

  CuptiResult stop() override {
    auto params = sized<CUpti_PmSampling_Stop_Params>(CUpti_PmSampling_Stop_Params_STRUCT_SIZE);
    params.pPmSamplingObject = sampling_;
    return from(f_.stop(&params));
  }

  CuptiResult read(std::vector<CounterSample>& samples, bool& overflow) override {
    for (bool more = true; more && samples.size() < most_;) {
      auto decode = sized<CUpti_PmSampling_DecodeData_Params>(CUpti_PmSampling_DecodeData_Params_STRUCT_SIZE);
      decode.pPmSamplingObject = sampling_;
      decode.pCounterDataImage = data_.data();
      decode.counterDataImageSize = data_.size();
      CUptiResult result = f_.decode(&decode);
      if (result != CUPTI_SUCCESS) return from(result);
      overflow = overflow || decode.overflow != 0;
      std::size_t found = 0;
      result = take(samples, found);
      if (result != CUPTI_SUCCESS) return from(result);
      more = decode.decodeStopReason == CUPTI_PM_SAMPLING_DECODE_STOP_REASON_COUNTER_DATA_FULL && found > 0;
      if (more) result = empty_image();
      if (result != CUPTI_SUCCESS) return from(result);
    }
    std::sort(samples.begin(), samples.end(),
              [](const CounterSample& a, const CounterSample& b) { return a.start_ns < b.start_ns; });
    return {};
  }

  std::string describe(const CuptiResult& result) const override { return host_.describe(result.code); }

 private:
  CUptiResult empty_image() {
    auto image = sized<CUpti_PmSampling_CounterDataImage_Initialize_Params>(
        CUpti_PmSampling_CounterDataImage_Initialize_Params_STRUCT_SIZE);
    image.pPmSamplingObject = sampling_;
    image.counterDataSize = data_.size();
    image.pCounterData = data_.data();
    return f_.data_initialize(&image);
  }

  // What was decoded last, as values.
  CUptiResult take(std::vector<CounterSample>& samples, std::size_t& found) {
    auto info =
        sized<CUpti_PmSampling_GetCounterDataInfo_Params>(CUpti_PmSampling_GetCounterDataInfo_Params_STRUCT_SIZE);
    info.pCounterDataImage = data_.data();
    info.counterDataImageSize = data_.size();
    CUptiResult result = f_.data_info(&info);
    found = info.numCompletedSamples;
    for (std::size_t i = 0; result == CUPTI_SUCCESS && i < found; ++i) {
      auto of = sized<CUpti_PmSampling_CounterData_GetSampleInfo_Params>(
          CUpti_PmSampling_CounterData_GetSampleInfo_Params_STRUCT_SIZE);
      of.pPmSamplingObject = sampling_;
      of.pCounterDataImage = data_.data();
      of.counterDataImageSize = data_.size();
      of.sampleIndex = i;
      result = f_.sample_info(&of);
      if (result != CUPTI_SUCCESS) break;
      CounterSample sample{of.startTimestamp, of.endTimestamp, {}};
      result = host_.evaluate(data_, i, sample.values);
      if (result == CUPTI_SUCCESS) samples.push_back(std::move(sample));
    }
    return result;
  }

  std::string path_;
  Functions f_;
  MetricHost host_;
  CUpti_PmSampling_Object* sampling_ = nullptr;
  std::vector<std::uint8_t> data_;  // the library writes it while it decodes
  std::size_t most_ = 0;
};

}  // namespace

tl::expected<std::unique_ptr<SamplingApi>, Unavailable> bind_sampling(
    const std::string& path, const std::function<void*(const char*)>& resolve) {
  Functions f;
  FunctionLookup functions(resolve);
  f.metrics.find(functions);
  functions.find(f.availability, "cuptiPmSamplingGetCounterAvailability");
  functions.find(f.enable, "cuptiPmSamplingEnable");
  functions.find(f.disable, "cuptiPmSamplingDisable");
  functions.find(f.set_config, "cuptiPmSamplingSetConfig");
  functions.find(f.start, "cuptiPmSamplingStart");
  functions.find(f.stop, "cuptiPmSamplingStop");
  functions.find(f.decode, "cuptiPmSamplingDecodeData");
  functions.find(f.data_size, "cuptiPmSamplingGetCounterDataSize");
  functions.find(f.data_initialize, "cuptiPmSamplingCounterDataImageInitialize");
  functions.find(f.data_info, "cuptiPmSamplingGetCounterDataInfo");
  functions.find(f.sample_info, "cuptiPmSamplingCounterDataGetSampleInfo");
  if (!functions.missing().empty()) {
    return tl::unexpected<Unavailable>(
        Unavailable{fmt::format("{} lacks {}.", path, functions.missing()),
                    "PM sampling needs a libcupti of CUDA 12.6 or newer: point MAMBASCOPE_CUPTI at its folder."});
  }
  return std::make_unique<LiveSampling>(path, f);
}

tl::expected<std::unique_ptr<SamplingApi>, Unavailable> open_sampling() {
  if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) == nullptr) {
    return tl::unexpected<Unavailable>(
        Unavailable{"No NVIDIA driver on this machine (libcuda.so.1 is absent).", "Hardware samples are a GPU's."});
  }
  const auto library = open_cupti_library(cupti_candidates());
  if (!library) return tl::unexpected<Unavailable>(library.error());
  return bind_sampling(library->path, [handle = library->handle](const char* name) { return dlsym(handle, name); });
}

}  // namespace profiler
