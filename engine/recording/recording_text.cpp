#include "engine/recording/recording_text.h"

#include "engine/base/quote.h"
#include "engine/formats/config_json.h"
#include "engine/formats/json_text.h"
#include "engine/formats/task_json.h"
#include "engine/recording/intervention_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace engine {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* version = "1";
constexpr std::size_t most_stages = 1U << 15U;
constexpr std::int64_t longest = std::int64_t{1} << 40U;

std::string dump(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string backend_text(const BackendInfo& b) {
  return dump({{"name", b.name},
               {"device", b.device},
               {"detail", b.detail},
               {"products", b.products},
               {"state", b.state},
               {"is_gpu", b.is_gpu},
               {"graph", b.graph},
               {"threads", b.threads},
               {"weight_bytes", b.weight_bytes},
               {"state_bytes", b.state_bytes},
               {"l2_bytes", b.l2_bytes}});
}

std::string plan_text(const StepPlan& plan) {
  ordered_json stages = ordered_json::array();
  for (const Stage& stage : plan.stages)
    stages.push_back(
        {stage.layer, name_of(stage.kind), stage.cost.bytes_read, stage.cost.bytes_written, stage.cost.flops});
  return dump({{"variant", plan.variant}, {"batch", plan.batch}, {"stages", std::move(stages)}});
}

// Reads named texts and keeps the first fault.
class Reader {
 public:
  explicit Reader(const Metadata& metadata) : metadata_(metadata) {}

  const std::string& raw(const char* name) {
    static const std::string none;
    const auto at = metadata_.find(name);
    if (at != metadata_.end()) return at->second;
    fail(fmt::format("it has no {}", name));
    return none;
  }
  std::string text(const char* name) { return printable(valid_utf8(raw(name))); }
  std::int64_t whole(const char* name, std::int64_t least, std::int64_t most) {
    return whole(name, raw(name), least, most);
  }
  std::uint64_t hexadecimal(const char* name) {
    const std::string& word = raw(name);
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
    if (failure != std::errc() || end != word.data() + word.size()) fail(fmt::format("its {} is no number", name));
    return value;
  }
  // Ascending numbers below `end`, with commas between; may be empty.
  std::vector<int> layers(const char* name, int end) {
    std::vector<int> out;
    std::string_view rest = raw(name);
    while (!rest.empty() && fault_.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const auto layer = static_cast<int>(
          whole(name, rest.substr(0, comma), out.empty() ? 0 : std::int64_t{out.back()} + 1, std::int64_t{end} - 1));
      out.push_back(layer);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return out;
  }
  template <class T>
  void take(Result<T> value, T& out) {
    if (value) {
      out = std::move(*value);
    } else {
      fail(value.error().message);
    }
  }
  void fail(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
  }
  bool good() const { return fault_.empty(); }
  const std::string& fault() const { return fault_; }

 private:
  std::int64_t whole(const char* name, std::string_view word, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failure == std::errc() && end == word.data() + word.size() && value >= least && value <= most) return value;
    fail(fmt::format("its {} is {}; expected a whole number from {} to {}", name, in_quotes(word), least, most));
    return least;
  }

  const Metadata& metadata_;
  std::string fault_;
};

template <class T>
bool read_size(const json& value, T& out) {
  if (!value.is_number_unsigned()) return false;
  const auto number = value.get<std::uint64_t>();
  if (number > static_cast<std::uint64_t>(longest)) return false;
  out = static_cast<T>(number);
  return true;
}

Result<BackendInfo> backend_of(const std::string& text) {
  const auto object = parse_json_object(text, "its backend");
  if (!object) return tl::unexpected(object.error());
  BackendInfo out;
  for (const auto& [name, to] :
       {std::pair{"name", &out.name}, std::pair{"device", &out.device}, std::pair{"detail", &out.detail},
        std::pair{"products", &out.products}, std::pair{"state", &out.state}}) {
    const auto at = object->find(name);
    if (at == object->end() || !at->is_string()) return input_error(fmt::format("its backend has no {}", name));
    *to = printable(valid_utf8(at->get<std::string>()));
  }
  for (const auto& [name, to] : {std::pair{"is_gpu", &out.is_gpu}, std::pair{"graph", &out.graph}}) {
    const auto at = object->find(name);
    if (at == object->end() || !at->is_boolean()) return input_error(fmt::format("its backend has no {}", name));
    *to = at->get<bool>();
  }
  for (const auto& [name, to] : {std::pair{"weight_bytes", &out.weight_bytes},
                                 std::pair{"state_bytes", &out.state_bytes}, std::pair{"l2_bytes", &out.l2_bytes}}) {
    const auto at = object->find(name);
    if (at == object->end() || !read_size(*at, *to)) return input_error(fmt::format("its backend has no {}", name));
  }
  std::uint32_t threads = 0;
  const auto at = object->find("threads");
  if (at == object->end() || !read_size(*at, threads) || threads > 65536) {
    return input_error("its backend has no threads");
  }
  out.threads = static_cast<int>(threads);
  out.errors = true;  // a recording's tokens carry them, whoever measured them
  return out;
}

bool read_stage(const json& row, int layers, Stage& out) {
  if (!row.is_array() || row.size() != 5 || !row[0].is_number_integer() || !row[1].is_string()) return false;
  const auto layer = row[0].get<std::int64_t>();
  const auto kind = stage_kind(row[1].get<std::string>());
  if (layer < -1 || layer >= layers || !kind) return false;
  out.layer = static_cast<int>(layer);
  out.kind = *kind;
  return read_size(row[2], out.cost.bytes_read) && read_size(row[3], out.cost.bytes_written) &&
         read_size(row[4], out.cost.flops);
}

Result<StepPlan> plan_of(const std::string& text, int layers) {
  const auto object = parse_json_object(text, "its plan");
  if (!object) return tl::unexpected(object.error());
  const auto variant = object->find("variant"), batch = object->find("batch"), stages = object->find("stages");
  StepPlan plan;
  if (variant == object->end() || !variant->is_string() || batch == object->end() || !read_size(*batch, plan.batch) ||
      plan.batch < 1 || stages == object->end() || !stages->is_array() || stages->size() > most_stages) {
    return input_error("its plan is not a variant, a batch and a list of stages");
  }
  plan.variant = printable(valid_utf8(variant->get<std::string>()));
  for (const json& row : *stages) {
    Stage stage;
    stage.id = static_cast<int>(plan.stages.size());
    if (!read_stage(row, layers, stage)) {
      return input_error(fmt::format("stage {} of its plan is not known to this program", plan.stages.size()));
    }
    plan.stages.push_back(stage);
  }
  return plan;
}

void read_model(Reader& read, RecordingInfo& info) {
  info.model = read.text("model.name");
  read.take(parse_config(read.raw("model.config"), "its model.config"), info.config);
  info.config.a_activation = static_cast<AActivation>(read.whole("model.a_activation", 0, 1));
  info.weights = read.text("model.weights");
  info.config_digest = read.hexadecimal("model.config_digest");
  info.weights_digest = read.hexadecimal("model.weights_digest");
  if (const std::string& task = read.raw("model.task"); read.good() && !task.empty()) {
    TaskFile file;
    read.take(parse_task(task, "its model.task", info.config.vocab_size), file);
    info.card = std::move(file.card);
    info.config.lambda_override = file.lambda_override;
  }
}

}  // namespace

