#include "engine/formats/pickle_opcodes.h"

namespace engine {

namespace {

constexpr OpcodeRow rows[] = {{"MARK", 0x28, OpcodeArgument::none},
                              {"EMPTY_TUPLE", 0x29, OpcodeArgument::none},
                              {"STOP", 0x2e, OpcodeArgument::none},
                              {"POP", 0x30, OpcodeArgument::none},
                              {"POP_MARK", 0x31, OpcodeArgument::none},
                              {"DUP", 0x32, OpcodeArgument::none},
                              {"BINBYTES", 0x42, OpcodeArgument::counted4},
                              {"SHORT_BINBYTES", 0x43, OpcodeArgument::counted1},
                              {"FLOAT", 0x46, OpcodeArgument::line},
                              {"BINFLOAT", 0x47, OpcodeArgument::eight},
                              {"INT", 0x49, OpcodeArgument::line},
                              {"BININT", 0x4a, OpcodeArgument::four},
                              {"BININT1", 0x4b, OpcodeArgument::one},
                              {"LONG", 0x4c, OpcodeArgument::line},
                              {"BININT2", 0x4d, OpcodeArgument::two},
                              {"NONE", 0x4e, OpcodeArgument::none},
                              {"PERSID", 0x50, OpcodeArgument::line},
                              {"BINPERSID", 0x51, OpcodeArgument::none},
                              {"REDUCE", 0x52, OpcodeArgument::none},
                              {"STRING", 0x53, OpcodeArgument::line},
                              {"BINSTRING", 0x54, OpcodeArgument::counted4},
                              {"SHORT_BINSTRING", 0x55, OpcodeArgument::counted1},
                              {"UNICODE", 0x56, OpcodeArgument::line},
                              {"BINUNICODE", 0x58, OpcodeArgument::counted4},
                              {"EMPTY_LIST", 0x5d, OpcodeArgument::none},
                              {"APPEND", 0x61, OpcodeArgument::none},
                              {"BUILD", 0x62, OpcodeArgument::none},
                              {"GLOBAL", 0x63, OpcodeArgument::two_lines},
                              {"DICT", 0x64, OpcodeArgument::none},
                              {"APPENDS", 0x65, OpcodeArgument::none},
                              {"GET", 0x67, OpcodeArgument::line},
                              {"BINGET", 0x68, OpcodeArgument::one},
                              {"INST", 0x69, OpcodeArgument::two_lines},
                              {"LONG_BINGET", 0x6a, OpcodeArgument::four},
                              {"LIST", 0x6c, OpcodeArgument::none},
                              {"OBJ", 0x6f, OpcodeArgument::none},
                              {"PUT", 0x70, OpcodeArgument::line},
                              {"BINPUT", 0x71, OpcodeArgument::one},
                              {"LONG_BINPUT", 0x72, OpcodeArgument::four},
                              {"SETITEM", 0x73, OpcodeArgument::none},
                              {"TUPLE", 0x74, OpcodeArgument::none},
                              {"SETITEMS", 0x75, OpcodeArgument::none},
                              {"EMPTY_DICT", 0x7d, OpcodeArgument::none},
                              {"PROTO", 0x80, OpcodeArgument::one},
                              {"NEWOBJ", 0x81, OpcodeArgument::none},
                              {"EXT1", 0x82, OpcodeArgument::one},
                              {"EXT2", 0x83, OpcodeArgument::two},
                              {"EXT4", 0x84, OpcodeArgument::four},
                              {"TUPLE1", 0x85, OpcodeArgument::none},
                              {"TUPLE2", 0x86, OpcodeArgument::none},
                              {"TUPLE3", 0x87, OpcodeArgument::none},
                              {"NEWTRUE", 0x88, OpcodeArgument::none},
                              {"NEWFALSE", 0x89, OpcodeArgument::none},
                              {"LONG1", 0x8a, OpcodeArgument::counted1},
                              {"LONG4", 0x8b, OpcodeArgument::counted4},
                              {"SHORT_BINUNICODE", 0x8c, OpcodeArgument::counted1},
                              {"BINUNICODE8", 0x8d, OpcodeArgument::counted8},
                              {"BINBYTES8", 0x8e, OpcodeArgument::counted8},
                              {"EMPTY_SET", 0x8f, OpcodeArgument::none},
                              {"ADDITEMS", 0x90, OpcodeArgument::none},
                              {"FROZENSET", 0x91, OpcodeArgument::none},
                              {"NEWOBJ_EX", 0x92, OpcodeArgument::none},
                              {"STACK_GLOBAL", 0x93, OpcodeArgument::none},
                              {"MEMOIZE", 0x94, OpcodeArgument::none},
                              {"FRAME", 0x95, OpcodeArgument::eight},
                              {"BYTEARRAY8", 0x96, OpcodeArgument::counted8},
                              {"NEXT_BUFFER", 0x97, OpcodeArgument::none},
                              {"READONLY_BUFFER", 0x98, OpcodeArgument::none}};

}  // namespace

const OpcodeRow* find_opcode(std::uint8_t byte) {
  for (const OpcodeRow& row : rows) {
    if (row.byte == byte) return &row;
  }
  return nullptr;
}

}  // namespace engine
