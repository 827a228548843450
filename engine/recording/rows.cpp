#include "engine/recording/rows.h"

#include "engine/tasks/label.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace engine {

namespace {

template <class T>
void put(std::span<std::byte> row, const T& value) {
  std::memcpy(row.data(), &value, sizeof(T));
}

// The values, or zeros where they are not as many as the row has room for.
template <class T>
void put_all(std::span<std::byte> row, const std::vector<T>& values) {
  if (values.size() * sizeof(T) == row.size() && !row.empty()) {
    std::memcpy(row.data(), values.data(), row.size());
  } else {
    std::fill(row.begin(), row.end(), std::byte{0});
  }
}

template <class T>
T get(std::span<const std::byte> row) {
  T value;
  std::memcpy(&value, row.data(), sizeof(T));
  return value;
}

template <class T>
void get_all(std::span<const std::byte> row, std::vector<T>& out) {
  out.resize(row.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), row.data(), out.size() * sizeof(T));
}

// The member that a field is made of; null: none. C is StepCoefficients or const.
template <class C>
auto coefficients_of(C& c, FieldKind kind) -> decltype(&c.dt) {
  switch (kind) {
    case FieldKind::dt:
      return &c.dt;
    case FieldKind::a:
      return &c.a;
    case FieldKind::lambda:
      return &c.lambda;
    case FieldKind::alpha:
      return &c.alpha;
    case FieldKind::beta:
      return &c.beta;
    case FieldKind::gamma:
      return &c.gamma;
    case FieldKind::state_norm:
      return &c.state_norm;
    case FieldKind::state_change:
      return &c.state_change;
    case FieldKind::turn:
      return &c.turn;
    default:
      return nullptr;
  }
}

// Calls with the part of the row that belongs to each kept layer, and the layer's number.
template <class Bytes, class F>
void for_each_layer(const std::vector<int>& layers, Bytes row, F&& use) {
  const std::size_t part = row.size() / layers.size();
  for (std::size_t i = 0; i < layers.size(); ++i) use(row.subspan(i * part, part), static_cast<std::size_t>(layers[i]));
}

void put_layer(FieldKind kind, std::span<std::byte> row, const LayerState& layer) {
  if (kind == FieldKind::turns) return put_all(row, layer.turns);
  put_all(row, kind == FieldKind::angle ? layer.angle
               : kind == FieldKind::k   ? layer.k
               : kind == FieldKind::v   ? layer.v
                                        : layer.ssm);
}

void get_layer(FieldKind kind, std::span<const std::byte> row, LayerState& layer) {
  if (kind == FieldKind::turns) return get_all(row, layer.turns);
  get_all(row, kind == FieldKind::angle ? layer.angle
               : kind == FieldKind::k   ? layer.k
               : kind == FieldKind::v   ? layer.v
                                        : layer.ssm);
}

bool of_state(FieldKind kind) { return kind >= FieldKind::angle; }

// Which parts a record has, in the sizes that the fields want.
std::int32_t held(const RecordingInfo& info, std::int64_t token, const TokenRecord& record) {
  const auto heads = static_cast<std::size_t>(info.config.heads());
  const auto matrix =
      heads * static_cast<std::size_t>(info.config.headdim) * static_cast<std::size_t>(info.config.d_state);
  const auto all = static_cast<std::size_t>(info.config.n_layer);
  std::int32_t holds = record.coefficients.dt.size() == all * heads ? holds_details : 0;
  const bool states = record.state != nullptr && record.state->layers.size() == all;
  const auto every = [&](const std::vector<int>& layers, auto&& has) {
    return states && !layers.empty() && std::all_of(layers.begin(), layers.end(), [&](int layer) {
             return has(record.state->layers[static_cast<std::size_t>(layer)]);
           });
  };
  if (every(info.cache_layers, [](const LayerState& layer) { return !layer.v.empty(); })) holds |= holds_caches_bit;
  if (info.keeps_ssm_of(token) && every(info.ssm_layers, [&](const LayerState& l) { return l.ssm.size() == matrix; }))
    holds |= holds_ssm_bit;
  return holds;
}

