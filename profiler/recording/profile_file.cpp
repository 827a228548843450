#include "profiler/recording/profile_file.h"

#include "profiler/recording/columns.h"
#include "profiler/recording/deflate.h"
#include "profiler/recording/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace profiler {

namespace {

constexpr std::string_view magic = "MSPROFIL";
constexpr std::size_t fixed_bytes = 24;
constexpr std::size_t most_header = std::size_t{16} << 20, most_unpacked = std::size_t{256} << 20;
constexpr std::size_t best_packing = 1100;  // deflate packs 1032 bytes into one at best
// How far a step's start may lie from the first one's, and a piece's from its step's.
constexpr std::int64_t farthest_ns = std::int64_t{1} << 60, farthest_piece_ns = std::int64_t{1} << 50;

void put_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xffU);
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, int count) {
  std::uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i)
    value = value << 8U | static_cast<std::uint8_t>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

bool in_range(std::int64_t value, std::int64_t least, std::int64_t most) { return value >= least && value <= most; }

template <class Value>
std::string column(const RecordedProfile& profile, Value value) {
  ColumnWriter out;
  for (const auto& token : profile.tokens)
    for (const StageTime& piece : token->stages) value(out, *token, piece);
  return out.take();
}

std::string columns_of(const RecordedProfile& profile) {
  const std::int64_t origin = profile.tokens.front()->wall_start_ns;
  ColumnWriter numbers, starts, walls, counts;
  std::int64_t number = 0, start = origin;
  for (const auto& token : profile.tokens) {
    numbers.put_signed(std::int64_t{token->token} - number);
    starts.put_signed(token->wall_start_ns - start);
    walls.put(static_cast<std::uint64_t>(token->wall_ns));
    counts.put(token->stages.size());
    number = token->token;
    start = token->wall_start_ns;
  }
  std::string out = numbers.take() + starts.take() + walls.take() + counts.take();
  out += column(profile, [](ColumnWriter& c, const TokenTimes&, const StageTime& piece) {
    c.put(piece.tag.stage == between_stages ? 0 : piece.tag.stage + 1U);
  });
  out += column(profile, [](ColumnWriter& c, const TokenTimes&, const StageTime& piece) {
    c.put(static_cast<std::uint64_t>(piece.kind));
  });
  out += column(profile, [](ColumnWriter& c, const TokenTimes&, const StageTime& piece) { c.put(piece.name); });
  std::int64_t end = 0;
  out += column(profile, [&end](ColumnWriter& c, const TokenTimes& token, const StageTime& piece) {
    if (&piece == token.stages.data()) end = token.wall_start_ns;
    c.put_signed(piece.start_ns - end);
    end = piece.start_ns + piece.duration_ns;
  });
  out += column(profile, [](ColumnWriter& c, const TokenTimes&, const StageTime& piece) {
    c.put(static_cast<std::uint64_t>(piece.duration_ns));
  });
  return out;
}

// Why the tokens cannot be kept; empty: they can.
std::string problem_of(const RecordedProfile& profile) {
  if (profile.tokens.empty()) return "no token was measured";
  if (profile.stages.empty() || profile.names.empty()) return "the profile has no plan";
  if (profile.tokens.size() > most_recorded_tokens) return "it has too many tokens";
  std::size_t pieces = 0;
  const std::int64_t origin = profile.tokens.front()->wall_start_ns;
  for (const auto& token : profile.tokens) {
    pieces += token->stages.size();
    if (token->stages.size() > most_pieces_of_a_token)
      return fmt::format("token {} has {} pieces of work and a file holds {} of one", token->token,
                         token->stages.size(), most_pieces_of_a_token);
    if (!in_range(token->wall_ns, 0, longest_recorded_ns) || std::abs(token->wall_start_ns - origin) > farthest_ns)
      return fmt::format("the time of token {} is out of range", token->token);
    for (const StageTime& piece : token->stages) {
      if (!in_range(piece.duration_ns, 0, longest_recorded_ns) ||
          std::abs(piece.start_ns - token->wall_start_ns) > farthest_piece_ns ||
          (piece.tag.stage >= profile.stages.size() && piece.tag.stage != between_stages) ||
          piece.name >= profile.names.size())
        return fmt::format("a piece of token {} is out of range", token->token);
    }
  }
  if (pieces > most_recorded_pieces)
    return fmt::format("it has {} pieces of work and a file holds {}: measure fewer steps", pieces,
                       most_recorded_pieces);
  return {};
}

