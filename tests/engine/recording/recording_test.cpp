#include "engine/formats/safetensors.h"
#include "engine/recording/digest.h"
#include "engine/recording/intervention_text.h"
#include "engine/recording/model_digest.h"
#include "engine/recording/recording_text.h"
#include "tests/support/recorded.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace {

using engine::Recording;

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The recording reads the bytes as long as it lives.
engine::Result<std::shared_ptr<const Recording>> parse(const std::string& bytes) {
  return Recording::parse(std::as_bytes(std::span(bytes)), "a test's bytes");
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool same_layer(const engine::LayerState& a, const engine::LayerState& b, bool with_ssm) {
  return same(a.angle, b.angle) && same(a.turns, b.turns) && same(a.k, b.k) && same(a.v, b.v) &&
         (with_ssm ? same(a.ssm, b.ssm) : b.ssm.empty());
}

void check_same(const engine::TokenRecord& a, const engine::TokenRecord& b, bool with_ssm = true) {
  CHECK(a.position == b.position);
  CHECK(a.id == b.id);
  CHECK(a.origin == b.origin);
  CHECK(a.truth == b.truth);
  CHECK(a.predicted == b.predicted);
  CHECK(a.probability == b.probability);
  CHECK(a.entropy_bits == b.entropy_bits);
  CHECK(a.kl_bits == b.kl_bits);
  REQUIRE(a.top.size() == b.top.size());
  for (std::size_t i = 0; i < a.top.size(); ++i) {
    CHECK(a.top[i].id == b.top[i].id);
    CHECK(a.top[i].logit == b.top[i].logit);
    CHECK(a.top[i].probability == b.top[i].probability);
  }
  const engine::StepCoefficients &c = a.coefficients, &d = b.coefficients;
  CHECK((same(c.dt, d.dt) && same(c.a, d.a) && same(c.lambda, d.lambda) && same(c.alpha, d.alpha)));
  CHECK((same(c.beta, d.beta) && same(c.gamma, d.gamma) && same(c.turn, d.turn)));
  if (!a.error_stored.empty()) CHECK(same(a.error_stored, b.error_stored));
  REQUIRE(a.state->layers.size() == b.state->layers.size());
  for (std::size_t l = 0; l < a.state->layers.size(); ++l)
    CHECK(same_layer(a.state->layers[l], b.state->layers[l], with_ssm));
}

const std::vector<std::int32_t> ids = {1, 0, 1, 1, 0, 1, 0};

// Puts text of the same length in the place of another, which must be there.
std::string changed(std::string bytes, const std::string& from, const std::string& to) {
  REQUIRE(from.size() == to.size());
  const std::size_t at = bytes.find(from);
  CAPTURE(from);
  REQUIRE(at != std::string::npos);
  return bytes.replace(at, from.size(), to);
}

// The same where the text has another length: the header says how long it is.
std::string exchanged(const std::string& bytes, const std::string& from, const std::string& to) {
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  std::string header = bytes.substr(sizeof(size), size);
  const std::size_t at = header.find(from);
  REQUIRE(at != std::string::npos);
  header.replace(at, from.size(), to);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t now = header.size();
  return std::string(reinterpret_cast<const char*>(&now), sizeof(now)) + header + bytes.substr(sizeof(size) + size);
}

}  // namespace

