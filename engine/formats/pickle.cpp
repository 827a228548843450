#include "engine/formats/pickle.h"

#include "engine/base/quote.h"
#include "engine/formats/pickle_bytes.h"
#include "engine/formats/pickle_globals.h"
#include "engine/formats/pickle_opcodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace engine {

namespace {

constexpr std::size_t most_on_stack = 65'536, most_values = 250'000, longest_text = 4096, most_dimensions = 16;

constexpr const char* not_needed = "a state dict of fp32, fp16 or bf16 tensors does not need it";

enum class Kind : std::uint8_t {
  mark,
  none,
  boolean,
  integer,
  text,
  tuple,
  dict,
  ordered_dict,
  global,
  storage,
  tensor
};

const char* name_of(Kind kind) {
  constexpr std::array names = {"a mark", "None",        "a boolean", "an integer", "a text",  "a tuple",
                                "a dict", "OrderedDict", "a global",  "a storage",  "a tensor"};
  return names[static_cast<std::size_t>(kind)];
}

// A value of the machine: small, copied freely. What is larger lies in a table of its kind, at `index`.
struct Value {
  Kind kind = Kind::none;
  std::uint32_t index = 0;
  std::int64_t number = 0;
};

class Machine {
 public:
  explicit Machine(std::span<const std::byte> pickle) : in_{pickle, 0} {}

  std::string error;

  // False with `error` set at the first thing that does not belong.
  bool run() {
    while (!stopped_) {
      begin_ = in_.at;
      std::uint8_t opcode = 0;
      if (!number(opcode) || !step(opcode)) return false;
    }
    if (in_.left() != 0) return fail(fmt::format("goes on for {} bytes after its end", in_.left()));
    return true;
  }

