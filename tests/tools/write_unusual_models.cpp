// Writes the unusual models with their known output, for trying `mambascope verify` on them with any backend, or an
// implementation elsewhere: write_unusual_models FOLDER [tokens] [seed]. Those with softplus need --a-activation softplus.
#include "tests/support/unusual_models.h"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: write_unusual_models FOLDER [tokens] [seed]\n");
    return 2;
  }
  const int tokens = argc > 2 ? std::atoi(argv[2]) : 48;
  const auto seed = static_cast<std::uint64_t>(argc > 3 ? std::atoi(argv[3]) : 1);
  for (const tests::UnusualModel& model : tests::unusual_models()) {
    const engine::Weights weights = tests::weights_of(model, seed);
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / model.name;
    tests::write_model(folder, weights);
    tests::write_golden(folder, weights, tokens, seed);
    std::printf("%s\n", folder.string().c_str());
  }
}
