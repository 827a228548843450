#include "profiler/recording/header.h"

#include "profiler/recording/fields.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace profiler {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int deepest = 4;
constexpr std::size_t most_stages = between_stages, most_names = 65536, most_metrics = 64;
constexpr std::uint64_t most_cost = std::uint64_t{1} << 46;  // of a stage: 65535 of them add up without overflow
constexpr std::size_t most_samples = std::size_t{1} << 17;
constexpr std::uint64_t longest_interval_ns = std::uint64_t{1} << 32;
constexpr std::uint64_t most_count = std::uint64_t{1} << 53;

const char* source_name(TimeSource source) {
  return source == TimeSource::cupti ? "cupti" : source == TimeSource::cpu_clock ? "cpu_clock" : "none";
}

ordered_json stages_json(const std::vector<RecordedStage>& stages) {
  ordered_json out = {{"layer", ordered_json::array()},
                      {"kind", ordered_json::array()},
                      {"bytes_read", ordered_json::array()},
                      {"bytes_written", ordered_json::array()},
                      {"flops", ordered_json::array()}};
  for (const RecordedStage& stage : stages) {
    out["layer"].push_back(stage.layer);
    out["kind"].push_back(stage.kind);
    out["bytes_read"].push_back(stage.bytes_read);
    out["bytes_written"].push_back(stage.bytes_written);
    out["flops"].push_back(stage.flops);
  }
  return out;
}

std::uint64_t cost_at(const json* list, std::size_t at, Fields& fields, const char* name) {
  const json& value = (*list)[at];
  if (value.is_number_unsigned() && value.get<std::uint64_t>() <= most_cost) return value.get<std::uint64_t>();
  fields.wrong(name, "has an entry that is no whole number in range");
  return 0;
}

std::vector<RecordedStage> read_stages(const json& object, std::string& problem) {
  Fields fields(object, problem);
  const json *layers = fields.list("layer", most_stages), *kinds = fields.list("kind", most_stages),
             *read = fields.list("bytes_read", most_stages), *written = fields.list("bytes_written", most_stages),
             *flops = fields.list("flops", most_stages);
  if (!problem.empty()) return {};
  const std::size_t count = layers->size();
  if (count == 0) fields.wrong("layer", "names no stage");
  for (const json* list : {kinds, read, written, flops})
    if (list->size() != count) fields.wrong("stages", "has lists of different lengths");
  std::vector<RecordedStage> out;
  for (std::size_t i = 0; i < count && problem.empty(); ++i) {
    RecordedStage stage;
    const json &layer = (*layers)[i], &kind = (*kinds)[i];
    if (!layer.is_number_integer() || (layer.is_number_unsigned() && layer.get<std::uint64_t>() >= between_stages) ||
        layer.get<std::int64_t>() < -1 || layer.get<std::int64_t>() >= between_stages)
      fields.wrong("layer", "has an entry that is no layer");
    else
      stage.layer = layer.get<int>();
    if (!kind.is_string() || kind.get_ref<const std::string&>().size() > longest_text)
      fields.wrong("kind", "has an entry that is no text");
    else
      stage.kind = kind.get<std::string>();
    stage.bytes_read = cost_at(read, i, fields, "bytes_read");
    stage.bytes_written = cost_at(written, i, fields, "bytes_written");
    stage.flops = cost_at(flops, i, fields, "flops");
    out.push_back(std::move(stage));
  }
  return out;
}

ordered_json status_json(const ProfilerStatus& status) {
  return {{"source", source_name(status.source)},
          {"tier", status.tier},
          {"available", status.available},
          {"reason", status.reason},
          {"remedy", status.remedy},
          {"library", status.library},
          {"version", status.version},
          {"records", status.records},
          {"dropped", status.dropped},
          {"invalid", status.invalid},
          {"untagged", status.untagged},
          {"unattributed", status.unattributed},
          {"clock_uncertainty_ns", status.clock_uncertainty_ns},
          {"overhead_ns", status.overhead_ns}};
}

