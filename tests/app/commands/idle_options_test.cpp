// An option that would do nothing is wrong use, before anything is opened or written.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

void refused(const std::string& line, const std::string& option, const std::string& needs) {
  CAPTURE(line);
  const auto run = tests::run_program(words_of(line));
  CAPTURE(run.err);
  CHECK(run.exit_code == 2);
  CHECK(run.out.empty());
  CHECK(run.err.find(option) != std::string::npos);
  CHECK(run.err.find(needs) != std::string::npos);
}

}  // namespace

TEST_CASE("options that would do nothing are refused, with what they need") {
  const std::string siso = std::string(TEST_GOLDEN) + "/siso-fp32";
  refused("effect parity --length 32", "--length", "--sequences");
  refused("effect parity --length 32 --sequences 0", "--length", "--sequences");
  refused("intervene parity --change rotation*0 --length 32", "--length", "--sequences");
  refused("intervene parity --change rotation*0 --control step", "--control", "--controls");
  refused("eval austen-siso --sequences 3", "--sequences", "predicts a text");
  refused("step " + siso + " --tokens 1 --prefill", "--prefill", "two tokens");
  refused("step parity --steps 1 --steps 2", "--steps", "is given 2 times");
  refused("eval austen-siso --text FILE --sequences 3", "--sequences", "--text");
  refused("step parity --stream --json", "--stream", "--json");
  refused("step " + siso + " --tokens 1 --steps 2 --top-k 4", "--top-k", "--sampler top-k");
  refused("step " + siso + " --tokens 1 --steps 2 --sampler top-k --top-p 0.5", "--top-p", "--sampler top-p");
  refused("step " + siso + " --tokens 1 --steps 2 --temperature 2", "--temperature", "--sampler");
  refused("record " + siso + " --tokens 1 --temperature 2 -o a.safetensors", "--temperature", "--sampler");
  refused("record --recover a.part --steps 3 -o a.safetensors", "--recover", "--steps");
  refused("step parity --sampler top-p --steps 4", "--sampler", "labels positions");
  refused("step " + siso + " --tokens 1 --no-special", "--no-special", "--tokens");
  refused("step austen-siso --prompt It --no-special", "--no-special", "tokenizer");
  refused("bench parity --temperature 2", "--temperature", "--generate");
  refused("bench parity --generate greedy,top-p --top-k 4", "--top-k", "--generate top-k");
  for (const char* option : {"--variant staged", "--products auto", "--state fp32"})
    refused(std::string("verify parity --parity ") + option, words_of(option).front(), "--parity");
  refused("profile parity --wait --backend cpu", "--wait", "cuda backend");
  refused("profile parity --wait --backend reference", "--wait", "cuda backend");
  refused("profile --list --by layer", "--by", "--list");
  refused("profile --list --csv a.csv", "--list", "--csv");
  refused("profile --list --trace a.json", "--list", "--trace");
  refused("profile --open ranks-187m-fused --by layer", "several ranks", "--by");
  refused("profile parity --by layer --json", "--by", "--json");
  refused("inspect parity --list", "--list", "MODEL");
  refused("discretise --signal constant --rate 2", "--rate", "--signal sine");
  refused("discretise --sweep 2", "--sweep", "--signal chirp");
  refused("discretise --jump 2", "--jump", "--signal step");
  refused("discretise --hold middle", "--hold", "--varying-decay");
  refused("discretise --fit 5..6", "--fit", "none of the step sizes");
  refused("intervene parity --change rotation*0 --sequences 1048576 --length 1048576", "--sequences", "are the most");
  refused("discretise --varying-rate 2", "--varying-rate", "--varying-decay");
}

TEST_CASE("what has an effect is taken") {
  const std::string siso = std::string(TEST_GOLDEN) + "/siso-fp32";
  for (const std::string& line :
       {"step " + siso + " --backend cpu --tokens 1 --steps 2 --sampler top-k --top-k 4 --temperature 2",
        "step " + siso + " --backend cpu --tokens 1 --steps 2 --sampler top-p --top-p 0.5",
        std::string("effect parity --backend cpu --prompt 10 --sequences 1 --length 8"),
        std::string("intervene parity --backend cpu --change rotation*0 --control step --controls 1"),
        std::string("discretise --signal exponential --rate 2 --varying-decay 0.5 --varying-rate 2 --hold middle")}) {
    CAPTURE(line);
    const auto run = tests::run_program(words_of(line));
    CAPTURE(run.err);
    CHECK(run.exit_code == 0);
  }
}

#ifdef MAMBASCOPE_HAVE_GUI
TEST_CASE("gui: options that would do nothing are refused, with what they need") {
  refused("gui parity --offscreen --ablations", "--ablations", "--evaluate");
  refused("gui parity --offscreen --length 32", "--length", "--evaluate");
  refused("gui parity --offscreen --page lambda --sequences 32", "--sequences", "--page effect");
  for (const char* option : {"--backend cpu", "--threads 2", "--history-mb 64", "--seed 3", "--through-host"})
    refused(std::string("gui --offscreen --profile siso-1.5b-fused ") + option, words_of(option).front(), "MODEL");
  refused("gui parity --offscreen --steps 4 --page dose --change rotation*0 --panel State", "--page dose",
          "--panel State");
  refused("gui parity --offscreen --page patching --panel Discretisation", "--page patching", "Interventions");
  refused("gui parity --offscreen --fps 30", "--fps", "--steps");
  refused("gui parity --offscreen --fill", "--fill", "--panel");
  refused("gui parity --offscreen --page dose", "--page dose", "--change");
  refused("gui parity --offscreen --page in-force", "--page in-force", "--change");
  refused("gui /nonexistent --offscreen --scroll 9", "--scroll", "--page all-tokens");
  refused("gui --offscreen --page records --profile siso-1.5b-fused --profile siso-1.5b-staged", "--page records",
          "one alone");
  refused("gui /nonexistent --offscreen --page bars --scroll 9", "--scroll", "--page all-tokens");
  refused("gui parity --offscreen --page lambda --change rotation*0", "--change", "interventions");
  for (const char* option : {"--page", "--panel", "--preset", "--profile", "--recording"}) {
    CAPTURE(option);
    const auto run = tests::run_program({"gui", "--offscreen", option, ""});
    CHECK(run.exit_code == 2);
    CHECK(run.err.find(option) != std::string::npos);
  }
  CHECK(tests::run_program({"gui", "--offscreen", ""}).exit_code == 2);
  for (const char* size : {" 640x480", "640x+480", "640x480x", "640", "0x480", "99999999999x480"}) {
    const auto run = tests::run_program({"gui", "parity", "--offscreen", "--size", size});
    CHECK(run.exit_code == 2);
    CHECK(run.err.find("--size") != std::string::npos);
  }
  // Not told to add what is there.
  const auto run = tests::run_program({"gui", "parity", "--offscreen", "--page", "lambda", "--change", "rotation*0"});
  CHECK(run.err.find("--offscreen") == std::string::npos);
}
#endif
