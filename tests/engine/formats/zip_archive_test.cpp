// Archives made by hand: what is right is found in place, what is wrong is refused with a message that names it.
#include "engine/formats/zip_archive.h"

#include "engine/formats/mapped_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/zip_writer.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <random>

namespace {

using tests::ZipEnd;
using tests::ZipPart;

engine::Result<engine::ZipArchive> parse(const std::string& file) {
  return engine::parse_zip(std::as_bytes(std::span(file)), "test");
}

std::string text(const engine::ZipEntry* entry) {
  return entry == nullptr ? "absent"
                          : std::string(reinterpret_cast<const char*>(entry->bytes.data()), entry->bytes.size());
}

void check_refused(const std::string& file, const std::string& says) {
  const auto archive = parse(file);
  CAPTURE(says);
  REQUIRE_FALSE(archive.has_value());
  CAPTURE(archive.error().message);
  CHECK(archive.error().kind == engine::ErrorKind::input);
  CHECK(archive.error().message.find(says) != std::string::npos);
  CHECK(archive.error().message.size() < 600);
}

ZipPart part(std::string name, std::string bytes = "bytes") { return {std::move(name), std::move(bytes)}; }

}  // namespace

TEST_CASE("zip: entries are found in place and aligned, sorted by name; also with zip64 records") {
  for (const bool zip64 : {false, true}) {
    CAPTURE(zip64);
    std::vector<ZipPart> parts = {part("m/b", "beta"), part("m/a", "alpha"), part("m/none", ""), part("m/", "")};
    for (ZipPart& one : parts) {
      one.alignment = 64;
      one.zip64 = zip64;
    }
    ZipEnd end;
    end.zip64 = zip64;
    const std::string file = tests::write_zip(parts, end);
    const auto archive = parse(file);
    REQUIRE_MESSAGE(archive.has_value(), (archive ? "" : archive.error().message));
    REQUIRE(archive->entries.size() == 4);
    CHECK(archive->entries[0].name == "m/");
    CHECK(text(archive->find("m/a")) == "alpha");
    CHECK(text(archive->find("m/b")) == "beta");
    CHECK(text(archive->find("m/none")).empty());
    CHECK(archive->find("m/c") == nullptr);
    const auto* begin = reinterpret_cast<const std::byte*>(file.data());
    CHECK((archive->find("m/a")->bytes.data() - begin) % 64 == 0);
    CHECK(archive->find("m/b")->bytes.data() == begin + 64);
  }
  CHECK(parse(tests::write_zip({}))->entries.empty());
}

TEST_CASE("zip: what torch.save never writes is refused") {
  ZipPart packed = part("bomb", "\x4b\x04\x02");
  packed.method = 8;
  packed.size = 4'000'000'000;
  check_refused(tests::write_zip({packed}), "entry 'bomb' is compressed (method 8)");
  for (const int method : {1, 9, 12, 14, 93, 95}) {
    packed.method = static_cast<std::uint16_t>(method);
    check_refused(tests::write_zip({packed}), "'bomb' is compressed");
  }
  ZipPart locked = part("locked");
  locked.flags = 1;
  check_refused(tests::write_zip({locked}), "'locked' is encrypted");
  ZipEnd disks;
  disks.disk = disks.first_disk = 1;
  check_refused(tests::write_zip({part("a")}, disks), "one part of an archive in several");
  ZipEnd comment;
  comment.comment = "hello";
  check_refused(tests::write_zip({part("a")}, comment), "does not end with a zip directory");
}

TEST_CASE("zip: names that lead elsewhere, or are there twice, are refused") {
  for (const char* name : {"../x", "m/../../x", "m/..", "..", "m/../x"}) {
    CAPTURE(name);
    check_refused(tests::write_zip({part(name)}), "leads out of its folder");
  }
  for (const std::string& name :
       {std::string("/etc/passwd"), std::string("C:x"), std::string("m\\x"), std::string("//x")}) {
    CAPTURE(name);
    check_refused(tests::write_zip({part(name)}), "no plain relative path");
  }
  check_refused(tests::write_zip({part("")}), "has no name");
  check_refused(tests::write_zip({part(std::string(1025, 'n'))}), "name of 1025 bytes");
  check_refused(tests::write_zip({part(std::string("m/a\0b", 5))}), "in its own header");
  check_refused(tests::write_zip({part("a"), part("b"), part("a")}), "twice");
  CHECK(parse(tests::write_zip({part("m/..x"), part("..."), part("m/.data/id")})).has_value());
}