ProfilerStatus read_status(const json& object, std::string& problem) {
  Fields fields(object, problem);
  ProfilerStatus status;
  const std::string source = fields.text("source");
  status.source = source == "cupti"       ? TimeSource::cupti
                  : source == "cpu_clock" ? TimeSource::cpu_clock
                                          : TimeSource::none;
  if (source != source_name(status.source)) fields.wrong("source", "names no clock");
  status.tier = static_cast<int>(fields.count("tier", 9));
  status.available = fields.flag("available");
  status.reason = fields.text("reason");
  status.remedy = fields.text("remedy");
  status.library = fields.text("library");
  status.version = fields.text("version");
  status.records = fields.count("records", most_count);
  status.dropped = fields.count("dropped", most_count);
  status.invalid = fields.count("invalid", most_count);
  status.untagged = fields.count("untagged", most_count);
  status.unattributed = fields.count("unattributed", most_count);
  status.clock_uncertainty_ns = static_cast<std::int64_t>(fields.count("clock_uncertainty_ns", most_count));
  status.overhead_ns = static_cast<std::int64_t>(fields.count("overhead_ns", most_count));
  return status;
}

std::vector<std::pair<std::string, double>> read_shape(const json& object, std::string& problem) {
  Fields fields(object, problem);
  std::vector<std::pair<std::string, double>> out;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_number() || name.size() > longest_text || !(std::abs(value.get<double>()) < 1e15))
      fields.wrong("shape", "has an entry that is no number in range");
    else
      out.emplace_back(name, value.get<double>());
  }
  return out;
}

std::vector<std::string> read_names(const json& list, std::string& problem) {
  std::vector<std::string> out;
  for (const json& name : list) {
    if (!name.is_string() || name.get_ref<const std::string&>().size() > longest_text) {
      problem = "its list of names has an entry that is no text";
      return {};
    }
    out.push_back(name.get<std::string>());
  }
  return out;
}

ordered_json counters_json(const RecordedCounters& counters) {
  ordered_json values = ordered_json::array();
  for (const std::vector<double>& metric : counters.values) {
    ordered_json column = ordered_json::array();
    for (const double value : metric) column.push_back(std::isfinite(value) ? ordered_json(value) : ordered_json());
    values.push_back(std::move(column));
  }
  return {{"chip", counters.chip},       {"library", counters.library},     {"metrics", counters.metrics},
          {"missing", counters.missing}, {"passes", counters.passes},       {"dropped", counters.dropped},
          {"seconds", counters.seconds}, {"same_bits", counters.same_bits}, {"values", std::move(values)}};
}

