// The loader on real files: the golden models as they are, and broken in every way that a file can be.
#include "engine/formats/safetensors.h"
#include "engine/formats/safetensors_writer.h"
#include "engine/formats/weight_file.h"
#include "engine/model/model.h"
#include "tests/support/bits.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>

namespace {

namespace fs = std::filesystem;
const std::string golden = TEST_GOLDEN;

// A golden model in a folder of its own, with its tensors changed by `change` and another config where one is given.
struct Altered {
  tests::TemporaryFolder folder;

  explicit Altered(const std::function<void(std::vector<engine::Tensor>&)>& change, const std::string& config = "",
                   const std::string& from = golden + "/siso-1500-tokens") {
    auto file = engine::read_safetensors(from + "/model.safetensors");
    REQUIRE(file.has_value());
    change(file->tensors);
    REQUIRE(engine::write_safetensors(folder.file("model.safetensors"), file->tensors).has_value());
    if (config.empty()) {
      fs::copy_file(from + "/config.json", folder.file("config.json"));
    } else {
      folder.write("config.json", config);
    }
  }
  engine::Result<std::shared_ptr<const engine::Model>> load() const {
    return engine::load_model(folder.path().string());
  }
};

std::string config_of(bool tied) {
  return std::string(
             R"({"d_model":64,"n_layer":2,"vocab_size":60,"ssm_cfg":{"layer":"Mamba3","d_state":32,"headdim":32},)") +
         (tied ? "\"tie_embeddings\":true}" : "\"tie_embeddings\":false}");
}

engine::Tensor& named(std::vector<engine::Tensor>& tensors, const std::string& name) {
  const auto at = std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name == name; });
  REQUIRE(at != tensors.end());
  return *at;
}

void drop(std::vector<engine::Tensor>& tensors, const std::string& name) {
  tensors.erase(tensors.begin() + (&named(tensors, name) - tensors.data()));
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every golden model loads, with its parameters counted once") {
  struct Row {
    const char* name;
    std::int64_t parameters;
    kernels::DType dtype;
  };
  // Counted independently from the files' headers: the sum of all shapes but lm_head's.
  for (const Row& row :
       {Row{"siso-fp32", 134984, kernels::DType::f32}, Row{"mimo-bf16", 1055896, kernels::DType::bf16},
        Row{"siso-outproj-norm-rope1", 127696, kernels::DType::f32},
        Row{"mimo-r2-headdim32", 155216, kernels::DType::f32}, Row{"siso-1500-tokens", 64848, kernels::DType::f32}}) {
    CAPTURE(row.name);
    const auto model = engine::load_model(golden + "/" + row.name);
    REQUIRE_MESSAGE(model.has_value(), (model ? "" : model.error().message));
    const engine::Weights& weights = (*model)->weights;
    CHECK((*model)->name == row.name);
    CHECK(weights.parameters == row.parameters);
    CHECK(weights.embedding.dtype == row.dtype);
    CHECK(weights.embedding.data == weights.head.data);
    CHECK(weights.layers.size() == static_cast<std::size_t>(weights.config.n_layer));
    CHECK(weights.layers[0].in_proj.rows == weights.config.in_proj().rows);
    CHECK(weights.layers[0].outproj_norm.empty() != weights.config.is_outproj_norm);
    CHECK(weights.layers[0].mimo_x.empty() != weights.config.is_mimo);
  }
}

TEST_CASE("the loader takes a folder, a weight file and a trailing slash, and names what it cannot find") {
  for (const char* path : {"/siso-fp32", "/siso-fp32/", "/siso-fp32/.", "/siso-fp32/model.safetensors"}) {
    const auto model = engine::load_model(golden + path);
    REQUIRE_MESSAGE(model.has_value(), (model ? "" : model.error().message));
    CHECK((*model)->name == "siso-fp32");
  }
  const tests::TemporaryFolder folder;
  CHECK(has(engine::load_model(folder.path().string()).error().message, "holds no config.json"));
  folder.write("config.json", config_of(true));
  CHECK(has(engine::load_model(folder.path().string()).error().message,
            "holds no model.safetensors and no pytorch_model.bin"));
  CHECK(has(engine::load_model(folder.write("x.bin", "x")).error().message, "no file of torch.save"));
  CHECK(has(engine::load_model(folder.file("absent")).error().message, "There is no model"));
  CHECK(has(engine::load_model("").error().message, "There is no model"));
  fs::create_directory(folder.file("model.safetensors"));
  CHECK(has(engine::load_model(folder.path().string()).error().message, "not a regular file"));
}