TEST_CASE("zip: a directory that does not fit the entries is refused") {
  const auto altered = [](void (*change)(ZipPart&)) {
    ZipPart second = part("second");
    change(second);
    return tests::write_zip({part("first"), second});
  };
  check_refused(altered([](ZipPart& p) { p.offset = 0; }), "contradicts its entries");
  check_refused(altered([](ZipPart& p) { p.offset = 3; }), "contradicts its entries");
  check_refused(altered([](ZipPart& p) { p.offset = 70'000; }), "contradicts its entries");
  check_refused(altered([](ZipPart& p) { p.local_name = "other!"; }), "contradicts its entries");
  check_refused(altered([](ZipPart& p) { p.size = p.packed_size = 2'000'000'000; }), "contradicts its entries");
  check_refused(altered([](ZipPart& p) { p.size = 4; }), "has 5 bytes for 4");
  // torch.serialization.set_crc32_options(False) leaves checksums out.
  CHECK(parse(altered([](ZipPart& p) { p.right_checksum = false; })).has_value());
  // The second entry begins inside the first one's bytes, with a header of its own there.
  const std::string inner = tests::write_zip({part("inner", "x")});
  ZipPart twin = part("inner", "x");
  twin.offset = 30 + 5;
  check_refused(tests::write_zip({part("outer", inner.substr(0, 36) + "tail"), twin}), "overlap");
}

TEST_CASE("zip: bounds of the directory are looked at before anything is allocated") {
  ZipEnd end;
  end.entries = 9'998;
  check_refused(tests::write_zip({part("a")}, end), "contradicts its entries");
  end.zip64 = true;
  for (const std::int64_t entries : {std::int64_t{10'001}, std::int64_t{1} << 62U}) {
    end.entries = entries;
    check_refused(tests::write_zip({part("a")}, end), "at most 10000");
  }
  std::string nowhere = tests::write_zip({part("a")}, [] {
    ZipEnd zip64;
    zip64.zip64 = true;
    return zip64;
  }());
  nowhere[nowhere.size() - 22 - 12 + 5] = '\x7f';
  check_refused(nowhere, "leads nowhere");
  // A second end record makes libzip read both directories; hundreds of them would take long.
  check_refused(tests::write_zip({part("a", tests::write_zip({part("b")}))}), "more than one zip directory");
  check_refused("PK\5\6", "too few");
  check_refused("", "too few");
}

TEST_CASE("zip: every truncation and every appended byte is refused") {
  const std::string file = tests::write_zip({part("m/a", "alpha"), part("m/b", "beta")});
  REQUIRE(parse(file).has_value());
  for (std::size_t size = 0; size < file.size(); ++size) {
    CHECK_FALSE(parse(file.substr(0, size)).has_value());
    CHECK_FALSE(parse(file.substr(file.size() - size)).has_value());
  }
  CHECK_FALSE(parse(file + "x").has_value());
}

TEST_CASE("zip: whatever single byte is changed, entries stay inside the file and apart") {
  const std::string file = tests::write_zip({part("m/a", "alpha"), part("m/b", "beta"), part("m/c", "gamma")});
  std::mt19937 random(7);
  for (int i = 0; i < 5000; ++i) {
    std::string changed = file;
    changed[random() % changed.size()] = static_cast<char>(random());
    const auto archive = parse(changed);
    if (!archive) {
      CHECK(archive.error().kind == engine::ErrorKind::input);
      continue;
    }
    std::size_t covered = 0;
    for (const engine::ZipEntry& entry : archive->entries) {
      covered += entry.bytes.size();
      if (entry.bytes.empty()) continue;
      const auto* begin = reinterpret_cast<const char*>(entry.bytes.data());
      CHECK(begin > changed.data());
      CHECK(begin + entry.bytes.size() <= changed.data() + changed.size());
    }
    CHECK(covered < changed.size());
  }
}

TEST_CASE("zip: an entry beyond 4 GiB is found") {
  // A file with a hole in front: zip64 offsets, and no more than a few blocks of disk.
  const tests::TemporaryFolder folder;
  const std::uint64_t hole = std::uint64_t{5} << 30U;
  ZipPart far = part("m/far", "far away");
  far.zip64 = true;
  far.offset = static_cast<std::int64_t>(hole);
  ZipEnd end;
  end.zip64 = true;
  std::string tail = tests::write_zip({far}, end);
  const auto shift = [&](std::size_t at) {  // a place in the file that moves with the hole
    std::uint64_t value = 0;
    std::memcpy(&value, tail.data() + at, 8);
    value += hole;
    std::memcpy(tail.data() + at, &value, 8);
  };
  shift(tail.size() - 22 - 20 + 8);  // of the zip64 record, in its locator
  shift(tail.size() - 22 - 20 - 8);  // of the directory, in the record
  const std::string path = folder.write("far.zip", "");
  std::filesystem::resize_file(path, hole);
  std::ofstream(path, std::ios::binary | std::ios::app).write(tail.data(), static_cast<std::streamsize>(tail.size()));
  const auto file = engine::MappedFile::open(path);
  REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
  const auto archive = engine::parse_zip(file->bytes(), path);
  REQUIRE_MESSAGE(archive.has_value(), (archive ? "" : archive.error().message));
  CHECK(text(archive->find("m/far")) == "far away");
  CHECK(static_cast<std::uint64_t>(archive->find("m/far")->bytes.data() - file->bytes().data()) == hole + 35);
}