void put_top(FieldKind kind, std::span<std::byte> row, const std::vector<TopToken>& top) {
  for (std::size_t i = 0; i * 4 < row.size(); ++i) {
    const TopToken entry = i < top.size() ? top[i] : TopToken{-1, 0, 0};
    const auto to = row.subspan(4 * i, 4);
    if (kind == FieldKind::top_id) {
      put(to, entry.id);
    } else {
      put(to, kind == FieldKind::top_logit ? entry.logit : entry.probability);
    }
  }
}

void put_errors(std::span<std::byte> row, const std::vector<RuleErrors>& errors) {
  static_assert(sizeof(RuleErrors) == 3 * sizeof(float));
  if (!errors.empty()) return put_all(row, errors);
  for (std::size_t i = 0; i < row.size(); i += 4)
    put(row.subspan(i, 4), std::numeric_limits<float>::quiet_NaN());  // not measured
}

void put_times(FieldKind kind, std::span<std::byte> row, const StepTimes* times) {
  static const StepTimes none;
  const StepTimes& from = times != nullptr ? *times : none;
  if (kind == FieldKind::wall_ns) return put(row, from.wall_ns);
  const std::vector<std::int64_t>& values = kind == FieldKind::start_ns ? from.start_ns : from.duration_ns;
  for (std::size_t i = 0; i * 8 < row.size(); ++i)
    put(row.subspan(8 * i, 8), i < values.size() ? values[i] : std::int64_t{-1});
}

void write_row(const Field& field, const RecordingInfo& info, std::int32_t holds, const TokenRecord& record,
               const StepTimes* times, std::span<std::byte> row) {
  if (of_state(field.kind)) {
    const bool ssm = field.kind == FieldKind::ssm;
    if ((holds & (ssm ? holds_ssm_bit : holds_caches_bit)) == 0) return std::fill(row.begin(), row.end(), std::byte{0});
    return for_each_layer(ssm ? info.ssm_layers : info.cache_layers, row, [&](auto part, std::size_t layer) {
      put_layer(field.kind, part, record.state->layers[layer]);
    });
  }
  if (const auto* values = coefficients_of(record.coefficients, field.kind)) return put_all(row, *values);
  switch (field.kind) {
    case FieldKind::holds:
      return put(row, holds);
    case FieldKind::id:
      return put(row, record.id);
    case FieldKind::origin:
      return put(row, static_cast<std::int32_t>(record.origin));
    case FieldKind::truth:
      return put(row, record.truth);
    case FieldKind::predicted:
      return put(row, record.predicted);
    case FieldKind::probability:
      return put(row, record.probability);
    case FieldKind::entropy:
      return put(row, record.entropy_bits);
    case FieldKind::kl:
      return put(row, record.kl_bits);
    case FieldKind::top_id:
    case FieldKind::top_logit:
    case FieldKind::top_probability:
      return put_top(field.kind, row, record.top);
    case FieldKind::errors_stored:
      return put_errors(row, record.error_stored);
    case FieldKind::errors_unrotated:
      return put_errors(row, record.error_unrotated);
    default:
      return put_times(field.kind, row, times);
  }
}

void read_number(const Field& field, std::span<const std::byte> row, TokenRecord& record) {
  switch (field.kind) {
    case FieldKind::id:
      record.id = get<std::int32_t>(row);
      break;
    case FieldKind::origin:
      record.origin = static_cast<TokenOrigin>(get<std::int32_t>(row));
      break;
    case FieldKind::truth:
      record.truth = get<std::int32_t>(row);
      break;
    case FieldKind::predicted:
      record.predicted = get<std::int32_t>(row);
      break;
    case FieldKind::probability:
      record.probability = get<float>(row);
      break;
    case FieldKind::entropy:
      record.entropy_bits = get<float>(row);
      break;
    case FieldKind::kl:
      record.kl_bits = get<float>(row);
      break;
    default:
      break;
  }
}