TEST_CASE("a recording gives back every number of every token, SISO and MIMO") {
  for (const bool mimo : {false, true}) {
    CAPTURE(mimo);
    const tests::TemporaryFolder folder;
    tests::FakeShape shape;
    shape.layers = 2;
    shape.mimo = mimo;
    const auto snapshot = tests::fake_snapshot(shape, ids);
    const std::string path = folder.file("a.safetensors");
    tests::write_recording(*snapshot, tests::info_of(*snapshot), path);
    CHECK_FALSE(std::filesystem::exists(path + ".part"));
    const auto recording = Recording::open(path);
    if (!recording) FAIL(recording.error().message);
    REQUIRE((*recording)->tokens() == static_cast<std::int64_t>(ids.size()));
    CHECK((*recording)->cut_words().empty());
    for (std::size_t i = 0; i < ids.size(); ++i)
      check_same(*snapshot->tokens[i], *(*recording)->token(static_cast<std::int64_t>(i)));
    CHECK((*recording)->info().words() == "recorded on a test's machine, 2026-11-23");
    CHECK(engine::check_same_model((*recording)->info(), *snapshot->model).has_value());
    engine::Model other = *snapshot->model;
    other.weights.config.a_floor = 0.5;
    CHECK_FALSE(engine::check_same_model((*recording)->info(), other).has_value());
    other = *snapshot->model;
    other.weights.norm_f.push_back(1);
    CHECK_FALSE(engine::check_same_model((*recording)->info(), other).has_value());

    // Any reader of safetensors takes the file, and its metadata name the axes.
    const auto file = engine::read_safetensors(path);
    REQUIRE(file.has_value());
    for (const engine::Tensor& tensor : file->tensors) {
      const auto axes = file->metadata.find("axes." + tensor.name);
      CAPTURE(tensor.name);
      REQUIRE(axes != file->metadata.end());
      CHECK(std::count(axes->second.begin(), axes->second.end(), ',') + 1 ==
            static_cast<std::int64_t>(tensor.shape.size()));
      CHECK(file->metadata.count("unit." + tensor.name) == 1);
    }
  }
}

TEST_CASE("chosen layers and every K-th state only") {
  const tests::TemporaryFolder folder;
  tests::FakeShape shape;
  shape.layers = 3;
  const auto snapshot = tests::fake_snapshot(shape, ids);
  engine::RecordingInfo info = tests::info_of(*snapshot);
  info.cache_layers = {0, 2};
  info.ssm_layers = {2};
  info.ssm_every = 3;
  const std::string path = folder.file("a.safetensors");
  tests::write_recording(*snapshot, info, path);
  const auto recording = Recording::open(path);
  REQUIRE(recording.has_value());
  CHECK(engine::read_safetensors(path)->find("state.ssm")->shape.front() == 3);
  for (std::int64_t i = 0; i < 7; ++i) {
    const auto token = (*recording)->token(i);
    const auto& expected = snapshot->tokens[static_cast<std::size_t>(i)]->state->layers;
    CHECK(same_layer(expected[0], token->state->layers[0], false));
    CHECK(token->state->layers[1].bytes() == 0);
    CHECK(same_layer(expected[2], token->state->layers[2], i % 3 == 0));
  }
}

TEST_CASE("what a record has lost is not held, and what is not finite stays so") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, ids);
  engine::TokenRecord bare = *snapshot->tokens[1];
  auto none = std::make_shared<engine::SequenceState>();
  none->layers.resize(1);
  bare.state = none;
  bare.coefficients = {};
  bare.top = {};
  snapshot->tokens.replace(1, std::make_shared<const engine::TokenRecord>(bare));
  engine::TokenRecord wild = *snapshot->tokens[2];
  wild.coefficients.alpha.front() = std::numeric_limits<float>::quiet_NaN();
  wild.entropy_bits = std::numeric_limits<float>::infinity();
  snapshot->tokens.replace(2, std::make_shared<const engine::TokenRecord>(wild));
  const std::string path = folder.file("a.safetensors");
  tests::write_recording(*snapshot, tests::info_of(*snapshot), path);
  const auto recording = Recording::open(path);
  REQUIRE(recording.has_value());
  CHECK((*recording)->token(1)->coefficients.dt.empty());
  CHECK((*recording)->token(1)->top.empty());
  CHECK((*recording)->token(1)->state->bytes() == 0);
  CHECK(std::isnan((*recording)->token(2)->coefficients.alpha.front()));
  CHECK(std::isinf((*recording)->token(2)->entropy_bits));
}