// Fills the tokens from the columns; says what is wrong, or nothing.
std::string read_columns(std::string_view bytes, const Header& header, RecordedProfile& out) {
  ColumnReader reader(bytes);
  // Every number takes a byte at least: nothing is reserved that the bytes cannot hold.
  if (header.tokens == 0) return "it has no token";
  if (header.tokens > most_recorded_tokens || header.pieces > most_recorded_pieces ||
      4 * header.tokens + 5 * header.pieces > bytes.size())
    return "its columns are shorter than its header says";
  std::vector<std::shared_ptr<TokenTimes>> tokens(header.tokens);
  std::int64_t number = 0, start = 0;
  for (auto& token : tokens) {
    token = std::make_shared<TokenTimes>();
    token->source = header.profile.status.source;
    const std::int64_t step = reader.get_signed();
    if (!in_range(step, -std::int64_t{UINT32_MAX}, UINT32_MAX) || !in_range(number + step, 0, UINT32_MAX))
      return "the number of a token is out of range";
    number += step;
    token->token = static_cast<std::uint32_t>(number);
  }
  for (auto& token : tokens) {
    const std::int64_t step = reader.get_signed();
    if (!in_range(step, -farthest_ns, farthest_ns) || !in_range(start + step, -farthest_ns, farthest_ns))
      return "the start of a step is out of range";
    start += step;
    token->wall_start_ns = start;
  }
  for (auto& token : tokens) {
    const std::uint64_t wall = reader.get();
    if (wall > static_cast<std::uint64_t>(longest_recorded_ns)) return "a wall time is out of range";
    token->wall_ns = static_cast<std::int64_t>(wall);
  }
  std::size_t pieces = 0;
  for (auto& token : tokens) {
    const std::uint64_t count = reader.get();
    if (count > most_pieces_of_a_token) return "a token has more pieces than a file may hold of one";
    if (count > header.pieces - pieces) return "its tokens have more pieces than its header says";
    pieces += count;
    token->stages.resize(count);
  }
  if (pieces != header.pieces) return "its tokens have fewer pieces than its header says";

  const auto each = [&](auto read) {
    for (auto& token : tokens)
      for (StageTime& piece : token->stages)
        if (!read(*token, piece)) return false;
    return true;
  };
  const std::size_t stages = header.profile.stages.size(), names = header.profile.names.size();
  if (!each([&](TokenTimes& token, StageTime& piece) {
        const std::uint64_t stage = reader.get();
        piece.tag = {0, token.token, stage == 0 ? between_stages : static_cast<std::uint16_t>(stage - 1)};
        return stage <= stages;
      }))
    return "a piece belongs to a stage that the plan does not have";
  if (!each([&](TokenTimes&, StageTime& piece) {
        const std::uint64_t kind = reader.get();
        piece.kind = static_cast<WorkKind>(kind & 3U);
        return kind <= static_cast<std::uint64_t>(WorkKind::cpu);
      }))
    return "a piece is of no known kind of work";
  if (!each([&](TokenTimes&, StageTime& piece) {
        const std::uint64_t name = reader.get();
        piece.name = static_cast<std::uint32_t>(name & UINT32_MAX);
        return name < names;
      }))
    return "a piece has a name that is not in the list";
  // Gaps first: they turn into starts when the durations are known.
  if (!each([&](TokenTimes&, StageTime& piece) {
        piece.start_ns = reader.get_signed();
        return in_range(piece.start_ns, -2 * farthest_piece_ns, 2 * farthest_piece_ns);
      }))
    return "the start of a piece is out of range";
  std::int64_t end = 0;
  if (!each([&](TokenTimes& token, StageTime& piece) {
        if (&piece == token.stages.data()) end = 0;
        const std::uint64_t duration = reader.get();
        const std::int64_t after = end + piece.start_ns;  // both are small: checked here and above
        if (duration > static_cast<std::uint64_t>(longest_recorded_ns) ||
            !in_range(after, -farthest_piece_ns, farthest_piece_ns))
          return false;
        piece.duration_ns = static_cast<std::int64_t>(duration);
        piece.start_ns = token.wall_start_ns + after;
        end = after + piece.duration_ns;
        return true;
      }))
    return "the time of a piece is out of range";
  if (!reader.good()) return "its columns end too early";
  if (reader.left() != 0) return "something follows its columns";
  out.tokens.assign(tokens.begin(), tokens.end());
  return {};
}

tl::unexpected<std::string> wrong(std::string what) { return tl::unexpected<std::string>(std::move(what)); }

}  // namespace

tl::expected<std::string, std::string> encode(const RecordedProfile& profile) {
  if (std::string problem = problem_of(profile); !problem.empty()) return wrong(std::move(problem));
  std::size_t pieces = 0;
  for (const auto& token : profile.tokens) pieces += token->stages.size();
  const std::string header = header_text(profile, profile.tokens.size(), pieces);
  const std::string whole = header + columns_of(profile);
  if (header.size() > most_header || whole.size() > most_unpacked) return wrong("it is larger than a file holds");
  std::string out(magic);
  put_number(out, profile_file_version, 4);
  put_number(out, header.size(), 4);
  put_number(out, whole.size(), 8);
  return out + deflated(whole);
}

bool is_profile(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, magic.size()) == magic;
}

tl::expected<RecordedProfile, std::string> decode(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < fixed_bytes || !is_profile(bytes)) return wrong("it does not begin as a recorded profile does");
  if (const std::uint64_t version = number_at(text, 8, 4); version != profile_file_version)
    return wrong(fmt::format("it has version {} and this program reads version {}", version, profile_file_version));
  const std::uint64_t header_size = number_at(text, 12, 4), size = number_at(text, 16, 8);
  const std::string_view packed = text.substr(fixed_bytes);
  if (size > most_unpacked || size > best_packing * packed.size() ||
      header_size > std::min<std::uint64_t>(size, most_header))
    return wrong("the lengths that it gives are impossible");
  auto whole = inflated(packed, size);
  if (!whole) return wrong(std::move(whole.error()));
  return decode_unpacked(std::string_view(*whole).substr(0, header_size), std::string_view(*whole).substr(header_size));
}

tl::expected<RecordedProfile, std::string> decode_unpacked(std::string_view header_bytes, std::string_view columns) {
  const auto header = parse_header(header_bytes);
  if (!header) return wrong(header.error());
  RecordedProfile out = header->profile;
  std::string problem = read_columns(columns, *header, out);
  if (!problem.empty()) return wrong(std::move(problem));
  return out;
}

}  // namespace profiler
