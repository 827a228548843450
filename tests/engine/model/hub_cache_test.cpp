#include "engine/model/hub_cache.h"

#include "engine/model/model.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

namespace {

const std::string golden = TEST_GOLDEN;
const std::string revision = "0123456789abcdef0123456789abcdef01234567";

void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

// As the tools leave it: snapshots hold links to blobs.
void download(const fs::path& repository, const std::string& model, const std::string& commit) {
  for (const char* name : {"config.json", "model.safetensors"}) {
    const fs::path blob = repository / "blobs" / (commit + name);
    fs::create_directories(blob.parent_path());
    fs::copy_file(golden + "/" + model + "/" + name, blob);
    fs::create_directories(repository / "snapshots" / commit);
    fs::create_symlink(fs::path("../../blobs") / (commit + name), repository / "snapshots" / commit / name);
  }
}

}  // namespace

TEST_CASE("a model in the cache of the Hugging Face tools is found by its name and opens") {
  const tests::TemporaryFolder cache;
  const fs::path repository = cache.path() / "models--some--siso.fp32_a-1";
  download(repository, "siso-1500-tokens", revision);
  put(repository / "refs" / "main", revision);
  put(cache.path() / "models--other--text" / "snapshots" / revision / "config.json", R"({"model_type":"llama"})");
  put(cache.path() / "models--other--text" / "refs" / "main", revision);
  put(cache.path() / "version.txt", "1");

  const auto found = engine::find_in_hub_cache("some/siso.fp32_a-1", cache.path().string());
  REQUIRE(found.has_value());
  CHECK(*found == (repository / "snapshots" / revision).string());
  const auto all = engine::list_hub_cache(cache.path().string());
  REQUIRE(all.size() == 1);  // the other is no model of ours
  CHECK(all.front().name == "some/siso.fp32_a-1");
  CHECK(all.front().folder == *found);

  const tests::Environment set("HF_HUB_CACHE", cache.path().string());
  const auto model = engine::load_model("some/siso.fp32_a-1");
  REQUIRE(model.has_value());
  CHECK((*model)->name == "siso.fp32_a-1");
  CHECK_FALSE(engine::load_model("some/nothing").has_value());
}

TEST_CASE("without a branch main the only snapshot is taken, and of several none") {
  const tests::TemporaryFolder cache;
  const fs::path repository = cache.path() / "models--a--b";
  download(repository, "siso-1500-tokens", revision);
  CHECK(engine::find_in_hub_cache("a/b", cache.path().string()).has_value());
  const std::string other(40, 'f');
  download(repository, "siso-1500-tokens", other);
  CHECK_FALSE(engine::find_in_hub_cache("a/b", cache.path().string()).has_value());
  put(repository / "refs" / "main", other + "\n");
  CHECK(engine::find_in_hub_cache("a/b", cache.path().string()) == (repository / "snapshots" / other).string());
}

TEST_CASE("names and revisions lead nowhere else") {
  const tests::TemporaryFolder cache;
  const fs::path repository = cache.path() / "models--a--b";
  put(cache.path() / "config.json", "{}");
  put(repository / "refs" / "main", "../../..");
  CHECK_FALSE(engine::find_in_hub_cache("a/b", cache.path().string()).has_value());
  put(repository / "refs" / "main", std::string(100000, 'a'));
  CHECK_FALSE(engine::find_in_hub_cache("a/b", cache.path().string()).has_value());
  for (const char* name : {"", "/", "a", "a/", "/b", "../b", "a/..", "a/b/c", "a/b\n"})
    CHECK_FALSE(engine::find_in_hub_cache(name, cache.path().string()).has_value());
  CHECK(engine::list_hub_cache((cache.path() / "none").string()).empty());
  CHECK(engine::list_hub_cache("").empty());
}