TEST_CASE("a journal cut at any byte opens up to its last complete token") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, ids);
  const std::string path = folder.file("a.safetensors");
  const engine::RecordingInfo info = tests::info_of(*snapshot);
  tests::write_recording(*snapshot, info, path, true);
  const std::string bytes = content(path + ".part");
  const std::size_t block = engine::block_head + engine::block_bytes(engine::fields_of(info), 0);
  const std::size_t head = bytes.size() - ids.size() * block;
  for (std::size_t size = 0; size <= bytes.size(); size += size < head ? 101 : 97) {
    CAPTURE(size);
    const std::string kept = bytes.substr(0, size);  // a recording looks at these bytes as long as it lives
    const auto cut = parse(kept);
    const std::int64_t whole = size < head ? 0 : static_cast<std::int64_t>((size - head) / block);
    REQUIRE(cut.has_value() == (whole > 0));
    if (!cut) CHECK(cut.error().kind == engine::ErrorKind::input);
    if (!cut) continue;
    CHECK((*cut)->tokens() == whole);
    CHECK_FALSE((*cut)->cut_words().empty());
    check_same(*snapshot->tokens[static_cast<std::size_t>(whole - 1)], *(*cut)->token(whole - 1));
  }
  // A byte that changed within a block, as a lost page does, ends it there.
  std::string spoilt = bytes;
  spoilt[head + 3 * block + 200] ^= 1;
  CHECK((*parse(spoilt))->tokens() == 3);
  // So do blocks that were swapped.
  spoilt = bytes;
  std::swap_ranges(spoilt.begin() + static_cast<std::ptrdiff_t>(head + block),
                   spoilt.begin() + static_cast<std::ptrdiff_t>(head + 2 * block),
                   spoilt.begin() + static_cast<std::ptrdiff_t>(head + 2 * block));
  CHECK((*parse(spoilt))->tokens() == 1);
  CHECK_FALSE(parse(changed(bytes, "token,layer,head", "token,head,layer")).has_value());
  // What is there becomes a file.
  std::ofstream(folder.file("cut.part"), std::ios::binary) << bytes.substr(0, head + 3 * block - 1);
  REQUIRE(engine::finish_journal(folder.file("cut.part"), folder.file("cut.safetensors"), {}).has_value());
  CHECK((*Recording::open(folder.file("cut.safetensors")))->tokens() == 2);
}

TEST_CASE("a finished file that lost its end opens up to its last complete state, or says why not") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, ids);
  const std::string path = folder.file("a.safetensors");
  const engine::RecordingInfo info = tests::info_of(*snapshot);
  tests::write_recording(*snapshot, info, path);
  const std::string bytes = content(path);
  const std::size_t row = engine::fields_of(info).back().row_bytes, states = bytes.size() - ids.size() * row;
  for (std::size_t size = 0; size <= bytes.size(); size += 211) {
    CAPTURE(size);
    const std::string kept = bytes.substr(0, size);  // a recording looks at these bytes as long as it lives
    const auto cut = parse(kept);
    const std::int64_t whole = size < states ? 0 : static_cast<std::int64_t>((size - states) / row);
    REQUIRE(cut.has_value() == (whole > 0));
    if (!cut) continue;
    CHECK((*cut)->tokens() == whole);
    check_same(*snapshot->tokens[static_cast<std::size_t>(whole - 1)], *(*cut)->token(whole - 1));
  }
}

