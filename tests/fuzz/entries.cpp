#include "tests/fuzz/entries.h"

#include "app/wiring/rank_family.h"
#include "app/wiring/recorded_profile.h"
#include "engine/formats/config_json.h"
#include "engine/formats/pickle.h"
#include "engine/formats/safetensors.h"
#include "engine/formats/shard_index.h"
#include "engine/formats/task_json.h"
#include "engine/formats/torch_file.h"
#include "engine/formats/zip_archive.h"
#include "engine/model/bind_weights.h"
#include "engine/model/model.h"
#include "engine/recording/intervention_text.h"
#include "engine/recording/recording.h"
#include "profiler/recording/profile_file.h"
#include "profiler/report/statistics.h"
#include "tests/support/zip_writer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace fuzz {

namespace {

using Bytes = std::span<const std::uint8_t>;

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void require(bool holds) {
  if (!holds) std::abort();
}

// An error is a message of bounded length and of the kind that ends with exit code 2.
void check_error(const engine::Error& error) {
  require(error.kind == engine::ErrorKind::input);
  require(!error.message.empty() && error.message.size() < 20000);
}

std::uint64_t sum_of(const void* data, std::size_t size) {
  std::uint64_t sum = 0;
  const auto* at = static_cast<const std::uint8_t*>(data);
  for (std::size_t i = 0; i < size; ++i) sum += at[i];
  return sum;
}

// Reads every byte; the volatile keeps the compiler from dropping that.
void touch(const void* data, std::size_t size) {
  volatile std::uint64_t sink = sum_of(data, size);
  static_cast<void>(sink);
}

// Views may share a storage, so the bytes that are read are bounded.
bool check_tensors(const engine::TensorFile& file) {
  std::size_t left = std::size_t{1} << 22U;
  for (const engine::Tensor& tensor : file.tensors) {
    std::uint64_t count = 1;
    for (const std::int64_t size : tensor.shape) count *= static_cast<std::uint64_t>(size);
    require(count * engine::size_of(tensor.type) == tensor.bytes.size());
    require(file.find(tensor.name) == &tensor);
    const std::size_t some = std::min(left, tensor.bytes.size());
    if (some > 0) touch(tensor.bytes.data(), 1);
    if (some > 0) touch(tensor.bytes.data() + tensor.bytes.size() - some, some);
    left -= some;
  }
  return true;
}

}  // namespace

bool zip_archive(Bytes bytes) {
  const auto archive = engine::parse_zip(std::as_bytes(bytes), "input");
  if (!archive) {
    check_error(archive.error());
    return false;
  }
  std::size_t covered = 0;
  for (const engine::ZipEntry& entry : archive->entries) {
    require(archive->find(entry.name) == &entry);
    require(entry.name.find("..") != 0 && entry.name[0] != '/');
    covered += entry.bytes.size();
    touch(entry.bytes.data(), entry.bytes.size());
  }
  require(covered <= bytes.size());
  return true;
}

bool torch_file(Bytes bytes) {
  const auto file = engine::parse_torch_file(std::as_bytes(bytes), "input");
  if (!file) {
    check_error(file.error());
    return false;
  }
  return check_tensors(*file);
}

bool state_dict(Bytes bytes) {
  // The machine alone first: a pickle from an archive points at no other bytes.
  const auto pickled = engine::parse_state_dict(std::as_bytes(bytes), "input");
  if (!pickled) check_error(pickled.error());
  std::vector<tests::ZipPart> parts = {{"m/data.pkl", std::string(text_of(bytes))}};
  for (const char* key : {"0", "1", "2", "3"}) {
    parts.push_back({std::string("m/data/") + key, std::string(64, key[0])});
    parts.back().alignment = 64;
  }
  const std::string archive = tests::write_zip(parts);
  const auto file = engine::parse_torch_file(std::as_bytes(std::span(archive)), "input");
  if (!file) {
    check_error(file.error());
    return false;
  }
  require(pickled && pickled->size() == file->tensors.size());
  return check_tensors(*file);
}

