// Every corpus file goes through its parser without harm; names that begin with "good" must be taken, others refused.
#include "tests/fuzz/entries.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

TEST_CASE("fuzz corpora: good files are taken, all others refused, none does harm") {
  struct Row {
    const char* name;
    bool (*parse)(std::span<const std::uint8_t>);
  };
  for (const Row& row :
       {Row{"safetensors", fuzz::safetensors}, Row{"config_json", fuzz::config_json}, Row{"task_json", fuzz::task_json},
        Row{"zip_archive", fuzz::zip_archive}, Row{"torch_file", fuzz::torch_file}, Row{"state_dict", fuzz::state_dict},
        Row{"shard_index", fuzz::shard_index}, Row{"model", fuzz::model}, Row{"profile", fuzz::profile},
        Row{"profile_family", fuzz::profile_family}, Row{"profile_unpacked", fuzz::profile_unpacked},
        Row{"recording", fuzz::recording}, Row{"tokenizer_json", fuzz::tokenizer_json},
        Row{"tokenizer_text", fuzz::tokenizer_text}}) {
    int good = 0, bad = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(TEST_SOURCE_ROOT) / "tests" /
                                                                 "fuzz" / "corpus" / row.name)) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
      const bool taken = row.parse({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
      CAPTURE(entry.path().string());
      CHECK(taken == (entry.path().filename().string().rfind("good", 0) == 0));
      ++(taken ? good : bad);
    }
    CAPTURE(row.name);
    CHECK(good > 0);
    CHECK(bad > 0);
  }
}