TEST_CASE("whatever does not fit is refused with what is wrong") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, ids);
  const std::string path = folder.file("a.safetensors");
  tests::write_recording(*snapshot, tests::info_of(*snapshot), path);
  const std::string bytes = content(path);
  REQUIRE(parse(bytes).has_value());
  struct Row {
    const char *from, *to, *says;
  };
  for (const Row& row :
       {Row{"mambascope-recording", "mambascope-recordinG", "format"},
        Row{"\"format_version\":\"1\"", "\"format_version\":\"2\"", "newer program"},
        Row{"\"axes.state.v\":\"token,cache_layer,head,row\"", "\"axes.state.v\":\"token,cache_layer,row,head\"",
            "axes.state.v"},
        Row{"\\\"n_layer\\\":1", "\\\"n_layer\\\":2", "shape"},
        Row{"\\\"n_layer\\\":1", "\\\"n_layer\\\":x", "model.config"},
        Row{"\\\"d_state\\\":16", "\\\"d_state\\\":24", "shape"},
        Row{"\"coefficients.dt\":{\"dtype\":\"F32\"", "\"coefficients.dt\":{\"dtype\":\"I32\"", "type"},
        Row{"\"coefficients.dt\":{", "\"coefficients.Dt\":{", "missing"},
        Row{"\"state.every\":\"1\"", "\"state.every\":\"7\"", "state.ssm"},
        Row{"\"state.ssm_layers\":\"0\"", "\"state.ssm_layers\":\"1\"", "state.ssm_layers"},
        Row{"\"interventions\":\"[]\"", "\"interventions\":\"{}\"", "interventions"},
        Row{"\"seed\":\"0\"", "\"seed\":\"x\"", "seed"}}) {
    const auto opened = parse(changed(bytes, row.from, row.to));
    CAPTURE(row.from);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().kind == engine::ErrorKind::input);
    CAPTURE(opened.error().message);
    CHECK(opened.error().message.find(row.says) != std::string::npos);
    CHECK(opened.error().message.find("..") == std::string::npos);
  }
  // Ids beyond the vocabulary.
  engine::TokenRecord odd = *snapshot->tokens[4];
  odd.id = 99;
  snapshot->tokens.replace(4, std::make_shared<const engine::TokenRecord>(odd));
  tests::write_recording(*snapshot, tests::info_of(*snapshot), folder.file("b.safetensors"), true);
  const auto opened = Recording::open(folder.file("b.safetensors.part"));
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().message.find("token.id has the value 99") != std::string::npos);
}

TEST_CASE("a full disk: what was recorded stays, and the message says what to do") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, ids);
  const std::string path = folder.file("a.safetensors");
  const engine::RecordingInfo info = tests::info_of(*snapshot);
  const auto block = engine::block_head + engine::block_bytes(engine::fields_of(info), 0);
  auto writer = engine::RecordingWriter::create(path, info, *snapshot->model);
  REQUIRE(writer.has_value());
  // Files may grow by three and a half tokens, then writing fails as it does without space.
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  rlimit limit = old;
  limit.rlim_cur = (*writer)->bytes() + 3 * block + block / 2;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  engine::Result<void> added;
  for (std::size_t i = 0; added && i < ids.size(); ++i) added = (*writer)->add(*snapshot->tokens[i]);
  const auto finished = (*writer)->finish();
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, before);
  REQUIRE_FALSE(added.has_value());
  CHECK(added.error().kind == engine::ErrorKind::system);
  CHECK(added.error().message.find("The 3 tokens before are kept") != std::string::npos);
  CHECK(added.error().message.find("--recover") != std::string::npos);
  // The file was not made of them either if there is no room for all: the journal stays.
  if (!finished) CHECK(finished.error().kind == engine::ErrorKind::system);
  writer->reset();
  const std::string left = finished ? path : path + ".part";
  const auto recording = Recording::open(left);
  REQUIRE(recording.has_value());
  CHECK((*recording)->tokens() == 3);
  // Nobody's recording is overwritten by the next one.
  if (!finished) CHECK_FALSE(engine::RecordingWriter::create(path, info, *snapshot->model).has_value());
}