// Lists of numbers, null where there is none.
std::vector<std::vector<double>> read_columns(Fields& fields, const json& columns, std::size_t length,
                                              const char* one_for_each) {
  std::vector<std::vector<double>> out;
  for (const json& column : columns) {
    if (!column.is_array() || column.size() != length) {
      fields.wrong("values", fmt::format("has a column that is not one value for each {}", one_for_each).c_str());
      return {};
    }
    std::vector<double> numbers;
    for (const json& value : column) {
      const bool number = value.is_number();
      if (!number && !value.is_null()) fields.wrong("values", "has an entry that is no number");
      numbers.push_back(number ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
    }
    out.push_back(std::move(numbers));
  }
  return out;
}

RecordedCounters read_counters(const json& object, std::size_t stages, std::string& problem) {
  Fields fields(object, problem);
  RecordedCounters out;
  out.chip = fields.text("chip");
  out.library = fields.text("library");
  out.passes = fields.count("passes", most_metrics);
  out.dropped = fields.count("dropped", most_count);
  out.seconds = fields.number("seconds");
  out.same_bits = fields.flag("same_bits");
  const json *metrics = fields.list("metrics", most_metrics), *missing = fields.list("missing", most_metrics),
             *values = fields.list("values", most_metrics);
  if (!problem.empty()) return out;
  out.metrics = read_names(*metrics, problem);
  out.missing = read_names(*missing, problem);
  if (problem.empty() && values->size() != out.metrics.size()) fields.wrong("values", "has no column for each metric");
  if (problem.empty()) out.values = read_columns(fields, *values, stages, "stage");
  return out;
}

// A thousandth of a per cent is finer than any counter's step; more digits only fill the file.
double rounded(double value) { return std::round(value * 1e3) / 1e3; }

ordered_json columns_json(const std::vector<std::vector<double>>& columns) {
  ordered_json out = ordered_json::array();
  for (const std::vector<double>& column : columns) {
    ordered_json entries = ordered_json::array();
    for (const double value : column)
      entries.push_back(std::isfinite(value) ? ordered_json(rounded(value)) : ordered_json());
    out.push_back(std::move(entries));
  }
  return out;
}

ordered_json samples_json(const RecordedSamples& samples) {
  return {{"chip", samples.chip},       {"library", samples.library},         {"metrics", samples.metrics},
          {"missing", samples.missing}, {"interval_ns", samples.interval_ns}, {"overflow", samples.overflow},
          {"tokens", samples.tokens},   {"start_ns", samples.start_ns},       {"values", columns_json(samples.values)}};
}

// Whole numbers from 0 to `most`, as many as there are samples.
template <class Number>
std::vector<Number> read_whole(Fields& fields, const char* name, std::uint64_t most) {
  std::vector<Number> out;
  if (const json* list = fields.list(name, most_samples)) {
    for (const json& value : *list) {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
        fields.wrong(name, "has an entry that is no whole number in range");
        return {};
      }
      out.push_back(static_cast<Number>(value.get<std::uint64_t>()));
    }
  }
  return out;
}

RecordedSamples read_samples(const json& object, std::string& problem) {
  Fields fields(object, problem);
  RecordedSamples out;
  out.chip = fields.text("chip");
  out.library = fields.text("library");
  out.interval_ns = static_cast<std::int64_t>(fields.count("interval_ns", longest_interval_ns));
  out.overflow = fields.flag("overflow");
  out.tokens = read_whole<std::uint32_t>(fields, "tokens", std::numeric_limits<std::uint32_t>::max());
  out.start_ns = read_whole<std::int64_t>(fields, "start_ns", std::uint64_t{1} << 40U);
  const json *metrics = fields.list("metrics", most_metrics), *missing = fields.list("missing", most_metrics),
             *values = fields.list("values", most_metrics);
  if (!problem.empty()) return out;
  out.metrics = read_names(*metrics, problem);
  out.missing = read_names(*missing, problem);
  if (out.interval_ns == 0) fields.wrong("interval_ns", "is 0");
  if (out.start_ns.size() != out.tokens.size()) fields.wrong("start_ns", "is not one time for each sample");
  if (problem.empty() && values->size() != out.metrics.size()) fields.wrong("values", "has no column for each metric");
  if (problem.empty()) out.values = read_columns(fields, *values, out.tokens.size(), "sample");
  return out;
}

}  // namespace

