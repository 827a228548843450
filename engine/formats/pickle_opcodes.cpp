#include "engine/formats/pickle_opcodes.h"

namespace engine {

namespace {

constexpr OpcodeRow rows[] = {{0x28, "MARK", OpcodeArgument::none},
                              {0x29, "EMPTY_TUPLE", OpcodeArgument::none},
                              {0x2e, "STOP", OpcodeArgument::none},
                              {0x30, "POP", OpcodeArgument::none},
                              {0x31, "POP_MARK", OpcodeArgument::none},
                              {0x32, "DUP", OpcodeArgument::none},
                              {0x42, "BINBYTES", OpcodeArgument::counted4},
                              {0x43, "SHORT_BINBYTES", OpcodeArgument::counted1},
                              {0x46, "FLOAT", OpcodeArgument::line},
                              {0x47, "BINFLOAT", OpcodeArgument::eight},
                              {0x49, "INT", OpcodeArgument::line},
                              {0x4a, "BININT", OpcodeArgument::four},
                              {0x4b, "BININT1", OpcodeArgument::one},
                              {0x4c, "LONG", OpcodeArgument::line},
                              {0x4d, "BININT2", OpcodeArgument::two},
                              {0x4e, "NONE", OpcodeArgument::none},
                              {0x50, "PERSID", OpcodeArgument::line},
                              {0x51, "BINPERSID", OpcodeArgument::none},
                              {0x52, "REDUCE", OpcodeArgument::none},
                              {0x53, "STRING", OpcodeArgument::line},
                              {0x54, "BINSTRING", OpcodeArgument::counted4},
                              {0x55, "SHORT_BINSTRING", OpcodeArgument::counted1},
                              {0x56, "UNICODE", OpcodeArgument::line},
                              {0x58, "BINUNICODE", OpcodeArgument::counted4},
                              {0x5d, "EMPTY_LIST", OpcodeArgument::none},
                              {0x61, "APPEND", OpcodeArgument::none},
                              {0x62, "BUILD", OpcodeArgument::none},
                              {0x63, "GLOBAL", OpcodeArgument::two_lines},
                              {0x64, "DICT", OpcodeArgument::none},
                              {0x65, "APPENDS", OpcodeArgument::none},
                              {0x67, "GET", OpcodeArgument::line},
                              {0x68, "BINGET", OpcodeArgument::one},
                              {0x69, "INST", OpcodeArgument::two_lines},
                              {0x6a, "LONG_BINGET", OpcodeArgument::four},
                              {0x6c, "LIST", OpcodeArgument::none},
                              {0x6f, "OBJ", OpcodeArgument::none},
                              {0x70, "PUT", OpcodeArgument::line},
                              {0x71, "BINPUT", OpcodeArgument::one},
                              {0x72, "LONG_BINPUT", OpcodeArgument::four},
                              {0x73, "SETITEM", OpcodeArgument::none},
                              {0x74, "TUPLE", OpcodeArgument::none},
                              {0x75, "SETITEMS", OpcodeArgument::none},
                              {0x7d, "EMPTY_DICT", OpcodeArgument::none},
                              {0x80, "PROTO", OpcodeArgument::one},
                              {0x81, "NEWOBJ", OpcodeArgument::none},
                              {0x82, "EXT1", OpcodeArgument::one},
                              {0x83, "EXT2", OpcodeArgument::two},
                              {0x84, "EXT4", OpcodeArgument::four},
                              {0x85, "TUPLE1", OpcodeArgument::none},
                              {0x86, "TUPLE2", OpcodeArgument::none},
                              {0x87, "TUPLE3", OpcodeArgument::none},
                              {0x88, "NEWTRUE", OpcodeArgument::none},
                              {0x89, "NEWFALSE", OpcodeArgument::none},
                              {0x8a, "LONG1", OpcodeArgument::counted1},
                              {0x8b, "LONG4", OpcodeArgument::counted4},
                              {0x8c, "SHORT_BINUNICODE", OpcodeArgument::counted1},
                              {0x8d, "BINUNICODE8", OpcodeArgument::counted8},
                              {0x8e, "BINBYTES8", OpcodeArgument::counted8},
                              {0x8f, "EMPTY_SET", OpcodeArgument::none},
                              {0x90, "ADDITEMS", OpcodeArgument::none},
                              {0x91, "FROZENSET", OpcodeArgument::none},
                              {0x92, "NEWOBJ_EX", OpcodeArgument::none},
                              {0x93, "STACK_GLOBAL", OpcodeArgument::none},
                              {0x94, "MEMOIZE", OpcodeArgument::none},
                              {0x95, "FRAME", OpcodeArgument::eight},
                              {0x96, "BYTEARRAY8", OpcodeArgument::counted8},
                              {0x97, "NEXT_BUFFER", OpcodeArgument::none},
                              {0x98, "READONLY_BUFFER", OpcodeArgument::none}};

}  // namespace

const OpcodeRow* find_opcode(std::uint8_t byte) {
  for (const OpcodeRow& row : rows) {
    if (row.byte == byte) return &row;
  }
  return nullptr;
}

}  // namespace engine
