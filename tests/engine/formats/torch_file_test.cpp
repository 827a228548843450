// Files of torch.save: those that PyTorch wrote are read to the value, hostile ones are refused with their reason.
#include "engine/formats/torch_file.h"

#include "tests/support/temporary_folder.h"
#include "tests/support/zip_writer.h"

#include <doctest/doctest.h>

namespace {

const std::string corpus = TEST_SOURCE_ROOT "/tests/fuzz/corpus/";

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

engine::Result<engine::TensorFile> parse(const std::string& file) {
  return engine::parse_torch_file(std::as_bytes(std::span(file)), "test");
}

// A pickle of the corpus beside storages '0' to '3' of 64 bytes that count up.
std::string around(const std::string& pickle, std::vector<tests::ZipPart> more = {}) {
  std::string storage;
  for (int i = 0; i < 64; ++i) storage += static_cast<char>(i);
  std::vector<tests::ZipPart> parts = {{"m/data.pkl", pickle}};
  for (const char* key : {"0", "1", "2", "3"}) parts.push_back({std::string("m/data/") + key, storage});
  for (tests::ZipPart& part : more) parts.push_back(std::move(part));
  return tests::write_zip(parts);
}

void check_refused(const engine::Result<engine::TensorFile>& read, const std::string& says) {
  CAPTURE(says);
  REQUIRE_FALSE(read.has_value());
  CAPTURE(read.error().message);
  CHECK(read.error().kind == engine::ErrorKind::input);
  CHECK(engine::exit_code(read.error()) == 2);
  CHECK(read.error().message.find(says) != std::string::npos);
  CHECK(read.error().message.size() < 700);
}

using Floats = std::vector<float>;
using Shape = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("torch file: views that PyTorch saved have PyTorch's values, in order and shared where they share") {
  const auto file = engine::read_torch_file(corpus + "torch_file/good_views");
  REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
  const auto floats = [&](const char* name) {
    const engine::Tensor* tensor = file->find(name);
    REQUIRE(tensor != nullptr);
    return *engine::to_floats(*tensor);
  };
  CHECK(file->tensors.size() == 10);
  Floats counted;
  for (int i = 0; i < 24; ++i) counted.push_back(static_cast<float>(i));
  CHECK(floats("contiguous") == counted);
  CHECK(file->find("contiguous")->shape == Shape{4, 6});
  CHECK(floats("expanded") == Floats{1, 2, 3, 1, 2, 3});
  CHECK(floats("half") == Floats{1.5F, -2});
  CHECK(file->find("half")->type == engine::TensorType::f16);
  CHECK(floats("none").empty());
  CHECK(file->find("none")->shape == Shape{0, 4});
  CHECK(floats("scalar") == Floats{2.5F});
  CHECK(file->find("scalar")->shape.empty());
  CHECK(floats("sliced") == Floats{3, 8, 13, 18});
  CHECK(floats("tied") == Floats{0, 1, 2, 3, 4, 5});
  CHECK(file->find("tied")->type == engine::TensorType::bf16);
  CHECK(file->find("tied")->bytes.data() == file->find("tied_too")->bytes.data());
  CHECK(file->find("transposed")->shape == Shape{6, 4});
  Floats turned;
  for (int row = 0; row < 6; ++row) {
    for (int column = 0; column < 4; ++column) turned.push_back(static_cast<float>(column * 6 + row));
  }
  CHECK(floats("transposed") == turned);
  CHECK(floats("windows") == Floats{0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5});
  // What is in order stays where the file is mapped, aligned as PyTorch did.
  CHECK(reinterpret_cast<std::uintptr_t>(file->find("contiguous")->bytes.data()) % 64 == 0);
}

TEST_CASE("torch file: tensors outlive the reading of a file, copies and all") {
  engine::TensorFile kept;
  {
    auto file = engine::read_torch_file(corpus + "torch_file/good_views");
    REQUIRE(file.has_value());
    kept = std::move(*file);
  }
  CHECK(engine::to_floats(*kept.find("transposed"))->at(1) == 6);
  CHECK(engine::to_floats(*kept.find("contiguous"))->at(1) == 1);
  CHECK(kept.file_bytes == bytes_of(corpus + "torch_file/good_views").size());
}

TEST_CASE("torch file: views must lie within their storage") {
  struct Row {
    const char* pickle;
    const char* says;
  };
  for (const Row& row : {
           Row{"reaches_beyond", "reaches element 16 of a storage of 16"},
           Row{"offset_beyond", "reaches element 16 of a storage of 16"},
           Row{"stride_beyond", "reaches element 16 of a storage of 16"},
           Row{"shape_overflows", "size overflows"},
           Row{"stride_overflows", "size overflows"},
           Row{"offset_overflows", "of a storage of 16"},
           Row{"offset_negative", "begins before its storage"},
           Row{"stride_negative", "has -1 in a tensor's shape or strides"},
           Row{"shape_negative", "has -4 in a tensor's shape or strides"},
           Row{"expanded_large", "takes more bytes than the file has"},
           Row{"integer_long", "integer of 9 bytes"},
           Row{"storage_absent", "needs the storage '7'"},
           Row{"storage_outside", "needs the storage '../data.pkl'"},
           Row{"storage_small", "needs a storage of 17 elements of F32"},
           Row{"storage_overflows", "needs a storage of 4611686018427387920"},
           Row{"storage_negative", "fewer than 0 elements"},
           Row{"hooks", "backward hooks"},
           Row{"parameter", "'torch.nn.parameter.Parameter'"},
           Row{"nested", "holds a dict under 'a'"},
       }) {
    CAPTURE(row.pickle);
    check_refused(parse(around(bytes_of(corpus + "state_dict/" + row.pickle))), row.says);
  }
  const std::string scalar_file = around(bytes_of(corpus + "state_dict/good_scalar"));
  const auto scalar = parse(scalar_file);
  REQUIRE_MESSAGE(scalar.has_value(), (scalar ? "" : scalar.error().message));
  CHECK(static_cast<int>(scalar->tensors[0].bytes[0]) == 60);  // the last of 16 floats
  const std::string turned_file = around(bytes_of(corpus + "state_dict/good_transposed"));
  const auto turned = parse(turned_file);
  REQUIRE(turned.has_value());
  CHECK(turned->tensors[0].shape == Shape{8, 4});
  CHECK(static_cast<int>(turned->tensors[0].bytes[2]) == 16);  // row 0, column 1: element 8 of halves
}

TEST_CASE("torch file: pickles that would run something are refused by its name, and run nothing") {
  for (const char* name : {"evil_2", "evil_4", "evil_first", "evil_list", "evil_inst"}) {
    CAPTURE(name);
    check_refused(parse(around(bytes_of(corpus + "state_dict/" + name))),
                  "the global 'posix.system', which is refused");
  }
  check_refused(parse(around(bytes_of(corpus + "state_dict/evil_eval"))), "'__builtin__.eval'");
  check_refused(parse(around(bytes_of(corpus + "state_dict/evil_dotted"))), "'torch.FloatStorage.__new'");
  check_refused(engine::read_torch_file(corpus + "torch_file/evil"), "'posix.system'");
  check_refused(engine::read_torch_file(corpus + "torch_file/module"), "'torch.nn.modules.linear.Linear'");
  check_refused(engine::read_torch_file(corpus + "torch_file/quantised"), "'torch._utils._rebuild_tensor_v3'");
}

TEST_CASE("torch file: other formats, byte orders and archives are named") {
  const std::string good = bytes_of(corpus + "state_dict/good_contiguous");
  REQUIRE(parse(around(good)).has_value());
  check_refused(engine::read_torch_file(corpus + "torch_file/legacy"), "before PyTorch 1.6");
  check_refused(engine::read_torch_file(corpus + "torch_file/bare_pickle"), "is a bare pickle");
  check_refused(engine::read_torch_file(corpus + "torch_file/bare_pickle"), "global 'posix.system', which is refused");
  check_refused(parse("cos\nsystem\n(S'touch'\ntR."), "global 'os.system', which is refused");
  check_refused(parse("\x80\x02}."), "is a bare pickle");
  check_refused(parse("garbage"), "no file of torch.save");
  check_refused(parse(""), "no file of torch.save");
  check_refused(parse(around(good, {{"m/byteorder", "big"}})), "byte order 'big'");
  check_refused(parse(around(good, {{"m/byteorder", ""}})), "byte order ''");
  CHECK(parse(around(good, {{"m/byteorder", "little"}})).has_value());
  check_refused(parse(around(good, {{"m/constants.pkl", ""}})), "TorchScript");
  check_refused(parse(around(good, {{"n/data.pkl", good}})), "two files data.pkl");
  check_refused(parse(tests::write_zip({{"data.pkl", good}})), "without a data.pkl");
  check_refused(parse(tests::write_zip({{"a/b/data.pkl", good}})), "without a data.pkl");
  check_refused(parse(tests::write_zip({{"m/data.pkl", ""}})), "is truncated");
  tests::ZipPart packed{"m/data.pkl", good};
  packed.method = 8;
  check_refused(parse(tests::write_zip({packed})), "is compressed");
  for (const char* path : {"/dev/zero", "/absent", "/tmp"}) check_refused(engine::read_torch_file(path), path);
}

TEST_CASE("torch file: every truncation is refused") {
  const std::string file = bytes_of(corpus + "torch_file/good_python_zip");
  REQUIRE(parse(file).has_value());
  for (std::size_t size = 0; size < file.size(); ++size) CHECK_FALSE(parse(file.substr(0, size)).has_value());
}