  // The dictionary that was left on the stack, as tensors. False with `error` set.
  bool tensors(std::vector<PickledTensor>& out) {
    if (stack_.size() != 1) return fail(fmt::format("ends with {} values in place of one", stack_.size()));
    const Value top = stack_.front();
    if (top.kind != Kind::dict && top.kind != Kind::ordered_dict) {
      return fail(fmt::format("holds {} in place of a dictionary of tensors", name_of(top.kind)));
    }
    for (const auto& [key, value] : dicts_[top.index]) {
      const std::string_view name = texts_[key.index];
      if (value.kind != Kind::tensor) {
        return fail(fmt::format("holds {} under {}; only a flat dictionary of tensors is read", name_of(value.kind),
                                in_quotes(name)));
      }
      if (valid_utf8(name) != name) return fail(fmt::format("names a tensor {}, which is not UTF-8", in_quotes(name)));
      out.push_back(tensors_[value.index]);
      out.back().name = name;
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (std::size_t i = 1; i < out.size(); ++i) {
      if (out[i].name == out[i - 1].name) return fail(fmt::format("holds the tensor {} twice", in_quotes(out[i].name)));
    }
    return true;
  }

 private:
  using Dict = std::vector<std::pair<Value, Value>>;

  bool fail(std::string message) {
    if (error.empty()) error = std::move(message);
    return false;
  }
  bool fail_here(const std::string& message) { return fail(fmt::format("{}, at its byte {}", message, begin_)); }

  // --- what is read from the bytes
  template <class T>
  bool number(T& out) {
    return in_.number(out) || fail("is truncated");
  }
  bool bytes(std::size_t size, std::string_view& out) { return in_.text(size, out) || fail("is truncated"); }
  bool line(std::string_view& out) { return in_.line(out) || fail("is truncated"); }
  bool text(std::size_t size) {
    if (size > longest_text) return fail_here(fmt::format("has a text of {} bytes", size));
    std::string_view out;
    return bytes(size, out) && push_new(Kind::text, texts_, out);
  }
  template <class T>
  bool integer() {
    T value = 0;
    return number(value) && push({Kind::integer, 0, static_cast<std::int64_t>(value)});
  }
  bool long_integer() {  // little-endian two's complement of as many bytes as are needed
    std::uint8_t size = 0;
    std::string_view digits;
    if (!number(size)) return false;
    if (size > 8) return fail_here(fmt::format("has an integer of {} bytes", size));
    if (!bytes(size, digits)) return false;
    std::uint64_t value = size > 0 && (static_cast<std::uint8_t>(digits.back()) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;) value = (value << 8U) | static_cast<std::uint8_t>(digits[i]);
    return push({Kind::integer, 0, static_cast<std::int64_t>(value)});
  }

  // --- the stack and the tables
  bool push(Value value) {
    if (stack_.size() >= most_on_stack)
      return fail_here(fmt::format("puts more than {} values on its stack", most_on_stack));
    stack_.push_back(value);
    return true;
  }
  bool count_values(std::size_t more) {
    values_ += more;
    return values_ <= most_values || fail_here(fmt::format("makes more than {} values", most_values));
  }
  template <class T>
  bool push_new(Kind kind, std::vector<T>& table, T content) {
    if (!count_values(1)) return false;
    table.push_back(std::move(content));
    return push({kind, static_cast<std::uint32_t>(table.size() - 1), 0});
  }
  bool pop(Value& out) {
    if (stack_.empty() || stack_.back().kind == Kind::mark) return fail_here("takes a value from an empty stack");
    out = stack_.back();
    stack_.pop_back();
    return true;
  }
  bool pop_to_mark(std::vector<Value>& out) {
    std::size_t mark = stack_.size();
    while (mark > 0 && stack_[mark - 1].kind != Kind::mark) --mark;
    if (mark == 0) return fail_here("looks for a mark that was not set");
    out.assign(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
    stack_.resize(mark - 1);
    return true;
  }
  bool pop_tuple(std::size_t size) {
    std::vector<Value> items(size);
    for (std::size_t i = size; i-- > 0;) {
      if (!pop(items[i])) return false;
    }
    return count_values(size) && push_new(Kind::tuple, tuples_, std::move(items));
  }
  bool mark_tuple() {
    std::vector<Value> items;
    return pop_to_mark(items) && count_values(items.size()) && push_new(Kind::tuple, tuples_, std::move(items));
  }
  bool put(std::uint32_t slot) {
    if (stack_.empty() || stack_.back().kind == Kind::mark) return fail_here("remembers a value of an empty stack");
    if (slot >= most_values) return fail_here(fmt::format("remembers a value under the number {}", slot));
    if (slot >= memo_.size()) memo_.resize(slot + 1);
    memo_[slot] = stack_.back();
    return true;
  }
  bool get(std::uint32_t slot) {
    if (slot >= memo_.size() || !memo_[slot])
      return fail_here(fmt::format("recalls the value {}, which it never remembered", slot));
    return push(*memo_[slot]);
  }
  template <class T>
  bool memo(bool (Machine::*use)(std::uint32_t)) {
    T slot = 0;
    return number(slot) && (this->*use)(slot);
  }

  // --- what has a meaning
  bool refuse_global(const std::string& name) {
    return fail_here(
        fmt::format("asks for the global {}, which is refused (nothing was run): {}", in_quotes(name), not_needed));
  }
  bool global(std::string_view module, std::string_view name) {
    const GlobalRow* row = find_global(module, name);
    if (row == nullptr) return refuse_global(std::string(module) + "." + std::string(name));
    return push({Kind::global, static_cast<std::uint32_t>(row - known_globals.data()), 0});
  }
  bool global_lines() {
    std::string_view module, name;
    return line(module) && line(name) && global(module, name);
  }
  bool global_from_stack() {
    Value module, name;
    if (!pop(name) || !pop(module)) return false;
    if (module.kind != Kind::text || name.kind != Kind::text)
      return fail_here("names a global by something other than text");
    return global(texts_[module.index], texts_[name.index]);
  }
  bool is_empty_tuple(Value value) const { return value.kind == Kind::tuple && tuples_[value.index].empty(); }

  bool persistent_id() {
    Value id;
    if (!pop(id)) return false;
    const auto* parts = id.kind == Kind::tuple && tuples_[id.index].size() == 5 ? &tuples_[id.index] : nullptr;
    if (parts == nullptr || (*parts)[0].kind != Kind::text || texts_[(*parts)[0].index] != "storage" ||
        (*parts)[1].kind != Kind::global || known_globals[(*parts)[1].index].global != Global::storage ||
        (*parts)[2].kind != Kind::text || (*parts)[3].kind != Kind::text || (*parts)[4].kind != Kind::integer) {
      return fail_here("refers to something other than ('storage', type, key, location, elements)");
    }
    if ((*parts)[4].number < 0) return fail_here("has a storage of fewer than 0 elements");
    const PickledStorage storage{texts_[(*parts)[2].index], known_globals[(*parts)[1].index].type,
                                 static_cast<std::uint64_t>((*parts)[4].number)};
    return push_new(Kind::storage, storages_, storage);
  }

  bool reduce() {
    Value arguments, called;
    if (!pop(arguments) || !pop(called)) return false;
    if (called.kind != Kind::global) return fail_here(fmt::format("calls {}", name_of(called.kind)));
    if (arguments.kind != Kind::tuple) return fail_here("calls with something other than a tuple");
    const GlobalRow& row = known_globals[called.index];
    if (row.global == Global::ordered_dict && is_empty_tuple(arguments))
      return push_new(Kind::ordered_dict, dicts_, Dict());
    if (row.global == Global::rebuild_tensor) return rebuild_tensor(tuples_[arguments.index]);
    return fail_here(
        fmt::format("calls {}.{} with {} arguments", row.module, row.name, tuples_[arguments.index].size()));
  }
  bool rebuild_tensor(const std::vector<Value>& arguments) {
    // storage, offset, shape, strides, requires_grad, backward_hooks, and metadata where there is any
    constexpr std::array kinds = {Kind::storage, Kind::integer, Kind::tuple,
                                  Kind::tuple,   Kind::boolean, Kind::ordered_dict};
    bool fits = arguments.size() == kinds.size() ||
                (arguments.size() == kinds.size() + 1 && arguments.back().kind == Kind::none);
    for (std::size_t i = 0; fits && i < kinds.size(); ++i) fits = arguments[i].kind == kinds[i];
    if (!fits) return fail_here("gives torch._utils._rebuild_tensor_v2 arguments other than those of a plain tensor");
    if (!dicts_[arguments[5].index].empty()) return fail_here("has a tensor with backward hooks");
    PickledTensor tensor;
    tensor.storage = storages_[arguments[0].index];
    if (arguments[1].number < 0) return fail_here("has a tensor that begins before its storage");
    tensor.offset = static_cast<std::uint64_t>(arguments[1].number);
    if (!sizes(arguments[2], tensor.shape) || !sizes(arguments[3], tensor.strides)) return false;
    if (tensor.shape.size() != tensor.strides.size())
      return fail_here("has a tensor with more dimensions than strides, or fewer");
    return push_new(Kind::tensor, tensors_, std::move(tensor));
  }
  bool sizes(Value tuple, std::vector<std::int64_t>& out) {
    const auto& items = tuples_[tuple.index];
    if (items.size() > most_dimensions) return fail_here(fmt::format("has a tensor of {} dimensions", items.size()));
    for (const Value item : items) {
      if (item.kind != Kind::integer)
        return fail_here(fmt::format("has {} in a tensor's shape or strides", name_of(item.kind)));
      if (item.number < 0) return fail_here(fmt::format("has {} in a tensor's shape or strides", item.number));
      out.push_back(item.number);
    }
    return true;
  }

  bool set_items(const std::vector<Value>& items) {
    if (stack_.empty() || (stack_.back().kind != Kind::dict && stack_.back().kind != Kind::ordered_dict)) {
      return fail_here("sets items of something other than a dictionary");
    }
    if (items.size() % 2 != 0) return fail_here("sets an item without a value");
    if (!count_values(items.size())) return false;
    Dict& dict = dicts_[stack_.back().index];
    for (std::size_t i = 0; i < items.size(); i += 2) {
      if (items[i].kind != Kind::text)
        return fail_here(fmt::format("has {} as a key of a dictionary", name_of(items[i].kind)));
      dict.emplace_back(items[i], items[i + 1]);
    }
    return true;
  }
  bool set_item() {
    std::vector<Value> items(2);
    return pop(items[1]) && pop(items[0]) && set_items(items);
  }
  bool set_marked_items() {
    std::vector<Value> items;
    return pop_to_mark(items) && set_items(items);
  }
  // torch's state_dict() hangs the versions of its modules on the dictionary: {'_metadata': OrderedDict}. Not needed.
  bool build() {
    Value state;
    if (!pop(state)) return false;
    const bool fits = !stack_.empty() && stack_.back().kind == Kind::ordered_dict && state.kind == Kind::dict &&
                      dicts_[state.index].size() == 1 && texts_[dicts_[state.index][0].first.index] == "_metadata";
    return fits || fail_here("sets attributes other than a state dict's _metadata");
  }

  bool protocol() {
    std::uint8_t version = 0;
    if (!number(version)) return false;
    return version <= 5 || fail_here(fmt::format("is of protocol {}; 5 is the latest known", version));
  }
  bool frame() {
    std::uint64_t size = 0;  // a hint for readers of streams
    return number(size);
  }

  bool step(std::uint8_t opcode) {
    switch (Opcode{opcode}) {
      case Opcode::proto:
        return protocol();
      case Opcode::frame:
        return frame();
      case Opcode::stop:
        return stopped_ = true;
      case Opcode::mark:
        return push({Kind::mark, 0, 0});
      case Opcode::none:
        return push({Kind::none, 0, 0});
      case Opcode::newtrue:
      case Opcode::newfalse:
        return push({Kind::boolean, 0, Opcode{opcode} == Opcode::newtrue ? 1 : 0});
      case Opcode::binint:
        return integer<std::int32_t>();
      case Opcode::binint1:
        return integer<std::uint8_t>();
      case Opcode::binint2:
        return integer<std::uint16_t>();
      case Opcode::long1:
        return long_integer();
      case Opcode::binunicode: {
        std::uint32_t size = 0;
        return number(size) && text(size);
      }
      case Opcode::short_binunicode: {
        std::uint8_t size = 0;
        return number(size) && text(size);
      }
      case Opcode::empty_tuple:
        return pop_tuple(0);
      case Opcode::tuple1:
        return pop_tuple(1);
      case Opcode::tuple2:
        return pop_tuple(2);
      case Opcode::tuple3:
        return pop_tuple(3);
      case Opcode::tuple:
        return mark_tuple();
      case Opcode::empty_dict:
        return push_new(Kind::dict, dicts_, Dict());
      case Opcode::setitem:
        return set_item();
      case Opcode::setitems:
        return set_marked_items();
      case Opcode::binput:
        return memo<std::uint8_t>(&Machine::put);
      case Opcode::long_binput:
        return memo<std::uint32_t>(&Machine::put);
      case Opcode::memoize:
        return put(static_cast<std::uint32_t>(memo_.size()));
      case Opcode::binget:
        return memo<std::uint8_t>(&Machine::get);
      case Opcode::long_binget:
        return memo<std::uint32_t>(&Machine::get);
      case Opcode::global:
      case Opcode::inst:  // an old form of the same that also calls
        return global_lines() && (Opcode{opcode} == Opcode::global || refuse_opcode(opcode));
      case Opcode::stack_global:
        return global_from_stack();
      case Opcode::binpersid:
        return persistent_id();
      case Opcode::reduce:
        return reduce();
      case Opcode::build:
        return build();
    }
    return refuse_opcode(opcode);
  }
  // A pickle that wants to run something is refused by that thing's name, even where an opcode before it is unknown here.
  bool refuse_opcode(std::uint8_t opcode) {
    const OpcodeRow* row = find_opcode(opcode);
    if (row == nullptr) return fail_here(fmt::format("has the byte 0x{:02x}, which is no opcode", opcode));
    if (const std::string foreign = first_foreign_global(in_.bytes.subspan(begin_)); !foreign.empty()) {
      return refuse_global(foreign);
    }
    return fail_here(fmt::format("uses the opcode {}, which is refused: {}", row->name, not_needed));
  }

  PickleBytes in_;
  std::size_t begin_ = 0;  // of the current opcode
  bool stopped_ = false;
  std::size_t values_ = 0;
  std::vector<Value> stack_;
  std::vector<std::optional<Value>> memo_;
  std::vector<std::string_view> texts_;
  std::vector<std::vector<Value>> tuples_;
  std::vector<Dict> dicts_;
  std::vector<PickledStorage> storages_;
  std::vector<PickledTensor> tensors_;
};

}  // namespace

Result<std::vector<PickledTensor>> parse_state_dict(std::span<const std::byte> pickle, const std::string& where) {
  std::vector<PickledTensor> out;
  Machine machine(pickle);
  if (pickle.size() > longest_pickle) {
    machine.error = fmt::format("has {} bytes; at most {} are read", pickle.size(), longest_pickle);
  } else if (machine.run()) {
    machine.tensors(out);
  }
  if (machine.error.empty()) return out;
  return input_error(fmt::format("The pickle of {} {}. Save the model's state_dict() alone with torch.save.",
                                 in_quotes(where), machine.error));
}

}  // namespace engine
