#include "profiler/cupti/library.h"

#include "profiler/cupti/live.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

TEST_CASE("the configured folder comes first, then the names, then the toolkits") {
  const auto found = profiler::cupti_candidates("/opt/cupti", {"", "/usr/local/cuda"});
  REQUIRE(found.size() == 10);
  CHECK(found[0] == "/opt/cupti/libcupti.so.13");
  CHECK(found[1] == "/opt/cupti/libcupti.so");
  CHECK(found[2] == "libcupti.so.13");
  CHECK(found[3] == "libcupti.so");
  CHECK(found[4] == "/usr/local/cuda/lib64/libcupti.so.13");
  CHECK(std::count(found.begin(), found.end(), "/usr/local/cuda/extras/CUPTI/lib64/libcupti.so") == 1);
  CHECK(profiler::cupti_candidates("", {}).size() == 2);
}

TEST_CASE("an absent or broken library is an answer with a remedy") {
  const auto absent = profiler::open_cupti_library({"/nonexistent/libcupti.so"});
  REQUIRE_FALSE(absent);
  CHECK(absent.error().reason.find("/nonexistent/libcupti.so") != std::string::npos);
  CHECK(absent.error().remedy.find("MAMBASCOPE_CUPTI") != std::string::npos);

  const fs::path broken = fs::temp_directory_path() / "mambascope_test_libcupti.so";
  std::ofstream(broken) << "no library";
  // The file itself may be configured, not only its folder.
  CHECK(profiler::cupti_candidates(broken.string(), {}).front() == broken.string());
  const auto opened = profiler::open_cupti_library({broken.string()});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().reason.find(broken.string()) != std::string::npos);
  CHECK(opened.error().reason.size() > absent.error().reason.size());
  fs::remove(broken);
}

TEST_CASE("a library without the needed functions says which are missing, or that there is no CUPTI at all") {
  const auto api = profiler::bind_cupti("/some/libcupti.so", [](const char*) -> void* { return nullptr; });
  REQUIRE_FALSE(api);
  CHECK_FALSE(api.error().remedy.empty());
#ifdef MAMBASCOPE_HAVE_CUPTI
  CHECK(api.error().reason.find("cuptiActivityEnable") != std::string::npos);
  CHECK(api.error().reason.find("cuptiActivityPushExternalCorrelationId") == std::string::npos);
#else
  CHECK(api.error().reason.find("without CUPTI") != std::string::npos);
#endif
}