bool shard_index(Bytes bytes) {
  const auto index = engine::parse_shard_index(text_of(bytes), "input");
  if (!index) {
    check_error(index.error());
    return false;
  }
  require(!index->file_of.empty());
  for (const auto& [tensor, file] : index->file_of) {
    require(!file.empty() && file[0] != '.' && file.find('/') == std::string::npos);
  }
  return true;
}

bool safetensors(Bytes bytes) {
  const auto file = engine::parse_safetensors(std::as_bytes(bytes), "input");
  if (!file) {
    check_error(file.error());
    return false;
  }
  std::size_t covered = 0;
  for (const engine::Tensor& tensor : file->tensors) {
    covered += tensor.bytes.size();
    require(file->find(tensor.name) == &tensor);
    require(static_cast<std::size_t>(tensor.count()) * engine::size_of(tensor.type) == tensor.bytes.size());
    touch(tensor.bytes.data(), tensor.bytes.size());
    static_cast<void>(engine::count_not_finite(tensor));
    if (const auto floats = engine::to_floats(tensor))
      require(floats->size() == static_cast<std::size_t>(tensor.count()));
    if (const auto ids = engine::to_integers(tensor)) require(ids->size() == static_cast<std::size_t>(tensor.count()));
  }
  require(covered <= bytes.size());
  return true;
}

bool config_json(Bytes bytes) {
  const auto config = engine::parse_config(text_of(bytes), "input");
  if (!config) {
    check_error(config.error());
    return false;
  }
  // Every derived size is positive and adds up: nothing has overflowed.
  require(config->heads() > 0 && config->heads() * config->headdim == config->d_inner());
  require(config->angles() > 0 && config->angles() <= config->d_state / 2);
  require(config->padded_vocab() >= config->vocab_size);
  require(config->mlp_width() >= config->d_intermediate);
  const engine::InProjLayout at = config->in_proj();
  require(at.x > at.z && at.b > at.x && at.c > at.b && at.dd_dt > at.c && at.angle > at.trap && at.rows > at.angle);
  return true;
}

bool task_json(Bytes bytes) {
  auto task = engine::parse_task(text_of(bytes), "input", 16);
  if (!task) task = engine::parse_task(text_of(bytes), "input", 256);  // bytes are a vocabulary of exactly 256
  if (!task) {
    check_error(task.error());
    return false;
  }
  require(task->lambda_override <= 1);
  engine::Model model;
  model.card = std::move(task->card);
  for (const std::string& prompt : model.card.prompts) {
    if (const auto ids = model.encode(prompt)) {
      for (const std::int32_t id : *ids) require(!model.symbol(id).empty());
      if (model.card.bytes) require(model.bytes_of(*ids) == prompt);
    }
  }
  return true;
}

bool model(Bytes bytes) {
  const auto split = std::find(bytes.begin(), bytes.end(), std::uint8_t{0});
  const auto config =
      engine::parse_config(text_of(bytes.first(static_cast<std::size_t>(split - bytes.begin()))), "input");
  if (!config || split == bytes.end()) return false;
  auto file = engine::parse_safetensors(
      std::as_bytes(bytes.subspan(static_cast<std::size_t>(split - bytes.begin()) + 1)), "input");
  if (!file) return false;
  const auto weights =
      engine::bind_weights(std::make_shared<const engine::TensorFile>(std::move(*file)), *config, "input");
  if (!weights) {
    check_error(weights.error());
    return false;
  }
  touch(weights->embedding.data, weights->embedding.bytes());
  touch(weights->head.data, weights->head.bytes());
  for (const engine::LayerWeights& layer : weights->layers) {
    touch(layer.in_proj.data, layer.in_proj.bytes());
    touch(layer.out_proj.data, layer.out_proj.bytes());
    require(layer.norm.size() == static_cast<std::size_t>(config->d_model));
  }
  return true;
}

