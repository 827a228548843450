// The safetensors reader against the rules of the format: what is good is read exactly, what is hostile is refused with a
// message that names it.
#include "engine/formats/safetensors.h"

#include "engine/formats/safetensors_writer.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace {

std::string with_length(const std::string& header, std::uint64_t length, std::size_t data_bytes) {
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, 'x');
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return with_length(header, header.size(), data_bytes);
}

engine::Result<engine::TensorFile> parse(const std::string& file) {
  return engine::parse_safetensors({reinterpret_cast<const std::byte*>(file.data()), file.size()}, "test");
}

std::string tensor(const std::string& name, const std::string& type, const std::string& shape, const std::string& at) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + at + "}";
}

}  // namespace

TEST_CASE("safetensors: a good file is read in place, sorted by name, with its metadata") {
  const std::string file = file_of("{\"__metadata__\":{\"format\":\"pt\"}," + tensor("b", "F32", "[2]", "[0,8]") + "," +
                                       tensor("a", "BF16", "[]", "[8,10]") + "," +
                                       tensor("empty", "I64", "[0,18446744073]", "[10,10]") + "}  ",
                                   10);
  const auto read = parse(file);
  REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().message));
  REQUIRE(read->tensors.size() == 3);
  CHECK(read->tensors[0].name == "a");
  CHECK(read->tensors[0].count() == 1);
  CHECK(read->metadata.at("format") == "pt");
  REQUIRE(read->find("b") != nullptr);
  CHECK(read->find("b")->shape == std::vector<std::int64_t>{2});
  CHECK(static_cast<const void*>(read->find("b")->bytes.data()) == file.data() + file.size() - 10);
  CHECK(read->find("c") == nullptr);
  CHECK(read->find("empty")->bytes.empty());
}