TEST_CASE("a writer without a token leaves nothing, and a folder that is not there is said so") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, ids);
  const engine::RecordingInfo info = tests::info_of(*snapshot);
  {
    auto writer = engine::RecordingWriter::create(folder.file("a.safetensors"), info, *snapshot->model);
    REQUIRE(writer.has_value());
    CHECK_FALSE((*writer)->finish().has_value());
  }
  CHECK(std::filesystem::is_empty(folder.path()));
  const auto nowhere = engine::RecordingWriter::create(folder.file("no/a.safetensors"), info, *snapshot->model);
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().kind == engine::ErrorKind::system);
}

TEST_CASE("interventions are kept as they are") {
  engine::Intervention zero;
  zero.value = 0;
  zero.layers = {1, 3};
  zero.tokens = {20, -1};
  engine::Intervention cell;
  cell.quantity = engine::Quantity::state;
  cell.operation = engine::Operation::set;
  cell.value = -1.5e-3;
  cell.row = 3;
  cell.channel = 7;
  const std::vector<engine::Intervention> all = {zero, cell};
  const auto back = engine::interventions_of(engine::text_of(all));
  REQUIRE(back.has_value());
  CHECK(*back == all);
  const std::string good = engine::text_of(all);
  for (const auto& [from, to] :
       {std::pair{"rotation", "rotatioN"}, std::pair{"\"set\"", "\"sat\""}, std::pair{"[1,3]", "[1.3]"},
        std::pair{"[1,3]", "[1,-3]"}, std::pair{"-0.0015", "1e9999"}, std::pair{"\"row\"", "\"roW\""}}) {
    std::string text = good;
    text.replace(text.find(from), std::strlen(from), to);
    CAPTURE(text);
    CHECK_FALSE(engine::interventions_of(text).has_value());
  }
  CHECK_FALSE(engine::interventions_of("[],\"more\":[]").has_value());
}

