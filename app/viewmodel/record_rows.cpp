#include "app/viewmodel/record_rows.h"

#include "app/viewmodel/word_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <optional>
#include <string>

namespace app {
namespace {

constexpr double rows_share = 0.6;  // of the time; sorting takes the rest

// A filter as a few looks for each record: which stages it takes, and which token.
class RecordFilter {
 public:
  RecordFilter(const engine::StepPlan& plan, const std::string& query) {
    const std::vector<std::string> words = WordFilter(query).words();
    std::string names;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] != "token") {
        names += words[i] + " ";
      } else if (i + 1 < words.size()) {
        const std::string& number = words[++i];
        std::uint32_t token = 0;
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), token);
        if (error == std::errc() && end == number.data() + number.size())
          token_ = token;
        else
          none_ = true;
      }
    }
    const WordFilter named(names);
    for (std::size_t stage = 0; stage < plan.stages.size(); ++stage)
      takes_.push_back(named.takes(record_name(plan, static_cast<std::uint16_t>(stage))));
    unknown_ = named.takes(record_name(plan, profiler::unknown_stage));
    between_ = named.takes(record_name(plan, profiler::between_stages));
  }

  bool token(std::uint32_t token) const { return !none_ && (!token_ || *token_ == token); }
  bool stage(std::uint16_t stage) const {
    return stage < takes_.size() ? takes_[stage] : stage == profiler::unknown_stage ? unknown_ : between_;
  }

 private:
  std::optional<std::uint32_t> token_;
  bool none_ = false, unknown_ = false, between_ = false;
  std::vector<bool> takes_;
};

// By stage id, and last for work of no stage: the place of its kind when kinds are sorted by name.
std::vector<std::uint64_t> places_by_name(const engine::StepPlan& plan) {
  std::map<std::string, std::uint64_t> places;
  for (const engine::Stage& stage : plan.stages) places[engine::name_of(stage.kind)];
  std::uint64_t next = 0;
  for (auto& [name, place] : places) place = next++;
  std::vector<std::uint64_t> out;
  for (const engine::Stage& stage : plan.stages) out.push_back(places[engine::name_of(stage.kind)]);
  out.push_back(next);
  return out;
}

struct Keyed {
  std::uint64_t key = 0;
  RecordRow row;
};

// By rising keys, 16 bits at a time; equal ones keep their order. A pass over a million rows takes some milliseconds, and
// between two it can be given up, which a sort by comparisons cannot.
bool sort_rows(std::vector<Keyed>& rows, const profiler::GoesOn& goes_on) {
  constexpr int bits = 16;
  constexpr std::size_t values = std::size_t{1} << bits;
  std::vector<Keyed> next(rows.size());
  std::vector<std::size_t> places(values);
  for (int shift = 0; shift < 64; shift += bits) {
    if (goes_on && !goes_on(rows_share + (1 - rows_share) * shift / 64)) return false;
    const auto digit = [shift](const Keyed& keyed) { return static_cast<std::size_t>(keyed.key >> shift) % values; };
    std::fill(places.begin(), places.end(), 0);
    for (const Keyed& keyed : rows) ++places[digit(keyed)];
    if (std::find(places.begin(), places.end(), rows.size()) != places.end()) continue;  // all alike
    std::exclusive_scan(places.begin(), places.end(), places.begin(), std::size_t{0});
    for (const Keyed& keyed : rows) next[places[digit(keyed)]++] = keyed;
    rows.swap(next);
  }
  return true;
}

std::uint64_t key_of(const engine::StepPlan& plan, const RecordRows& all, const RecordRow& row, RecordColumn column,
                     const std::vector<std::uint64_t>& by_name) {
  const std::size_t stage = all.piece(row).tag.stage;
  const bool known = stage < plan.stages.size();
  switch (column) {
    case RecordColumn::token:
      return all.token(row).token;
    case RecordColumn::layer:
      return known ? static_cast<std::uint64_t>(plan.stages[stage].layer + 1) : 0;
    case RecordColumn::stage:
      return by_name[known ? stage : plan.stages.size()];
    case RecordColumn::start:
      return static_cast<std::uint64_t>(std::max<std::int64_t>(0, all.start_ns(row)));
    case RecordColumn::time:
      return static_cast<std::uint64_t>(std::max<std::int64_t>(0, all.piece(row).duration_ns));
    case RecordColumn::adds:
      return static_cast<std::uint64_t>(row.adds_ns);
    case RecordColumn::bytes:
      return all.bytes(plan, row);
  }
  return 0;
}

}  // namespace

std::uint64_t RecordRows::bytes(const engine::StepPlan& plan, const RecordRow& row) const {
  const std::size_t stage = piece(row).tag.stage;
  return stage < plan.stages.size() && pieces_of_stage[stage] == 1 ? plan.stages[stage].cost.bytes() : 0;
}

std::string record_name(const engine::StepPlan& plan, std::uint16_t stage) {
  if (stage == profiler::unknown_stage) return "graph node without a stage";
  if (stage >= plan.stages.size()) return "between stages";
  const engine::Stage& of = plan.stages[stage];
  return of.layer >= 0 ? fmt::format("{} of layer {}", engine::name_of(of.kind), of.layer) : engine::name_of(of.kind);
}

RecordRows make_record_rows(const engine::StepPlan& plan, profiler::Tokens tokens, const RecordOrder& order,
                            const profiler::GoesOn& goes_on) {
  RecordRows out;
  out.tokens.assign(tokens.begin(), tokens.end());
  out.pieces_of_stage.assign(plan.stages.size(), 0);
  const RecordFilter filter(plan, order.filter);
  const profiler::GoesOn of_rows = profiler::part_of(goes_on, 0, rows_share);
  std::vector<int> pieces(plan.stages.size());
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    if (!profiler::goes_on_at(of_rows, t, tokens.size())) return {};
    const profiler::TokenTimes& token = *tokens[t];
    const bool wanted = filter.token(token.token);
    std::fill(pieces.begin(), pieces.end(), 0);
    std::int64_t reached = INT64_MIN;
    for (std::size_t i = 0; i < token.stages.size(); ++i) {
      const profiler::StageTime& piece = token.stages[i];
      const std::int64_t end = piece.start_ns + piece.duration_ns;
      const std::int64_t adds = std::max<std::int64_t>(0, end - std::max(piece.start_ns, reached));
      reached = std::max(reached, end);
      const std::uint16_t stage = piece.tag.stage;
      if (stage < pieces.size()) out.pieces_of_stage[stage] = std::max(out.pieces_of_stage[stage], ++pieces[stage]);
      if (wanted && filter.stage(stage))
        out.rows.push_back({static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(i), adds});
    }
    out.records += token.stages.size();
  }
  if (order.column < 0 || order.column > static_cast<int>(RecordColumn::adds)) return out;
  const auto by_name = places_by_name(plan);
  std::vector<Keyed> keyed;
  keyed.reserve(out.rows.size());
  for (const RecordRow& row : out.rows) {
    const std::uint64_t key = key_of(plan, out, row, static_cast<RecordColumn>(order.column), by_name);
    keyed.push_back({order.descending ? ~key : key, row});
  }
  if (!sort_rows(keyed, goes_on)) return {};
  std::transform(keyed.begin(), keyed.end(), out.rows.begin(), [](const Keyed& k) { return k.row; });
  return out;
}

}  // namespace app
