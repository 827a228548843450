// The machine for pickles, opcode by opcode: a flat dictionary of tensors is read, everything else is named and refused.
#include "engine/formats/pickle.h"

#include "engine/formats/pickle_globals.h"
#include "engine/formats/pickle_opcodes.h"

#include <doctest/doctest.h>

#include <random>

namespace {

engine::Result<std::vector<engine::PickledTensor>> parse(const std::string& pickle) {
  return engine::parse_state_dict(std::as_bytes(std::span(pickle)), "test");
}

std::string unicode(const std::string& text) {
  return "X" + std::string(1, static_cast<char>(text.size())) + std::string(3, '\0') + text;
}

const std::string storage =
    "(" + unicode("storage") + "ctorch\nFloatStorage\n" + unicode("0") + unicode("cpu") + "K\x10tQ";
const std::string hooks = "ccollections\nOrderedDict\n)R";
const std::string rebuild = "ctorch._utils\n_rebuild_tensor_v2\n";

// offset, shape and strides are pickled values
std::string tensor(const std::string& offset = std::string("K\0", 2), const std::string& shape = "K\2K\3\x86",
                   const std::string& strides = "K\3K\1\x86") {
  return rebuild + "(" + storage + offset + shape + strides + "\x89" + hooks + "tR";
}

std::string dictionary(const std::string& items) { return "\x80\x02}(" + items + "u."; }

void check_refused(const std::string& pickle, const std::string& says) {
  const auto read = parse(pickle);
  CAPTURE(says);
  REQUIRE_FALSE(read.has_value());
  CAPTURE(read.error().message);
  CHECK(read.error().kind == engine::ErrorKind::input);
  CHECK(read.error().message.find(says) != std::string::npos);
  CHECK(read.error().message.size() < 700);
}

}  // namespace

TEST_CASE("pickle: a flat dictionary of tensors is read, sorted by name") {
  const std::string offset("J\4\0\0\0", 5);
  const std::string pickle =
      dictionary(unicode("b") + tensor() + unicode("a") + tensor(offset, ")", ")"));  // outlives what is read from it
  const auto good = parse(pickle);
  REQUIRE_MESSAGE(good.has_value(), (good ? "" : good.error().message));
  REQUIRE(good->size() == 2);
  CHECK((*good)[0].name == "a");
  CHECK((*good)[0].offset == 4);
  CHECK((*good)[0].shape.empty());
  CHECK((*good)[1].shape == std::vector<std::int64_t>{2, 3});
  CHECK((*good)[1].strides == std::vector<std::int64_t>{3, 1});
  CHECK((*good)[1].storage.key == "0");
  CHECK((*good)[1].storage.elements == 16);
  CHECK((*good)[1].storage.type == engine::TensorType::f32);
  CHECK(parse("\x80\x02}.")->empty());
}

TEST_CASE("pickle: integers of every width") {
  struct Row {
    std::string pickled;
    std::uint64_t value;
  };
  for (const Row& row : {Row{"K\xff", 255}, Row{"M\x01\x02", 513}, Row{std::string("J\x01\0\0\x70", 5), 0x70000001},
                         Row{std::string("\x8a\0", 2), 0}, Row{"\x8a\x01\x7f", 127},
                         Row{std::string("\x8a\x05\0\0\0\0\x01", 7), std::uint64_t{1} << 32U},
                         Row{"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", 0x7FFFFFFFFFFFFFFF}}) {
    const auto read = parse(dictionary(unicode("a") + tensor(row.pickled)));
    REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().message));
    CHECK(read->front().offset == row.value);
  }
  check_refused(dictionary(unicode("a") + tensor("\x8a\x01\xff")), "begins before its storage");
  check_refused(dictionary(unicode("a") + tensor("J\xff\xff\xff\xff")), "begins before its storage");
  check_refused(dictionary(unicode("a") + tensor("\x8a\x09xxxxxxxxx")), "an integer of 9 bytes");
}

