#include "profiler/counters/metric_host.h"

#include <fmt/format.h>

namespace profiler {

void MetricFunctions::find(FunctionLookup& functions) {
  functions.find(start_profiler, "cuptiProfilerInitialize");
  functions.find(chip_name, "cuptiDeviceGetChipName");
  functions.find(initialize, "cuptiProfilerHostInitialize");
  functions.find(deinitialize, "cuptiProfilerHostDeinitialize");
  functions.find(properties, "cuptiProfilerHostGetMetricProperties");
  functions.find(add_metrics, "cuptiProfilerHostConfigAddMetrics");
  functions.find(config_size, "cuptiProfilerHostGetConfigImageSize");
  functions.find(config_image, "cuptiProfilerHostGetConfigImage");
  functions.find(passes, "cuptiProfilerHostGetNumOfPasses");
  functions.find(evaluate, "cuptiProfilerHostEvaluateToGpuValues");
  functions.find(result_string, "cuptiGetResultString", false);
}

CUptiResult MetricHost::identify(std::string& chip) const {
  auto initialize = sized<CUpti_Profiler_Initialize_Params>(CUpti_Profiler_Initialize_Params_STRUCT_SIZE);
  CUptiResult result = f_.start_profiler(&initialize);
  if (result != CUPTI_SUCCESS) return result;
  auto name = sized<CUpti_Device_GetChipName_Params>(CUpti_Device_GetChipName_Params_STRUCT_SIZE);
  name.deviceIndex = 0;  // the only one that this program uses
  result = f_.chip_name(&name);
  if (result == CUPTI_SUCCESS) chip = name.pChipName != nullptr ? name.pChipName : "";
  return result;
}

CUptiResult MetricHost::reopen() {
  close();
  auto host = sized<CUpti_Profiler_Host_Initialize_Params>(CUpti_Profiler_Host_Initialize_Params_STRUCT_SIZE);
  host.profilerType = type_;
  host.pChipName = chip_.c_str();
  host.pCounterAvailabilityImage = availability_.data();
  const CUptiResult result = f_.initialize(&host);
  host_ = host.pHostObject;
  return result;
}

void MetricHost::close() {
  if (host_ == nullptr) return;
  auto params = sized<CUpti_Profiler_Host_Deinitialize_Params>(CUpti_Profiler_Host_Deinitialize_Params_STRUCT_SIZE);
  params.pHostObject = host_;
  host_ = nullptr;
  f_.deinitialize(&params);
}

bool MetricHost::knows(const std::string& metric) {
  auto params =
      sized<CUpti_Profiler_Host_GetMetricProperties_Params>(CUpti_Profiler_Host_GetMetricProperties_Params_STRUCT_SIZE);
  params.pHostObject = host_;
  params.pMetricName = metric.c_str();
  return f_.properties(&params) == CUPTI_SUCCESS;
}

CUptiResult MetricHost::choose(const std::vector<std::string>& metrics, std::size_t& passes) {
  // A configuration only grows: another one begins anew.
  CUptiResult result = names_.empty() ? CUPTI_SUCCESS : reopen();
  if (result != CUPTI_SUCCESS) return result;
  metrics_ = metrics;
  names_.clear();
  for (const std::string& metric : metrics_) names_.push_back(metric.c_str());
  auto add =
      sized<CUpti_Profiler_Host_ConfigAddMetrics_Params>(CUpti_Profiler_Host_ConfigAddMetrics_Params_STRUCT_SIZE);
  add.pHostObject = host_;
  add.ppMetricNames = names_.data();
  add.numMetrics = names_.size();
  result = f_.add_metrics(&add);
  if (result != CUPTI_SUCCESS) return result;
  auto size =
      sized<CUpti_Profiler_Host_GetConfigImageSize_Params>(CUpti_Profiler_Host_GetConfigImageSize_Params_STRUCT_SIZE);
  size.pHostObject = host_;
  result = f_.config_size(&size);
  if (result != CUPTI_SUCCESS) return result;
  config_.resize(size.configImageSize);
  auto image = sized<CUpti_Profiler_Host_GetConfigImage_Params>(CUpti_Profiler_Host_GetConfigImage_Params_STRUCT_SIZE);
  image.pHostObject = host_;
  image.configImageSize = config_.size();
  image.pConfigImage = config_.data();
  result = f_.config_image(&image);
  if (result != CUPTI_SUCCESS) return result;
  auto count = sized<CUpti_Profiler_Host_GetNumOfPasses_Params>(CUpti_Profiler_Host_GetNumOfPasses_Params_STRUCT_SIZE);
  count.configImageSize = config_.size();
  count.pConfigImage = config_.data();
  result = f_.passes(&count);
  passes = count.numOfPasses;
  return result;
}

CUptiResult MetricHost::evaluate(const std::vector<std::uint8_t>& data, std::size_t range,
                                 std::vector<double>& values) {
  values.assign(names_.size(), 0);
  auto params =
      sized<CUpti_Profiler_Host_EvaluateToGpuValues_Params>(CUpti_Profiler_Host_EvaluateToGpuValues_Params_STRUCT_SIZE);
  params.pHostObject = host_;
  params.pCounterDataImage = data.data();
  params.counterDataImageSize = data.size();
  params.rangeIndex = range;
  params.ppMetricNames = names_.data();
  params.numMetrics = names_.size();
  params.pMetricValues = values.data();
  return f_.evaluate(&params);
}

std::string MetricHost::describe(int code) const {
  const char* text = nullptr;
  if (f_.result_string != nullptr && f_.result_string(static_cast<CUptiResult>(code), &text) == CUPTI_SUCCESS &&
      text != nullptr) {
    return text;
  }
  return fmt::format("CUPTI error {}", code);
}

}  // namespace profiler