Metadata metadata_of(const RecordingInfo& info, const std::vector<Field>& fields) {
  Metadata out = {{"format", recording_format},
                  {"format_version", version},
                  {"program", info.program},
                  {"recorded_at", info.recorded_at},
                  {"model.name", info.model},
                  {"model.config", config_text(info.config)},
                  {"model.a_activation", std::to_string(static_cast<int>(info.config.a_activation))},
                  {"model.task", info.card.kind.empty() ? "" : task_text({info.card, info.config.lambda_override})},
                  {"model.weights", info.weights},
                  {"model.config_digest", fmt::format("{:016x}", info.config_digest)},
                  {"model.weights_digest", fmt::format("{:016x}", info.weights_digest)},
                  {"backend", backend_text(info.backend)},
                  {"plan", plan_text(info.plan)},
                  {"sampler", info.sampler},
                  {"seed", std::to_string(info.seed)},
                  {"interventions", text_of(info.interventions)},
                  {"state.cache_layers", fmt::format("{}", fmt::join(info.cache_layers, ","))},
                  {"state.ssm_layers", fmt::format("{}", fmt::join(info.ssm_layers, ","))},
                  {"state.every", std::to_string(info.ssm_every)},
                  {"top.choices", std::to_string(info.top)},
                  {"timing.source", info.timing_source}};
  for (auto& [name, text] : out) text = valid_utf8(text);
  for (const Field& field : fields) {
    const std::string name = field.name;
    out["axes." + name] = field.axes;
    out["unit." + name] = field.unit;
    out["about." + name] = field.about;
  }
  if (info.config.is_mimo) {
    out[std::string("axes.") + mimo_name] = mimo_axes;
    out[std::string("unit.") + mimo_name] = "1";
    out[std::string("about.") + mimo_name] = "the weights by which a rank's value is made of v";
  }
  return out;
}

bool is_recording(const Metadata& metadata) {
  const auto at = metadata.find("format");
  return at != metadata.end() && at->second == recording_format;
}

tl::unexpected<Error> no_recording(const std::string& where, std::string why) {
  if (!why.empty() && why.back() == '.') why.pop_back();
  return input_error(
      fmt::format("{} is not a recording that this program reads: {}. Record again.", in_quotes(where), why));
}

Result<RecordingInfo> info_of(const Metadata& metadata) {
  Reader read(metadata);
  if (!is_recording(metadata)) return input_error(fmt::format("its format is not {}", recording_format));
  if (const std::string& found = read.raw("format_version"); found != version) {
    return input_error(
        fmt::format("its format_version is {}, and this program reads version {}: a newer program may "
                    "open it",
                    in_quotes(found), version));
  }
  RecordingInfo info;
  info.program = read.text("program");
  info.recorded_at = read.text("recorded_at");
  read_model(read, info);
  if (read.good()) read.take(backend_of(read.raw("backend")), info.backend);
  if (read.good()) read.take(plan_of(read.raw("plan"), info.config.n_layer), info.plan);
  info.sampler = read.text("sampler");
  const std::string& seed = read.raw("seed");
  if (read.good()) {
    const auto [end, failure] = std::from_chars(seed.data(), seed.data() + seed.size(), info.seed);
    if (failure != std::errc() || end != seed.data() + seed.size()) read.fail("its seed is no number");
  }
  if (read.good()) read.take(interventions_of(read.raw("interventions")), info.interventions);
  if (!read.good()) return input_error(read.fault());
  for (std::size_t i = 0; i < info.interventions.size(); ++i) {
    if (const auto possible = check(info.interventions[i], info.config); !possible)
      return input_error(fmt::format("its intervention {} cannot be: {}", i + 1, possible.error().message));
  }
  info.cache_layers = read.layers("state.cache_layers", info.config.n_layer);
  info.ssm_layers = read.layers("state.ssm_layers", info.config.n_layer);
  info.ssm_every = read.whole("state.every", 0, longest);
  info.top = static_cast<int>(read.whole("top.choices", 1, 1024));
  info.timing_source = read.text("timing.source");
  if (!read.good()) return input_error(read.fault());
  return info;
}

}  // namespace engine