TEST_CASE("pickle: every global but those of a state dict is refused by its name") {
  for (const std::string& global :
       {std::string("posix\nsystem"), std::string("os\nsystem"), std::string("subprocess\nPopen"),
        std::string("builtins\neval"), std::string("__builtin__\nexec"), std::string("torch\nload"),
        std::string("torch\nFloatStorage.from_file"), std::string("torch.hub\nload"), std::string("collections\n"),
        std::string("\nOrderedDict"), std::string("torch._utils\n_rebuild_tensor"), std::string("numpy\nload")}) {
    std::string name = global;
    name[name.find('\n')] = '.';
    check_refused(
        "\x80\x02"
        "c" +
            global + "\n(" + unicode("touch") + "tR.",
        "asks for the global '" + name + "', which is refused");
    check_refused(dictionary(unicode("a") + "c" + global + "\n" + unicode("touch") + "\x85R"), "'" + name + "'");
    const std::size_t split = global.find('\n');
    check_refused("\x80\x04" + unicode(global.substr(0, split)) + unicode(global.substr(split + 1)) + "\x93.",
                  "'" + name + "'");
    // Behind opcodes that are refused themselves, the global is what is named.
    check_refused("\x80\x02](c" + global + "\nU\x01xtRe.", "'" + name + "'");
    check_refused("(S'touch'\ni" + global + "\n.", "'" + name + "'");
  }
  check_refused("ccollections\nOrderedDict", "truncated");
  check_refused("c\x1b[2J\nx\n.", "'\\x1b[2J.x'");
  check_refused("c" + std::string(100'000, 'm') + "\nx\n.", "mmm...");
}

TEST_CASE("pickle: every opcode is either understood or refused by its name") {
  int refused = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const engine::OpcodeRow* row = engine::find_opcode(static_cast<std::uint8_t>(byte));
    const auto read = parse(std::string(1, static_cast<char>(byte)));
    CAPTURE(byte);
    REQUIRE_FALSE(read.has_value());  // no single opcode leaves a dictionary behind
    const std::string& message = read.error().message;
    if (row == nullptr) CHECK(message.find("is no opcode") != std::string::npos);
    if (message.find("uses the opcode") == std::string::npos) continue;
    CHECK(message.find(row->name) != std::string::npos);
    ++refused;
  }
  CHECK(refused == 68 - 32);
}

TEST_CASE("pickle: storages, calls and tensors other than plain ones are refused") {
  check_refused("\x80\x02" + unicode("abc") + "Q.", "refers to something other");
  check_refused(
      "\x80\x02"
      "Q.",
      "empty stack");
  check_refused("\x80\x02(" + unicode("module") + "ctorch\nFloatStorage\n" + unicode("0") + unicode("cpu") + "K\1tQ.",
                "refers to something other");
  check_refused(
      "\x80\x02(" + unicode("storage") + "ccollections\nOrderedDict\n" + unicode("0") + unicode("cpu") + "K\1tQ.",
      "refers to something other");
  check_refused("\x80\x02(" + unicode("storage") + "ctorch\nFloatStorage\n" + unicode("0") + unicode("cpu") +
                    "J\xff\xff\xff\xfftQ.",
                "fewer than 0 elements");
  check_refused(
      "\x80\x02"
      "ctorch\nFloatStorage\n)R.",
      "calls torch.FloatStorage with 0 arguments");
  check_refused(
      "\x80\x02"
      "ccollections\nOrderedDict\nK\1\x85R.",
      "calls collections.OrderedDict with 1 arguments");
  check_refused("\x80\x02})R.", "calls a dict");
  check_refused(
      "\x80\x02"
      "ccollections\nOrderedDict\n}R.",
      "something other than a tuple");
  check_refused("\x80\x02" + rebuild + ")R.", "arguments other than those");
  check_refused("\x80\x02" + rebuild + "(" + storage + "K\1K\1K\1\x89" + hooks + "tR.", "arguments other than those");
  check_refused(dictionary(unicode("a") + tensor("K\1", "K\2\x85", "K\1K\1\x86")), "more dimensions than strides");
  check_refused(dictionary(unicode("a") + tensor("K\1", "J\xff\xff\xff\xff\x85", "K\1\x85")),
                "has -1 in a tensor's shape");
  check_refused(dictionary(unicode("a") + tensor("K\1", "N\x85", "K\1\x85")), "has None in a tensor's shape");
  std::string many = "(";
  for (int i = 0; i < 17; ++i) many += "K\1";
  check_refused(dictionary(unicode("a") + tensor("K\1", many + "t", many + "t")), "17 dimensions");
  check_refused("\x80\x02}" + unicode("_x") + "Nsb.", "sets attributes other");
  check_refused(
      "\x80\x02"
      "ccollections\nOrderedDict\n)R}" +
          unicode("x") + "Nsb.",
      "other than a state dict's _metadata");
  check_refused("\x80\x02}}" + unicode("_metadata") + "Nsb.", "other than a state dict's _metadata");
}

TEST_CASE("pickle: dictionaries that are not flat ones of tensors are refused") {
  check_refused(dictionary(unicode("a") + "}"), "holds a dict under 'a'");
  check_refused(dictionary(unicode("a") + "N"), "holds None under 'a'");
  check_refused(dictionary("K\1N"), "has an integer as a key");
  check_refused(dictionary(unicode("a")), "without a value");
  check_refused(dictionary(unicode("a") + tensor() + unicode("a") + tensor()), "holds the tensor 'a' twice");
  check_refused(dictionary(unicode("\xff") + tensor()), "not UTF-8");
  check_refused("\x80\x02)(NNu.", "something other than a dictionary");
  check_refused("\x80\x02}Nu.", "a mark that was not set");
  check_refused("\x80\x02N.", "holds None in place of a dictionary");
  check_refused("\x80\x02}}.", "ends with 2 values");
  check_refused("\x80\x02.", "ends with 0 values");
  check_refused("\x80\x02}.x", "goes on for 1 bytes");
  check_refused("\x80\x06}.", "protocol 6");
  check_refused("", "truncated");
}

TEST_CASE("pickle: stack, memo, texts and values are bounded") {
  check_refused(std::string(70'000, '('), "more than 65536 values on its stack");
  check_refused("\x80\x02" + std::string(1, ')') + std::string(300'000, '\x85') + ".", "makes more than 250000 values");
  check_refused("\x80\x02}r\xff\xff\xff\xff.", "under the number 4294967295");
  check_refused("\x80\x02h\x07.", "recalls the value 7");
  check_refused("\x80\x02q\1.", "remembers a value of an empty stack");
  check_refused("\x80\x02(\x94.", "remembers a value of an empty stack");
  check_refused("\x80\x02X" + std::string("\x01\x10\0\0", 4) + std::string(5000, 'x'), "a text of 4097 bytes");
  check_refused("\x80\x02X\xff\xff\xff\xff", "a text of 4294967295 bytes");
  check_refused(std::string(engine::longest_pickle + 1, '}'), "at most 4194304 are read");
  check_refused("\x80\x02(\x85.", "empty stack");
}

TEST_CASE("pickle: every truncation is refused, and no changed byte does harm") {
  const std::string file = dictionary(unicode("a") + tensor() + unicode("b") + tensor());
  REQUIRE(parse(file).has_value());
  for (std::size_t size = 0; size < file.size(); ++size) CHECK_FALSE(parse(file.substr(0, size)).has_value());
  std::mt19937 random(11);
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = file;
    for (unsigned n = random() % 4; n < 4; ++n) changed[random() % changed.size()] = static_cast<char>(random());
    const auto read = parse(changed);
    if (!read) {
      CHECK(read.error().kind == engine::ErrorKind::input);
      continue;
    }
    for (const engine::PickledTensor& tensor : *read) CHECK(tensor.shape.size() == tensor.strides.size());
  }
}
