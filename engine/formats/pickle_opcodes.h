// The opcodes of Python's pickle format, protocols 0 to 5: names and arguments as in Python's pickletools.
#pragma once

#include <cstdint>

namespace engine {

// Those that pickle.cpp understands; the values are the format's.
enum class Opcode : std::uint8_t {
  mark = '(',
  stop = '.',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  none = 'N',
  binpersid = 'Q',
  reduce = 'R',
  binunicode = 'X',
  build = 'b',
  global = 'c',
  empty_tuple = ')',
  binget = 'h',
  inst = 'i',
  long_binget = 'j',
  binput = 'q',
  long_binput = 'r',
  setitem = 's',
  setitems = 'u',
  tuple = 't',
  empty_dict = '}',
  proto = 0x80,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  newtrue = 0x88,
  newfalse = 0x89,
  long1 = 0x8a,
  short_binunicode = 0x8c,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
};

// What follows an opcode: bytes, lines, or a length of 1, 4 or 8 bytes and as many bytes as it says.
enum class OpcodeArgument : std::uint8_t { none, one, two, four, eight, line, two_lines, counted1, counted4, counted8 };

struct OpcodeRow {
  const char* name;  // "STACK_GLOBAL"
  std::uint8_t byte;
  OpcodeArgument argument;
};

// Null: no opcode has this byte.
const OpcodeRow* find_opcode(std::uint8_t byte);

}  // namespace engine