TEST_CASE("hostile interventions: whatever a file says was changed, it ends in a message") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, ids);
  const std::string path = folder.file("a.safetensors");
  tests::write_recording(*snapshot, tests::info_of(*snapshot), path);
  const std::string bytes = content(path);
  const engine::ModelConfig& config = snapshot->model->config();
  const auto with = [&](const std::string& text) {
    std::string quoted;
    for (const char c : text) quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    return exchanged(bytes, "\"interventions\":\"[]\"", "\"interventions\":\"" + quoted + "\"");
  };
  // One entry, with some of it exchanged.
  const auto entry = [](const std::string& from = {}, const std::string& to = {}) {
    std::string text =
        R"({"quantity":"rotation","operation":"scale","value":0.5,"layers":[0,-1],"heads":[0,-1],"ranks":[0,-1],)"
        R"("pairs":[0,-1],"tokens":[1,3],"row":0,"channel":0})";
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    return text;
  };
  const auto cell = [&](int row, int channel) {
    return fmt::format(
        R"({{"quantity":"state","operation":"set","value":1,"layers":[0,1],"heads":[0,1],"ranks":[0,-1],)"
        R"("pairs":[0,-1],"tokens":[0,-1],"row":{},"channel":{}}})",
        row, channel);
  };
  const std::string fine = with("[" + entry() + "," + cell(config.headdim - 1, config.d_state - 1) + "]");
  const auto good = parse(fine);
  REQUIRE(good.has_value());
  // In range the pairs of its tokens carry what turned them; neighbours share it.
  CHECK((*good)->token(0)->coefficients.pairs == nullptr);
  REQUIRE((*good)->token(1)->coefficients.pairs != nullptr);
  CHECK((*good)->token(1)->coefficients.pairs->front().advance.scale == 0.5F);
  CHECK((*good)->token(2)->coefficients.pairs == (*good)->token(1)->coefficients.pairs);
  CHECK((*good)->token(3)->coefficients.pairs == nullptr);

  std::string many = "[" + entry();
  for (int i = 0; i < 5000; ++i) many += "," + entry();
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const std::vector<std::string> hostile = {
      "",
      "{}",
      "null",
      "1",
      "\"[]\"",
      "[[]]",
      "[null]",
      "[1]",
      "[{}]",
      "[",
      "[" + entry(),
      deep,
      many + "]",
      "[" + std::string(1'000'000, ' '),
      "[" + entry("\"rotation\"", deep) + "]",
      "[" + entry("0.5", "NaN") + "]",
      "[" + entry("0.5", "Infinity") + "]",
      "[" + entry("0.5", "1e999") + "]",
      "[" + entry("0.5", "\"0.5\"") + "]",
      "[" + entry("0.5", "null") + "]",
      "[" + entry("rotation", "Rotation") + "]",
      "[" + entry("\"rotation\"", "0") + "]",
      "[" + entry("scale", "erase") + "]",
      "[" + entry("\"layers\":[0,-1]", "\"layers\":[0,9]") + "]",
      "[" + entry("\"layers\":[0,-1]", "\"layers\":[9,-1]") + "]",
      "[" + entry("\"layers\":[0,-1]", "\"layers\":[0,-1,0]") + "]",
      "[" + entry("\"layers\":[0,-1]", "\"layers\":[-1,-1]") + "]",
      "[" + entry("\"layers\":[0,-1]", "\"layers\":{\"first\":0}") + "]",
      "[" + entry("\"layers\":[0,-1]", "\"layers\":[0,18446744073709551615]") + "]",
      "[" + entry("\"layers\":[0,-1]", "\"layers\":[9223372036854775807,-1]") + "]",
      "[" + entry("\"heads\":[0,-1]", "\"heads\":[0,1000000]") + "]",
      "[" + entry("\"pairs\":[0,-1]", "\"pairs\":[0,100000]") + "]",
      "[" + entry("\"tokens\":[1,3]", "\"tokens\":[3,1]") + "]",
      "[" + entry("\"tokens\":[1,3]", "\"tokens\":[-5,3]") + "]",
      "[" + entry("\"row\":0", "\"row\":-1") + "]",
      "[" + entry("\"row\":0", "\"row\":99999999999") + "]",
      "[" + entry("\"row\":0", "\"row\":0,\"row\":1") + "]",
      "[" + entry("\"rotation\",", "\"dt\",\"x\":") + "]",
      "[" + entry("\"rotation\",\"operation\":\"scale\"", "\"dt\",\"operation\":\"shuffle\"") + "]",
      "[" + cell(config.headdim, 0) + "]",
      "[" + cell(0, config.d_state) + "]",
      "[" + cell(0, -1) + "]",
      "[" + entry() + "],\"more\":[" + entry() + "]"};
  for (const std::string& text : hostile) {
    CAPTURE(text.substr(0, 200));
    const std::string file = with(text);
    const auto opened = parse(file);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().kind == engine::ErrorKind::input);
    CHECK(opened.error().message.find("intervention") != std::string::npos);
    CHECK(opened.error().message.size() < 1000);
  }
}

TEST_CASE("a journal that is being written is not recovered, and is named") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, ids);
  const std::string path = folder.file("live.safetensors");
  const engine::RecordingInfo info = tests::info_of(*snapshot);
  auto writer = engine::RecordingWriter::create(path, info, *snapshot->model);
  REQUIRE(writer.has_value());
  for (std::size_t i = 0; i < 3; ++i) REQUIRE((*writer)->add(*snapshot->tokens[i]).has_value());
  CHECK(engine::is_being_written(path + ".part"));
  const auto taken = engine::finish_journal(path + ".part", folder.file("out.safetensors"), {});
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().message.find("live.safetensors.part") != std::string::npos);
  CHECK(taken.error().message.find("is being written") != std::string::npos);
  const auto second = engine::RecordingWriter::create(path, info, *snapshot->model);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find("is being written") != std::string::npos);
  CHECK(Recording::open(path + ".part").has_value());  // it may be looked at
  writer->reset();
  CHECK_FALSE(engine::is_being_written(path + ".part"));
  CHECK(engine::finish_journal(path + ".part", folder.file("out.safetensors"), {}).has_value());
}