std::string header_text(const RecordedProfile& p, std::size_t tokens, std::size_t pieces) {
  ordered_json shape = ordered_json::object();
  for (const auto& [name, value] : p.shape) shape[name] = value;
  ordered_json header = {{"program", p.program},
                         {"recorded_at", p.recorded_at},
                         {"model", p.model},
                         {"variant", p.variant},
                         {"weights", p.weights},
                         {"backend", p.backend},
                         {"device", p.device},
                         {"detail", p.detail},
                         {"products", p.products},
                         {"state", p.state},
                         {"is_gpu", p.is_gpu},
                         {"graph", p.graph},
                         {"threads", p.threads},
                         {"batch", p.batch},
                         {"warmup", p.warmup},
                         {"seed", p.seed},
                         {"shape", std::move(shape)},
                         {"status", status_json(p.status)},
                         {"copy_bytes_per_second", p.copy_bytes_per_second},
                         {"stages", stages_json(p.stages)},
                         {"names", p.names},
                         {"tokens", tokens},
                         {"pieces", pieces}};
  if (p.ahead) header["ahead"] = true;
  if (p.cost)
    header["cost_of_cupti"] = {{"wall_us_with", p.cost->wall_us_with},
                               {"wall_us_without", p.cost->wall_us_without},
                               {"problem", p.cost->problem}};
  if (p.fp32_flops_per_second > 0)
    header["peak"] = {{"fp32_flops_per_second", p.fp32_flops_per_second}, {"source", p.peak_source}};
  if (p.counters) header["counters"] = counters_json(*p.counters);
  if (p.samples) header["samples"] = samples_json(*p.samples);
  return header.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

tl::expected<Header, std::string> parse_header(std::string_view text) {
  // Too deep an entry is dropped while parsing, and then missed or of another type.
  const json object = json::parse(
      text, [](int depth, json::parse_event_t, const json&) { return depth <= deepest; }, false);
  if (!object.is_object()) return tl::unexpected<std::string>("its header is no JSON object");
  std::string problem;
  Fields fields(object, problem);
  Header out;
  RecordedProfile& p = out.profile;
  p.program = fields.text("program");
  p.recorded_at = fields.text("recorded_at");
  p.model = fields.text("model");
  p.variant = fields.text("variant");
  p.weights = fields.text("weights");
  p.backend = fields.text("backend");
  p.device = fields.text("device");
  p.detail = fields.text("detail");
  p.products = fields.text("products");
  p.state = fields.text("state");
  p.is_gpu = fields.flag("is_gpu");
  p.graph = fields.flag("graph");
  if (object.contains("ahead")) p.ahead = fields.flag("ahead");
  if (p.ahead && !p.is_gpu) fields.wrong("ahead", "is of a GPU's steps alone");
  p.threads = static_cast<int>(fields.count("threads", 1U << 20U));
  p.batch = static_cast<int>(fields.count("batch", 1U << 20U));
  if (p.batch == 0) fields.wrong("batch", "is 0");
  p.warmup = static_cast<int>(fields.count("warmup", 1U << 30U));
  p.seed = fields.count("seed", std::numeric_limits<std::uint64_t>::max());
  p.copy_bytes_per_second = fields.number("copy_bytes_per_second");
  out.tokens = fields.count("tokens", most_count);
  out.pieces = fields.count("pieces", most_count);
  if (const json* shape = fields.object("shape")) p.shape = read_shape(*shape, problem);
  if (const json* status = fields.object("status")) p.status = read_status(*status, problem);
  if (const json* stages = fields.object("stages")) p.stages = read_stages(*stages, problem);
  if (const json* names = fields.list("names", most_names)) p.names = read_names(*names, problem);
  if (p.names.empty()) fields.wrong("names", "lacks the empty name in front");
  if (object.contains("cost_of_cupti")) {
    if (const json* cost = fields.object("cost_of_cupti")) {
      Fields of_cost(*cost, problem);
      p.cost = RecordedCost{of_cost.number("wall_us_with"), of_cost.number("wall_us_without"), of_cost.text("problem")};
    }
  }
  if (object.contains("peak")) {
    if (const json* peak = fields.object("peak")) {
      Fields of_peak(*peak, problem);
      p.fp32_flops_per_second = of_peak.number("fp32_flops_per_second");
      p.peak_source = of_peak.text("source");
    }
  }
  if (object.contains("counters")) {
    if (const json* counters = fields.object("counters"))
      p.counters = read_counters(*counters, p.stages.size(), problem);
  }
  if (object.contains("samples")) {
    if (const json* samples = fields.object("samples")) p.samples = read_samples(*samples, problem);
  }
  if (!problem.empty()) return tl::unexpected(problem);
  return out;
}

}  // namespace profiler
