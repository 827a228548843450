#include "profiler/recording/family_file.h"

#include "profiler/recording/fields.h"
#include "profiler/recording/profile_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>

namespace profiler {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view magic = "MSFAMILY";
constexpr std::size_t fixed_bytes = 16, most_header = std::size_t{1} << 16;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30, most_rank = 64;
constexpr int deepest = 3;

void put_number(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i) & 0xffU);
}

std::uint64_t number_at(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8U | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

tl::unexpected<std::string> wrong(std::string what) { return tl::unexpected<std::string>(std::move(what)); }

}  // namespace

bool is_family(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, magic.size()) == magic;
}

tl::expected<std::string, std::string> encode_family(const RecordedFamily& family) {
  if (family.members.empty() || family.members.size() > most_members)
    return wrong(fmt::format("it has {} ranks and a file holds 1 to {}", family.members.size(), most_members));
  ordered_json members = ordered_json::array();
  std::string profiles;
  for (const RecordedMember& member : family.members) {
    auto bytes = encode(member.profile);
    if (!bytes) return wrong(fmt::format("rank {}: {}", member.rank, bytes.error()));
    members.push_back({{"rank", member.rank},
                       {"parameters", member.parameters},
                       {"twin", member.twin},
                       {"worst", member.worst},
                       {"rtol", member.rtol},
                       {"bytes", bytes->size()}});
    profiles += *bytes;
  }
  const std::string header = ordered_json{{"shape", family.shape}, {"members", std::move(members)}}.dump(
      -1, ' ', false, ordered_json::error_handler_t::replace);
  std::string out(magic);
  put_number(out, family_file_version);
  put_number(out, header.size());
  return out + header + profiles;
}

tl::expected<RecordedFamily, std::string> decode_family(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < fixed_bytes || !is_family(bytes)) return wrong("it does not begin as a family of profiles does");
  if (const std::uint64_t version = number_at(text, 8); version != family_file_version)
    return wrong(fmt::format("it has version {} and this program reads version {}", version, family_file_version));
  const std::uint64_t header_size = number_at(text, 12);
  if (header_size > most_header || header_size > text.size() - fixed_bytes)
    return wrong("the length that it gives of its header is impossible");
  const json object = json::parse(
      text.substr(fixed_bytes, header_size),
      [](int depth, json::parse_event_t, const json&) { return depth <= deepest; }, false);
  if (!object.is_object()) return wrong("its header is no JSON object");
  RecordedFamily out;
  std::string problem;
  Fields fields(object, problem);
  out.shape = fields.text("shape");
  const json* members = fields.list("members", most_members);
  if (!problem.empty()) return wrong(problem);
  if (members->empty()) return wrong("it has no rank");
  std::size_t at = fixed_bytes + header_size;
  for (const json& entry : *members) {
    if (!entry.is_object()) return wrong("its list of ranks has an entry that is no object");
    Fields of_member(entry, problem);
    RecordedMember member;
    member.rank = static_cast<int>(of_member.count("rank", most_rank));
    member.parameters = of_member.count("parameters", std::uint64_t{1} << 53);
    member.twin = of_member.text("twin");
    member.worst = of_member.number("worst");
    member.rtol = of_member.number("rtol");
    const std::uint64_t size = of_member.count("bytes", most_bytes);
    if (!problem.empty()) return wrong(problem);
    if (member.rank <= (out.members.empty() ? 0 : out.members.back().rank)) return wrong("its ranks do not rise");
    if (size > bytes.size() - at) return wrong(fmt::format("the profile of rank {} is cut off", member.rank));
    auto profile = decode(bytes.subspan(at, size));
    if (!profile) return wrong(fmt::format("rank {}: {}", member.rank, profile.error()));
    member.profile = std::move(*profile);
    out.members.push_back(std::move(member));
    at += size;
  }
  if (at != bytes.size()) return wrong("something follows its profiles");
  return out;
}

}  // namespace profiler