namespace {

// Everything that a view or an export asks of the times.
void look_at(const std::vector<std::shared_ptr<const profiler::TokenTimes>>& tokens, std::size_t stages,
             std::size_t names) {
  require(!tokens.empty() && stages > 0);
  std::vector<std::int64_t> each(stages);
  for (const auto& token : tokens) {
    const profiler::TokenAccount account = profiler::account(*token, each);
    require(account.wall_ns >= 0 && account.stages_ns >= 0 && account.busy_ns >= 0);
    for (const profiler::StageTime& piece : token->stages) {
      require(piece.tag.stage < stages || piece.tag.stage == profiler::between_stages);
      require(piece.name < names && piece.duration_ns >= 0);
      require(piece.start_ns <= INT64_MAX - piece.duration_ns);
    }
  }
}

}  // namespace

namespace {

void look_at(const app::ProfileResult& profile) {
  look_at(profile.tokens, profile.plan.stages.size(), std::max<std::size_t>(1, profile.names.size()));
  require(profile.kernels.size() == profile.plan.stages.size());
  require(profile.config.headdim > 0 && profile.config.heads() >= 0);
  std::uint64_t moved = 0;
  for (const engine::Stage& stage : profile.plan.stages) {
    require(moved + stage.cost.bytes() >= moved);
    moved += stage.cost.bytes();
  }
}

}  // namespace

bool profile(Bytes bytes) {
  const auto profile = app::read_recording(std::as_bytes(bytes), "input");
  if (!profile) {
    check_error(profile.error());
    return false;
  }
  look_at(*profile);
  return true;
}

bool profile_family(Bytes bytes) {
  const auto family = app::read_family(std::as_bytes(bytes), "input");
  if (!family) {
    check_error(family.error());
    return false;
  }
  require(!family->runs.empty());
  int before = 0;
  for (const app::RankRun& run : family->runs) {
    require(run.rank > before);
    before = run.rank;
    look_at(run.result);
  }
  return true;
}

bool profile_unpacked(Bytes bytes) {
  const auto split = std::find(bytes.begin(), bytes.end(), std::uint8_t{0});
  if (split == bytes.end()) return false;
  const std::string_view text = text_of(bytes);
  const auto at = static_cast<std::size_t>(split - bytes.begin());
  const auto profile = profiler::decode_unpacked(text.substr(0, at), text.substr(at + 1));
  if (!profile) {
    require(!profile.error().empty() && profile.error().size() < 20000);
    return false;
  }
  look_at(profile->tokens, profile->stages.size(), profile->names.size());
  // What was taken can be kept, and is the same again.
  const auto again = profiler::encode(*profile);
  require(again.has_value());
  const auto back = profiler::decode(std::as_bytes(std::span(again->data(), again->size())));
  require(back.has_value() && back->tokens.size() == profile->tokens.size());
  return true;
}

bool recording(Bytes bytes) {
  const auto opened = engine::Recording::parse(std::as_bytes(bytes), "input");
  if (!opened) {
    check_error(opened.error());
    return false;
  }
  const engine::Recording& recording = **opened;
  const engine::RecordingInfo& info = recording.info();
  require(recording.tokens() > 0 && recording.tokens() <= static_cast<std::int64_t>(bytes.size()));
  const auto layers = static_cast<std::size_t>(info.config.n_layer);
  require(recording.model()->weights.layers.size() == layers);
  const auto again = engine::interventions_of(engine::text_of(info.interventions));
  require(again.has_value() && *again == info.interventions);
  for (std::int64_t i = 0; i < std::min<std::int64_t>(recording.tokens(), 64); ++i) {
    for (const engine::Field& field : recording.fields()) {
      if (!field.has(i)) continue;
      const auto row = recording.row(field, i);
      require(row.size() == field.row_bytes);
      touch(row.data(), row.size());
    }
    const auto token = recording.token(i);
    require(token->position == i && token->id >= 0 && token->id < info.config.vocab_size);
    require(token->state != nullptr && token->state->layers.size() == layers);
    require(token->state->bytes() <= bytes.size());
    const engine::StepTimes times = recording.times(i);
    require(times.start_ns.size() == times.duration_ns.size());
  }
  return true;
}

}  // namespace fuzz
