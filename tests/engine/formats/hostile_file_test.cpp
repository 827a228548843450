// Files that are not what their size says: sparse ones of a TiB, ones that become shorter while they are read, and names
// that are no text. Each is a message of use, and none takes the memory that it claims.
#include "engine/backend/backend.h"
#include "engine/base/utf8.h"
#include "engine/formats/safetensors.h"
#include "engine/formats/safetensors_writer.h"
#include "engine/formats/torch_file.h"
#include "engine/formats/weight_file.h"
#include "engine/model/model.h"
#include "engine/verify/golden.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/zip_writer.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstring>
#include <filesystem>

namespace {

namespace fs = std::filesystem;
constexpr std::uintmax_t tebibyte = std::uintmax_t{1} << 40U;

std::string sparse(const tests::TemporaryFolder& folder, const std::string& name, std::string_view start) {
  const std::string path = folder.write(name, start);
  fs::resize_file(path, tebibyte);
  return path;
}

// The length and the header of a safetensors file of these tensors, without their bytes.
std::string header(const std::string& json) {
  const std::uint64_t length = json.size();
  std::string out(sizeof(length), '\0');
  std::memcpy(out.data(), &length, sizeof(length));
  return out + json;
}

template <class T>
void check_refused(const engine::Result<T>& read, const std::string& says) {
  CAPTURE(says);
  REQUIRE_FALSE(read.has_value());
  CAPTURE(read.error().message);
  CHECK(engine::exit_code(read.error()) == 2);
  CHECK(read.error().message.find(says) != std::string::npos);
  CHECK(engine::find_not_utf8(read.error().message) == std::string::npos);
}

fs::path copy_model(const tests::TemporaryFolder& folder) {
  const fs::path copy = folder.path() / "model";
  fs::copy(fs::path(TEST_GOLDEN) / "siso-fp32", copy, fs::copy_options::recursive);
  return copy;
}

}  // namespace

TEST_CASE("sparse files of a TiB are refused at once, whatever they are taken for") {
  const tests::TemporaryFolder folder;
  for (const char* name :
       {"m.safetensors", "m.bin", "m.pt", "m", "m.safetensors.index.json", "pytorch_model.bin.index.json"}) {
    CAPTURE(name);
    check_refused(engine::read_weights(sparse(folder, name, "")), name);
  }
  check_refused(engine::read_weights(sparse(folder, "m.zip", "PK\3\4")), "does not end with a zip directory");
  for (const char* part : {"config.json", "task.json", "model.safetensors"}) {
    CAPTURE(part);
    const tests::TemporaryFolder own;
    const fs::path model = copy_model(own);
    fs::resize_file(fs::exists(model / part) ? model / part : fs::path(own.write("model/" + std::string(part), "{")),
                    tebibyte);
    check_refused(engine::load_model(model.string()), part);
  }
  const tests::TemporaryFolder own;
  const fs::path model = copy_model(own);
  fs::remove(model / "task.json");
  sparse(own, "model/tokenizer.json", "{");
  const auto opened = engine::load_model(model.string());  // ids are shown in the place of text
  REQUIRE(opened.has_value());
  CHECK((*opened)->tokenizer_fault.find("more than the 67108864") != std::string::npos);
}

TEST_CASE("golden files of more tokens than are compared are refused, whatever lies behind them") {
  const tests::TemporaryFolder folder;
  const std::uint64_t tokens = tebibyte / 8;
  const std::string json =
      fmt::format(R"({{"input_ids":{{"dtype":"I64","shape":[{}],"data_offsets":[0,{}]}}}})", tokens, tokens * 8);
  const std::string path = folder.write("golden.safetensors", header(json));
  fs::resize_file(path, fs::file_size(path) + tokens * 8);
  const auto golden = engine::read_safetensors(path);
  REQUIRE(golden.has_value());
  const auto model = engine::load_model(std::string(TEST_GOLDEN) + "/siso-fp32");
  REQUIRE(model.has_value());
  auto backend = engine::make_backend((*model)->weights, {engine::BackendChoice::cpu, 1, 1});
  REQUIRE(backend.has_value());
  check_refused(engine::compare_with_golden(**backend, (*model)->config(), *golden), "at most 1048576 are compared");
}

