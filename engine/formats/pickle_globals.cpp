#include "engine/formats/pickle_globals.h"

#include "engine/formats/pickle_bytes.h"
#include "engine/formats/pickle_opcodes.h"

namespace engine {

namespace {

template <class T>
bool skip_counted(PickleBytes& in, std::string_view& out) {
  T size = 0;
  return in.number(size) && in.text(size, out);
}

bool skip_argument(PickleBytes& in, OpcodeArgument argument, std::string_view& first, std::string_view& second) {
  switch (argument) {
    case OpcodeArgument::none:
      return true;
    case OpcodeArgument::one:
      return in.text(1, first);
    case OpcodeArgument::two:
      return in.text(2, first);
    case OpcodeArgument::four:
      return in.text(4, first);
    case OpcodeArgument::eight:
      return in.text(8, first);
    case OpcodeArgument::line:
      return in.line(first);
    case OpcodeArgument::two_lines:
      return in.line(first) && in.line(second);
    case OpcodeArgument::counted1:
      return skip_counted<std::uint8_t>(in, first);
    case OpcodeArgument::counted4:
      return skip_counted<std::uint32_t>(in, first);
    case OpcodeArgument::counted8:
      return skip_counted<std::uint64_t>(in, first);
  }
  return false;
}

std::string joined(std::string_view module, std::string_view name) {
  return find_global(module, name) != nullptr ? "" : std::string(module) + "." + std::string(name);
}

}  // namespace

const GlobalRow* find_global(std::string_view module, std::string_view name) {
  for (const GlobalRow& row : known_globals) {
    if (row.module == module && row.name == name) return &row;
  }
  return nullptr;
}

std::string first_foreign_global(std::span<const std::byte> pickle) {
  PickleBytes in{pickle, 0};
  std::array<std::string_view, 2> texts;
  std::uint8_t opcode = 0;
  while (in.number(opcode)) {
    const OpcodeRow* row = find_opcode(opcode);
    std::string_view first, second;
    if (row == nullptr || Opcode{opcode} == Opcode::stop || !skip_argument(in, row->argument, first, second)) break;
    std::string foreign;
    if (row->argument == OpcodeArgument::two_lines) foreign = joined(first, second);
    if (Opcode{opcode} == Opcode::stack_global) foreign = joined(texts[0], texts[1]);
    if (!foreign.empty()) return foreign;
    if (Opcode{opcode} == Opcode::short_binunicode || Opcode{opcode} == Opcode::binunicode) texts = {texts[1], first};
  }
  return {};
}

}  // namespace engine
