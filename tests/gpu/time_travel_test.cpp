// Time travel on the GPU: 1,000 tokens forward, 700 back, forward again, the same bits of every record.
#include "tests/engine/session/session_support.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"

using namespace engine;

namespace {

std::shared_ptr<const Model> small_model(int rank) {
  auto model = std::make_shared<Model>();
  model->weights = gpu_test::small_weights(rank, 101);
  return model;
}

// For all tokens, and for some in the middle.
std::vector<Intervention> some_interventions() {
  Intervention lambda, turns;
  lambda.quantity = Quantity::lambda;
  lambda.operation = Operation::set;
  lambda.value = 1;
  lambda.heads = {0, 1};
  turns.quantity = Quantity::rotation;
  turns.value = 0.5;
  turns.tokens = {250, 600};
  return {lambda, turns};
}

}  // namespace

TEST_CASE("gpu session: 1,000 tokens forward, 700 back, forward again: the same bits, with and without interventions") {
  for (const int rank : {1, 4}) {
    for (const bool changed : {false, true}) {
      CAPTURE(rank);
      CAPTURE(changed);
      const auto model = small_model(rank);
      SessionOptions options = sampling_options();
      options.backend.choice = BackendChoice::cuda;
      auto opened = Session::open(model, options);
      REQUIRE(opened.has_value());
      Session& session = **opened;
      const auto after = [&](const Command& command) {
        session.post(command);
        session.wait_idle();
        REQUIRE_FALSE(session.snapshot()->error);
        return session.snapshot();
      };
      const auto different = [](const Snapshot& a, const Snapshot& b) {
        std::size_t count = a.tokens.size() == b.tokens.size() ? 0 : 1;
        for (std::size_t i = 0; i < std::min(a.tokens.size(), b.tokens.size()); ++i)
          count += same_bits(*a.tokens[i], *b.tokens[i]) ? 0 : 1;
        return count;
      };
      session.post(warm_sampler());
      if (changed) session.post(command::Intervene{some_interventions()});
      const auto first = after(command::Step{1000});
      REQUIRE(first->tokens.size() == 1000);
      CHECK(first->interventions.size() == (changed ? 2 : 0));
      CHECK(after(command::Seek{300})->tokens.size() == 300);
      CHECK(different(*first, *after(command::Step{700})) == 0);
      after(command::Seek{650});
      after(command::Seek{980});
      CHECK(different(*first, *after(command::Step{20})) == 0);
    }
  }
}
