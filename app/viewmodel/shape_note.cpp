#include "app/viewmodel/shape_note.h"

#include <fmt/format.h>

namespace app {
namespace {

std::string rank_words(const engine::ModelConfig& config) {
  return config.is_mimo ? fmt::format("MIMO R = {}", config.rank()) : "SISO";
}

}  // namespace

ShapeNote note_on_shapes(const engine::ModelConfig& first, const engine::ModelConfig& second) {
  ShapeNote note;
  int count = 0;
  const auto compare = [&](const char* name, int a, int b) {
    if (a == b) return;
    note.difference += fmt::format("{}{} {} and {}", count > 0 ? ", " : "", name, a, b);
    ++count;
  };
  compare("layers", first.n_layer, second.n_layer);
  compare("d_model", first.d_model, second.d_model);
  compare("heads", first.heads(), second.heads());
  compare("headdim", first.headdim, second.headdim);
  compare("d_state", first.d_state, second.d_state);
  compare("B and C groups", first.ngroups, second.ngroups);
  compare("angles", first.angles(), second.angles());
  compare("MLP width", first.has_mlp() ? first.mlp_width() : 0, second.has_mlp() ? second.mlp_width() : 0);
  compare("vocabulary", first.padded_vocab(), second.padded_vocab());
  const bool same_rank = first.is_mimo == second.is_mimo && first.rank() == second.rank();
  note.brief = same_rank ? fmt::format("both {}", rank_words(first))
                         : fmt::format("{} beside {}", rank_words(first), rank_words(second));
  note.brief += count == 0   ? ", otherwise one shape"
                : count == 1 ? ", also " + note.difference
                             : fmt::format(", {} other differences", count);
  return note;
}

}  // namespace app
