#include "app/commands/sampler_options.h"

#include "app/commands/options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace app {

const std::vector<std::string>& sampler_words() {
  static const std::vector<std::string> words = {"greedy", "temperature", "top-k", "top-p"};
  return words;
}

engine::Sampler::Kind sampler_kind(const std::string& word) {
  const auto& words = sampler_words();
  return static_cast<engine::Sampler::Kind>(std::find(words.begin(), words.end(), word) - words.begin());
}

const std::string& word_of(engine::Sampler::Kind kind) { return sampler_words()[static_cast<std::size_t>(kind)]; }

void add_sampler_option(CLI::App& command, engine::Sampler& sampler) {
  command
      .add_option_function<std::string>(
          "--sampler", [&sampler](const std::string& word) { sampler.kind = sampler_kind(word); },
          "How the next token is chosen")
      ->check(CLI::IsMember(sampler_words()))
      ->default_str("greedy");
  add_sampler_settings(command, sampler);
}

void add_sampler_settings(CLI::App& command, engine::Sampler& sampler) {
  command.add_option("--temperature", sampler.temperature, "Divides the logits before sampling")
      ->check(number_in(0, std::numeric_limits<float>::max()))
      ->capture_default_str();
  command.add_option("--top-k", sampler.top_k, "Candidates of the top-k sampler")
      ->check(whole_number_in(1, 1 << 30))
      ->capture_default_str();
  command.add_option("--top-p", sampler.top_p, "Probability that the top-p sampler's candidates reach")
      ->check(number_in(0, 1))
      ->capture_default_str();
}

void refuse_idle_settings(const CLI::App& command, const std::vector<engine::Sampler::Kind>& samplers,
                          const char* choose) {
  using Kind = engine::Sampler::Kind;
  const auto has = [&](Kind kind) { return std::find(samplers.begin(), samplers.end(), kind) != samplers.end(); };
  const bool random = std::any_of(samplers.begin(), samplers.end(), [](Kind kind) { return kind != Kind::greedy; });
  refuse_idle(command, "--temperature", random, fmt::format("{} temperature, top-k or top-p", choose));
  refuse_idle(command, "--top-k", has(Kind::top_k), fmt::format("{} top-k", choose));
  refuse_idle(command, "--top-p", has(Kind::top_p), fmt::format("{} top-p", choose));
}

}  // namespace app