TEST_CASE("a file that becomes shorter while it is mapped reads as zeros and is then refused") {
  const tests::TemporaryFolder folder;
  const std::string path = folder.write("file", std::string(64 << 10, 'x'));
  const auto other = engine::MappedFile::open(folder.write("other", std::string(64 << 10, 'y')));
  const auto file = engine::MappedFile::open(path);
  REQUIRE((file.has_value() && other.has_value()));
  CHECK(file->check().has_value());
  fs::resize_file(path, 8 << 10);
  std::size_t kept = 0, zeros = 0, others = 0;
  for (const std::byte b : file->bytes()) (b == std::byte{'x'} ? kept : zeros) += 1;
  for (const std::byte b : other->bytes()) others += b == std::byte{'y'} ? 1 : 0;
  CHECK(kept == 8 << 10);
  CHECK(zeros == 56 << 10);
  CHECK(others == 64 << 10);
  check_refused(file->check(), "became shorter while it was read");
  CHECK(other->check().has_value());
  fs::resize_file(folder.path() / "other", (64 << 10) - 1);  // within its last page, which is still there
  check_refused(other->check(), "became shorter while it was read");
}

TEST_CASE("a model whose file becomes shorter ends in a message: before its backend is made, and between two tokens") {
  for (const bool before : {true, false}) {
    CAPTURE(before);
    const tests::TemporaryFolder folder;
    const fs::path copy = copy_model(folder);
    const auto model = engine::load_model(copy.string());
    REQUIRE(model.has_value());
    const auto shorten = [&] { fs::resize_file(copy / "model.safetensors", 4096); };
    if (before) shorten();
    auto backend = engine::make_backend((*model)->weights, {engine::BackendChoice::cpu, 1, 1});
    if (before) {
      check_refused(backend, "became shorter");
      continue;
    }
    REQUIRE(backend.has_value());
    const std::int32_t ids[] = {1};
    CHECK((*backend)->step(ids, nullptr).has_value());
    shorten();
    check_refused((*backend)->step(ids, nullptr), "became shorter");
  }
}

TEST_CASE("TorchScript archives are named with the remedy, although their code is compressed") {
  tests::ZipPart code{"m/code/__torch__.py", "class M"};
  code.method = 8;
  for (const char* mark : {"m/constants.pkl", "m/bytecode.pkl"}) {
    const std::string file = tests::write_zip({{"m/data.pkl", "\x80\x02}."}, code, {mark, "\x80\x02)."}});
    const auto read = engine::parse_torch_file(std::as_bytes(std::span(file)), "m.pt");
    check_refused(read, "'m.pt' is a TorchScript program");
    check_refused(read, "torch.jit.load and save its state_dict() with torch.save");
  }
}

TEST_CASE("names that are no UTF-8 make messages that are") {
  const std::string broken = "m/\xFF\xC3(data";
  tests::ZipPart packed{broken, "x"};
  packed.method = 8;
  for (const std::string& file : {tests::write_zip({packed}), tests::write_zip({{broken, "x"}, {broken, "x"}}),
                                  tests::write_zip({{broken + "/../x", "x"}})}) {
    check_refused(engine::parse_torch_file(std::as_bytes(std::span(file)), "\xFE.bin"), "\\xfe.bin");
  }
  check_refused(engine::load_model("\xFF\xFE"), "\\xff\\xfe");
  // A table of names is written all the same.
  const tests::TemporaryFolder folder;
  const float one = 1;
  const engine::Tensor tensor{"\xFF", engine::TensorType::f32, {1}, std::as_bytes(std::span(&one, 1))};
  REQUIRE(engine::write_safetensors(folder.file("out"), std::span(&tensor, 1), {{"k", "\xC3("}}).has_value());
  const auto back = engine::read_safetensors(folder.file("out"));
  REQUIRE(back.has_value());
  CHECK(back->tensors[0].name == "\xEF\xBF\xBD");
}