TEST_CASE("a pytorch_model.bin alone is the same model as its twin in safetensors, bit by bit") {
  const std::string from = golden + "/mimo-bf16";
  const tests::TemporaryFolder folder;
  fs::copy_file(from + "/config.json", folder.file("config.json"));
  fs::copy_file(from + "/pytorch_model.bin", folder.file("pytorch_model.bin"));
  const auto torch = engine::load_model(folder.path().string());
  const auto twin = engine::load_model(from);
  REQUIRE_MESSAGE(torch.has_value(), (torch ? "" : torch.error().message));
  REQUIRE(twin.has_value());
  CHECK(fs::path((*torch)->path).filename() == "pytorch_model.bin");
  CHECK(fs::path((*twin)->path).filename() == "model.safetensors");
  const engine::Weights &a = (*torch)->weights, &b = (*twin)->weights;
  CHECK(a.parameters == b.parameters);
  CHECK(a.head.data == a.embedding.data);
  CHECK(tests::same_bytes(a.embedding.data, b.embedding.data, b.embedding.bytes()));
  CHECK(a.layers[2].mimo_o == b.layers[2].mimo_o);
  CHECK(tests::same_bytes(a.layers[2].fc2.data, b.layers[2].fc2.data, b.layers[2].fc2.bytes()));

  const auto file = engine::read_weights((*torch)->path), other = engine::read_weights((*twin)->path);
  REQUIRE(file->tensors.size() == other->tensors.size());
  for (const engine::Tensor& tensor : other->tensors) {
    const engine::Tensor* same = file->find(tensor.name);
    CAPTURE(tensor.name);
    REQUIRE(same != nullptr);
    CHECK(same->type == tensor.type);
    CHECK(same->shape == tensor.shape);
    CHECK(tests::same_bytes(same->bytes.data(), tensor.bytes.data(), tensor.bytes.size()));
  }
  CHECK(file->find("lm_head.weight")->bytes.data() == file->find("backbone.embedding.weight")->bytes.data());
}

TEST_CASE("weights in shards beside their index open as the whole file does") {
  const std::string from = golden + "/siso-1500-tokens";
  const auto whole = engine::read_safetensors(from + "/model.safetensors");
  REQUIRE(whole.has_value());
  const tests::TemporaryFolder folder;
  std::vector<engine::Tensor> shards[2];
  std::string map;
  for (std::size_t i = 0; i < whole->tensors.size(); ++i) {
    const std::string shard = std::to_string(i % 2);
    shards[i % 2].push_back(whole->tensors[i]);
    map += (i == 0 ? "\"" : ",\"") + whole->tensors[i].name + "\":\"model-" + shard + ".safetensors\"";
  }
  for (const char* i : {"0", "1"}) {
    const auto& tensors = shards[*i - '0'];
    REQUIRE(engine::write_safetensors(folder.file(std::string("model-") + i + ".safetensors"), tensors).has_value());
  }
  folder.write("model.safetensors.index.json", R"({"metadata":{"total_size":1},"weight_map":{)" + map + "}}");
  fs::copy_file(from + "/config.json", folder.file("config.json"));
  const auto joined = engine::load_model(folder.path().string());
  REQUIRE_MESSAGE(joined.has_value(), (joined ? "" : joined.error().message));
  const auto model = engine::load_model(from);
  CHECK((*joined)->weights.parameters == (*model)->weights.parameters);
  const kernels::Matrix &a = (*joined)->weights.layers[1].in_proj, &b = (*model)->weights.layers[1].in_proj;
  CHECK(tests::same_bytes(a.data, b.data, b.bytes()));
  CHECK((*joined)->weights.layers[1].dt_bias == (*model)->weights.layers[1].dt_bias);
}

TEST_CASE("tensors under the names of another package are recognised") {
  for (const char* name : {"backbone.embeddings.weight", "model.layers.0.mixer.D"}) {
    const Altered altered([&](auto& tensors) { named(tensors, "backbone.embedding.weight").name = name; });
    const auto model = altered.load();
    REQUIRE_FALSE(model.has_value());
    CHECK(has(model.error().message, "flash-linear-attention"));
    CHECK(has(model.error().message, name));
  }
}

TEST_CASE("every missing, extra and misshapen tensor is named in one message") {
  const Altered altered([](auto& tensors) {
    drop(tensors, "backbone.layers.1.mixer.D");
    named(tensors, "backbone.layers.0.norm.weight").name = "backbone.layers.0.norm.bias";
    named(tensors, "backbone.layers.0.mixer.in_proj.weight").shape = {64, 340};
    named(tensors, "backbone.layers.0.mixer.dt_bias").type = engine::TensorType::i32;
  });
  const auto model = altered.load();
  REQUIRE_FALSE(model.has_value());
  CHECK(model.error().kind == engine::ErrorKind::input);
  const std::string& message = model.error().message;
  CAPTURE(message);
  CHECK(has(message, "5 differences"));
  CHECK(has(message, "missing 'backbone.layers.1.mixer.D', expected with the shape [4]"));
  CHECK(has(message, "missing 'backbone.layers.0.norm.weight', expected with the shape [64]"));
  CHECK(has(message, "extra 'backbone.layers.0.norm.bias' with the shape [64]"));
  CHECK(has(message, "'backbone.layers.0.mixer.in_proj.weight' has the shape [64, 340], expected [340, 64]"));
  CHECK(has(message, "'backbone.layers.0.mixer.dt_bias' has the type I32"));
}

TEST_CASE("a long list of differences is cut") {
  const Altered altered([](auto& tensors) {
    for (auto& tensor : tensors) tensor.name += ".old";
  });
  const auto model = altered.load();
  REQUIRE_FALSE(model.has_value());
  CHECK(has(model.error().message, "more\n"));
  CHECK(std::count(model.error().message.begin(), model.error().message.end(), '\n') == 22);
}