void read_top(const Field& field, std::span<const std::byte> row, std::vector<TopToken>& top) {
  top.resize(row.size() / 4);
  for (std::size_t i = 0; i < top.size(); ++i) {
    const auto from = row.subspan(4 * i, 4);
    if (field.kind == FieldKind::top_id) top[i].id = get<std::int32_t>(from);
    if (field.kind == FieldKind::top_logit) top[i].logit = get<float>(from);
    if (field.kind == FieldKind::top_probability) top[i].probability = get<float>(from);
  }
}

void read_details(const Field& field, std::span<const std::byte> row, TokenRecord& record) {
  if (auto* values = coefficients_of(record.coefficients, field.kind)) return get_all(row, *values);
  if (field.kind == FieldKind::errors_stored) get_all(row, record.error_stored);
  if (field.kind == FieldKind::errors_unrotated) get_all(row, record.error_unrotated);
  if (field.kind == FieldKind::top_id || field.kind == FieldKind::top_logit || field.kind == FieldKind::top_probability)
    read_top(field, row, record.top);
}

const Field& field_of(const std::vector<Field>& fields, FieldKind kind) {
  return *std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.kind == kind; });
}

}  // namespace

void write_rows(const RecordingInfo& info, const std::vector<Field>& fields, std::int64_t token,
                const TokenRecord& record, const StepTimes* times, std::span<std::byte> block) {
  const std::int32_t holds = held(info, token, record);
  for (const Field& field : fields) {
    if (field.has(token)) write_row(field, info, holds, record, times, block.subspan(field.offset, field.row_bytes));
  }
}

std::shared_ptr<TokenRecord> read_rows(const RecordingInfo& info, const std::vector<Field>& fields, std::int64_t token,
                                       const RowOf& row) {
  auto record = std::make_shared<TokenRecord>();
  auto state = std::make_shared<SequenceState>();
  record->position = token;
  state->position = token + 1;
  state->layers.resize(static_cast<std::size_t>(info.config.n_layer));
  const auto holds = get<std::int32_t>(row(field_of(fields, FieldKind::holds)));
  for (const Field& field : fields) {
    if (!field.has(token)) continue;
    const auto bytes = row(field);
    read_number(field, bytes, *record);
    if ((holds & holds_details) != 0) read_details(field, bytes, *record);
    const bool ssm = field.kind == FieldKind::ssm;
    if (!of_state(field.kind) || (holds & (ssm ? holds_ssm_bit : holds_caches_bit)) == 0) continue;
    for_each_layer(ssm ? info.ssm_layers : info.cache_layers, bytes,
                   [&](auto part, std::size_t layer) { get_layer(field.kind, part, state->layers[layer]); });
  }
  while (!record->top.empty() && record->top.back().id < 0) record->top.pop_back();
  record->state = std::move(state);
  return record;
}

StepTimes read_times(const std::vector<Field>& fields, const RowOf& row) {
  StepTimes times;
  for (const Field& field : fields) {
    if (field.kind == FieldKind::wall_ns) times.wall_ns = get<std::int64_t>(row(field));
    if (field.kind == FieldKind::start_ns) get_all(row(field), times.start_ns);
    if (field.kind == FieldKind::duration_ns) get_all(row(field), times.duration_ns);
  }
  return times;
}

std::string wrong_with(const RecordingInfo& info, const std::vector<Field>& fields, const RowOf& row) {
  const std::int32_t vocab = info.config.vocab_size;
  const auto outside = [&](FieldKind kind, std::int32_t least, std::int32_t end) -> std::string {
    const Field& field = field_of(fields, kind);
    std::vector<std::int32_t> values;
    get_all(row(field), values);
    for (const std::int32_t value : values) {
      if (value < least || value >= end)
        return fmt::format("its {} has the value {}; expected {} to {}", field.name, value, least, end - 1);
    }
    return {};
  };
  for (const std::string& wrong : {outside(FieldKind::holds, 0, 8), outside(FieldKind::id, 0, vocab),
                                   outside(FieldKind::origin, 0, 3), outside(FieldKind::truth, not_known, vocab),
                                   outside(FieldKind::predicted, 0, vocab), outside(FieldKind::top_id, -1, vocab)}) {
    if (!wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace engine
