// A picture that cannot be written is an error, and leaves what stands in its place.
#include "app/shell/screenshot.h"

#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

TEST_CASE("a screenshot is written, and one that cannot be leaves the target as it is") {
  const tests::TemporaryFolder folder;
  const app::Image image{2, 1, {255, 0, 0, 0, 255, 0}};
  const std::string path = folder.file("picture.png");
  REQUIRE(app::write_png(path, image).has_value());
  std::ifstream in(path, std::ios::binary);
  char head[4] = {};
  in.read(head, 4);
  CHECK(std::string(head, 4) == "\x89PNG");

  const auto nowhere = app::write_png(folder.file("missing/picture.png"), image);
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().kind == engine::ErrorKind::system);
  CHECK(nowhere.error().message.find("missing/picture.png") != std::string::npos);

  namespace fs = std::filesystem;
  if (!fs::is_character_file("/dev/full")) return;  // writing there fails with a full disk
  CHECK_FALSE(app::write_png("/dev/full", image).has_value());
  CHECK(fs::is_character_file("/dev/full"));
}