TEST_CASE("safetensors: hostile files are refused, and the message says what is wrong") {
  struct Row {
    std::string file, says;
  };
  const std::string deep = std::string(100000, '[');
  std::string many_dimensions = "[1";
  for (int i = 0; i < 40; ++i) many_dimensions += ",1";
  many_dimensions += "]";
  const Row rows[] = {
      {"", "too few"},
      {"1234567", "too few"},
      {with_length("{}", 3, 0), "truncated"},
      {with_length("{}", std::uint64_t{1} << 63U, 0), "at most 100000000"},
      {with_length("{}", 100'000'001, 0), "at most 100000000"},
      {with_length("{}", 0, 0), "not valid JSON"},
      {file_of("{", 0), "not valid JSON"},
      {file_of("[]", 0), "holds an array where the table"},
      {file_of("3", 0), "holds a number where the table"},
      {file_of("{}{}", 0), "not valid JSON"},
      {file_of(deep, 0), "holds an array"},
      {file_of("{\"a\":" + deep, 0), "holds an array"},
      {file_of("{\"a\":{\"a\":{", 0), "unknown key 'a'"},
      {file_of("{\"a\":3}", 0), "holds a number"},
      {file_of("{\"a\":{}}", 0), "has no 'dtype' for tensor 'a'"},
      {file_of("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 4), "has no 'data_offsets'"},
      {file_of("{" + tensor("a", "F31", "[1]", "[0,4]") + "}", 4), "unknown dtype 'F31'"},
      {file_of("{" + tensor("a", "F32", "[-1]", "[0,4]") + "}", 4), "negative number -1"},
      {file_of("{" + tensor("a", "F32", "[1.0]", "[0,4]") + "}", 4), "not a 64-bit integer"},
      {file_of("{" + tensor("a", "F32", "[\"1\"]", "[0,4]") + "}", 4), "holds a string"},
      {file_of("{" + tensor("a", "F32", "[[1]]", "[0,4]") + "}", 4), "holds an array"},
      {file_of("{" + tensor("a", "F32", "[18446744073709551615]", "[0,4]") + "}", 4), "dimension 18446744073709551615"},
      {file_of("{" + tensor("a", "F32", "[99999999999999999999]", "[0,4]") + "}", 4), "not a 64-bit integer"},
      {file_of("{" + tensor("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}", 0), "overflows"},
      {file_of("{" + tensor("a", "F32", "[4611686018427387905]", "[0,4]") + "}", 4), "overflows"},
      {file_of("{" + tensor("a", "F32", many_dimensions, "[0,4]") + "}", 4), "more than 16 dimensions"},
      {file_of("{" + tensor("a", "F32", "[1]", "[0]") + "}", 4), "exactly two data_offsets"},
      {file_of("{" + tensor("a", "F32", "[1]", "[0,4,4]") + "}", 4), "exactly two data_offsets"},
      {file_of("{" + tensor("a", "F32", "[1]", "[4,0]") + "}", 4), "after its end"},
      {file_of("{" + tensor("a", "F32", "[1]", "[0,8]") + "}", 8), "need 4"},
      {file_of("{" + tensor("a", "F32", "[1]", "[0,4]") + "}", 3), "truncated"},
      {file_of("{" + tensor("a", "F32", "[1]", "[0,4]") + "}", 5), "leaves 1 bytes after"},
      {file_of("{" + tensor("a", "F32", "[1]", "[4,8]") + "}", 8), "a hole of 4 bytes before tensor 'a'"},
      {file_of("{" + tensor("a", "F32", "[2]", "[0,8]") + "," + tensor("b", "F32", "[1]", "[4,8]") + "}", 8),
       "overlap"},
      {file_of("{" + tensor("a", "F32", "[1]", "[0,4]") + "," + tensor("a", "F32", "[1]", "[4,8]") + "}", 8), "twice"},
      {file_of("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0), "key 'dtype' twice"},
      {file_of("{\"a\":{\"dtype\":\"F32\",\"colour\":1}}", 0), "unknown key 'colour'"},
      {file_of("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "twice"},
      {file_of("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0), "metadata key 'a' twice"},
      {file_of("{\"__metadata__\":{\"a\":1}}", 0), "maps strings to strings"},
      {file_of("{\"__metadata__\":null}", 0), "needs an object"},
      {file_of("{\"\x80\":null}", 0), "not valid JSON"},
      {file_of("{\"\\u001b[2J\":null}", 0), "\\x1b[2J"},
      {file_of("{}", 1), "leaves 1 bytes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.file.substr(0, 200));
    const auto read = parse(row.file);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().kind == engine::ErrorKind::input);
    CAPTURE(read.error().message);
    CHECK(read.error().message.find(row.says) != std::string::npos);
    CHECK(read.error().message.size() < 600);
  }
}

TEST_CASE("safetensors: every truncation of a good file is refused") {
  const std::string file =
      file_of("{" + tensor("a", "F32", "[2]", "[0,8]") + "," + tensor("b", "F16", "[3]", "[8,14]") + "}", 14);
  REQUIRE(parse(file).has_value());
  for (std::size_t size = 0; size < file.size(); ++size) CHECK_FALSE(parse(file.substr(0, size)).has_value());
}

TEST_CASE("safetensors: what is not a regular file is refused at once") {
  const tests::TemporaryFolder folder;
  for (const std::string& path :
       {folder.path().string(), std::string("/dev/zero"), folder.file("absent"), folder.write("empty", "")}) {
    CAPTURE(path);
    const auto read = engine::read_safetensors(path);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().kind == engine::ErrorKind::input);
  }
}

TEST_CASE("safetensors: what is written is read back, aligned") {
  const tests::TemporaryFolder folder;
  const std::vector<std::uint16_t> halves = {0x3C00, 0xC000, 0x7C00};
  const std::vector<float> floats = {1.5F, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<std::int32_t> ids = {3, -1};
  const std::vector<engine::Tensor> tensors = {
      {"half \"quoted\"", engine::TensorType::f16, {3}, std::as_bytes(std::span(halves))},
      {"wide", engine::TensorType::f32, {2, 1}, std::as_bytes(std::span(floats))},
      {"ids", engine::TensorType::i32, {2}, std::as_bytes(std::span(ids))}};
  const std::string path = folder.file("out.safetensors");
  REQUIRE(engine::write_safetensors(path, tensors, {{"made", "here"}}).has_value());
  const auto read = engine::read_safetensors(path);
  REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().message));
  CHECK(read->metadata.at("made") == "here");
  CHECK(*engine::to_floats(*read->find("half \"quoted\"")) ==
        std::vector<float>{1, -2, std::numeric_limits<float>::infinity()});
  CHECK(*engine::to_integers(*read->find("ids")) == std::vector<std::int64_t>{3, -1});
  CHECK(read->find("wide")->shape == std::vector<std::int64_t>{2, 1});
  CHECK(engine::count_not_finite(*read->find("wide")) == 1);
  CHECK(engine::count_not_finite(*read->find("half \"quoted\"")) == 1);
  for (const engine::Tensor& tensor : read->tensors) {
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % engine::size_of(tensor.type) == 0);
  }
  CHECK_FALSE(engine::to_floats(*read->find("ids")).has_value());
  CHECK_FALSE(engine::to_integers(*read->find("wide")).has_value());
  CHECK(engine::write_safetensors(folder.file("no/such/folder"), tensors).error().kind == engine::ErrorKind::system);
}

TEST_CASE("fp16 and bf16 widen exactly") {
  CHECK(engine::widen_f16(0x0001) == 0x1p-24F);
  CHECK(engine::widen_f16(0x83FF) == -1023 * 0x1p-24F);
  CHECK(engine::widen_f16(0x0400) == 0x1p-14F);
  CHECK(engine::widen_f16(0x7BFF) == 65504.0F);
  CHECK(std::isnan(engine::widen_f16(0x7E00)));
  CHECK(engine::widen_bf16(0x3F80) == 1.0F);
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    _Float16 half;
    const auto narrow = static_cast<std::uint16_t>(bits);
    std::memcpy(&half, &narrow, 2);
    const auto wide = static_cast<float>(half);
    if (!std::isnan(wide)) CHECK(engine::widen_f16(narrow) == wide);
  }
}
