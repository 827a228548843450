// Weights by their container: what a name says, what the first bytes say, and files that an index joins.
#include "engine/formats/weight_file.h"

#include "engine/formats/safetensors_writer.h"
#include "engine/formats/shard_index.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <array>

namespace {

namespace fs = std::filesystem;
const std::string corpus = TEST_SOURCE_ROOT "/tests/fuzz/corpus/torch_file/";

// Two shards, {a, b} and {c}, beside an index.
struct Shards {
  tests::TemporaryFolder folder;
  std::array<float, 2> values = {1, 2};

  engine::Tensor tensor(const std::string& name) const {
    return {name, engine::TensorType::f32, {2}, std::as_bytes(std::span(values))};
  }
  Shards() {
    REQUIRE(
        engine::write_safetensors(folder.file("one.safetensors"), std::vector{tensor("a"), tensor("b")}).has_value());
    REQUIRE(engine::write_safetensors(folder.file("two.safetensors"), std::vector{tensor("c")}).has_value());
  }
  engine::Result<engine::TensorFile> read(const std::string& map) const {
    return engine::read_weights(folder.write("model.safetensors.index.json", "{\"weight_map\":{" + map + "}}"));
  }
  void check_refused(const std::string& map, const std::string& says) const {
    const auto file = read(map);
    CAPTURE(map);
    REQUIRE_FALSE(file.has_value());
    CAPTURE(file.error().message);
    CHECK(file.error().kind == engine::ErrorKind::input);
    CHECK(file.error().message.find(says) != std::string::npos);
  }
};

}  // namespace

TEST_CASE("weights: an index joins its files, of either kind") {
  const Shards shards;
  const auto file = shards.read(R"("a":"one.safetensors","b":"one.safetensors","c":"two.safetensors")");
  REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
  REQUIRE(file->tensors.size() == 3);
  CHECK(file->find("c")->bytes.size() == 8);
  CHECK(engine::to_floats(*file->find("b")) == std::vector<float>{1, 2});
  CHECK(file->file_bytes ==
        fs::file_size(shards.folder.file("one.safetensors")) + fs::file_size(shards.folder.file("two.safetensors")));
  fs::copy_file(corpus + "good_protocol_4", shards.folder.file("part.bin"));
  CHECK(shards.read(R"("a":"part.bin")").has_value());
}

TEST_CASE("weights: an index that its files contradict is refused") {
  const Shards shards;
  const std::string right = R"("a":"one.safetensors","b":"one.safetensors","c":"two.safetensors")";
  shards.check_refused(right + R"(,"d":"two.safetensors")",
                       "places the tensor 'd' in 'two.safetensors', which lacks it");
  shards.check_refused(R"("a":"one.safetensors","c":"two.safetensors")", "does not name the tensor 'b'");
  shards.check_refused(R"("a":"one.safetensors","b":"two.safetensors","c":"two.safetensors")",
                       "places the tensor 'b' in 'two.safetensors'");
  shards.check_refused(R"("a":"three.safetensors")", "three.safetensors");
  shards.check_refused(R"("a":"../one.safetensors")", "not the plain name of a file beside it");
  shards.check_refused(R"("a":"/etc/passwd")", "not the plain name of a file beside it");
  shards.check_refused(R"("a":"model.safetensors.index.json")", "model.safetensors.index.json");
  shards.check_refused(right + R"(,"a":"two.safetensors")", "the key 'a' twice");
  REQUIRE(engine::write_safetensors(shards.folder.file("two.safetensors"),
                                    std::vector{shards.tensor("a"), shards.tensor("c")})
              .has_value());
  shards.check_refused(right, "places the tensor 'a' in 'one.safetensors', but 'two.safetensors' holds it (too)");
}

TEST_CASE("weights: the container is known by its name, else by its first bytes") {
  const tests::TemporaryFolder folder;
  const Shards shards;
  for (const char* name : {"pytorch_model.bin", "x.pt", "x.pth", "x.ckpt", "weights"}) {
    fs::copy_file(corpus + "good_protocol_4", folder.file(name));
    CHECK_MESSAGE(engine::read_weights(folder.file(name)).has_value(), name);
  }
  fs::copy_file(shards.folder.file("two.safetensors"), folder.file("two"));
  CHECK(engine::read_weights(folder.file("two")).has_value());
  fs::copy_file(corpus + "good_protocol_4", folder.file("wrong.safetensors"));
  CHECK_FALSE(engine::read_weights(folder.file("wrong.safetensors")).has_value());
  CHECK(engine::read_weights(corpus + "legacy").error().message.find("before PyTorch 1.6") != std::string::npos);
  CHECK(engine::read_weights(corpus + "bare_pickle").error().message.find("bare pickle") != std::string::npos);
}

TEST_CASE("weights: a folder's whole safetensors come first, PyTorch's index last") {
  const tests::TemporaryFolder folder;
  CHECK_FALSE(engine::find_weights(folder.path()).has_value());
  for (const char* name :
       {"pytorch_model.bin.index.json", "pytorch_model.bin", "model.safetensors.index.json", "model.safetensors"}) {
    folder.write(name, "x");
    CHECK(engine::find_weights(folder.path())->filename() == name);
  }
}