TEST_CASE("tied and untied heads") {
  const auto tied = engine::load_model(golden + "/siso-1500-tokens");
  REQUIRE(tied.has_value());
  std::vector<float> other(std::size_t{64} * 64, 0.5F);

  SUBCASE("a tied model may lack either name") {
    for (const char* name : {"lm_head.weight", "backbone.embedding.weight"}) {
      const Altered altered([&](auto& tensors) { drop(tensors, name); });
      const auto model = altered.load();
      REQUIRE_MESSAGE(model.has_value(), (model ? "" : model.error().message));
      CHECK((*model)->weights.parameters == (*tied)->weights.parameters);
      CHECK((*model)->weights.head.data == (*model)->weights.embedding.data);
      CHECK(tests::same_bytes((*model)->weights.head.data, (*tied)->weights.head.data, (*tied)->weights.head.bytes()));
    }
  }
  SUBCASE("but not both") {
    const Altered altered([](auto& tensors) {
      drop(tensors, "lm_head.weight");
      drop(tensors, "backbone.embedding.weight");
    });
    CHECK(has(altered.load().error().message, "missing 'backbone.embedding.weight'"));
  }
  SUBCASE("a head that differs from a tied embedding is refused, and taken when untied") {
    const auto change = [&](auto& tensors) {
      named(tensors, "lm_head.weight").bytes = std::as_bytes(std::span(other));
    };
    CHECK(has(Altered(change).load().error().message, "tie_embeddings"));
    const auto model = Altered(change, config_of(false)).load();
    REQUIRE(model.has_value());
    CHECK((*model)->weights.parameters == (*tied)->weights.parameters + std::int64_t{64} * 64);
    CHECK(static_cast<const float*>((*model)->weights.head.data)[0] == 0.5F);
  }
  SUBCASE("an untied model needs its head") {
    const Altered altered([](auto& tensors) { drop(tensors, "lm_head.weight"); }, config_of(false));
    CHECK(has(altered.load().error().message, "missing 'lm_head.weight', expected with the shape [64, 64]"));
  }
}

TEST_CASE("tensors that are misaligned in the file are copied, bit by bit") {
  // The header's length decides where the values lie: one more blank shifts every tensor by a byte.
  const std::string from = golden + "/siso-1500-tokens";
  std::string text;
  {
    std::ifstream in(from + "/model.safetensors", std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), 8);
  text.insert(8 + length, " ");
  ++length;
  std::memcpy(text.data(), &length, 8);
  const tests::TemporaryFolder folder;
  folder.write("model.safetensors", text);
  fs::copy_file(from + "/config.json", folder.file("config.json"));
  const auto shifted = engine::load_model(folder.path().string());
  const auto model = engine::load_model(from);
  REQUIRE(shifted.has_value());
  const kernels::Matrix& a = (*shifted)->weights.layers[1].in_proj;
  const kernels::Matrix& b = (*model)->weights.layers[1].in_proj;
  CHECK(reinterpret_cast<std::uintptr_t>(a.data) % 4 == 0);
  CHECK(tests::same_bytes(a.data, b.data, b.bytes()));
  CHECK((*shifted)->weights.layers[1].dt_bias == (*model)->weights.layers[1].dt_bias);
}

TEST_CASE("task.json: symbols write prompts, labels name predictions, the override reaches the config") {
  const Altered altered([](auto&) {});
  altered.folder.write("task.json",
                       R"({"kind":"labels","task":"parity","symbols":["0","1","10"],"labels":["even","odd"],
    "prompts":["01 10"],"override":{"lambda":1}})");
  const auto model = altered.load();
  REQUIRE_MESSAGE(model.has_value(), (model ? "" : model.error().message));
  CHECK((*model)->config().lambda_override == 1.0);
  CHECK((*model)->symbol(2) == "10");
  CHECK((*model)->symbol(7) == "#7");
  CHECK((*model)->symbol(-1) == "#-1");
  CHECK((*model)->label(1) == "odd");
  CHECK(*(*model)->encode("0 110\n01") == std::vector<std::int32_t>{0, 1, 2, 0, 1});
  CHECK((*model)->encode("")->empty());
  const auto wrong = (*model)->encode("0012");
  REQUIRE_FALSE(wrong.has_value());
  CHECK(has(wrong.error().message, "'2' at byte 3"));
  CHECK(has((*engine::load_model(golden + "/siso-fp32"))->encode("01").error().message, "no symbols"));

  altered.folder.write("task.json", R"({"kind":"labels","symbols":["0"],"labels":["a","b"],"prompts":["01"]})");
  CHECK(has(altered.load().error().message, "the example prompt '01'"));
}

TEST_CASE("a task.json that is a link to nowhere is an error: without it the model would be another one") {
  const Altered altered([](auto&) {});
  fs::create_symlink("/nowhere", altered.folder.file("task.json"));
  const auto model = altered.load();
  REQUIRE_FALSE(model.has_value());
  CHECK(has(model.error().message, "task.json"));
}
