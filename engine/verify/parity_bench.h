// The parity bench: for the last token of a text, what each backend that this machine has leaves in every layer and tensor,
// against the model in double precision over the same text. A candidate is measured twice over:
//
// * *after the text*: it reads the whole text by itself, as it is used. Differences add up over tokens, and what is wrong in
//   one layer shows in all behind it.
// * *step by step*, where it steps: it is set to the reference's state before the last token, rounded to fp32, steps once,
//   and after the embedding, each mixer and each MLP it gets the reference's residual in place of its own. So every cell
//   has exact inputs but for what was made in the same layer before it: the first cell over its limit is where an error
//   begins, and a layer behind it that is over its limit is wrong by itself. A prefill takes many tokens through a layer at
//   once and cannot be handed its inputs so; where it goes wrong is then the first cell of the former comparison.
//
// The reference of a step by step comparison starts from the state that the candidate holds once it is restored, which a
// bf16 state has rounded; its matrix state may then be off by one rounding more, as verify has it. After the text a bf16
// state's differences are a cost and no error, and are not judged. Everything is done twice, and the bits are compared.
// One thread, the caller's.
#pragma once

#include "engine/backend/backend.h"
#include "engine/bench/prefilling.h"
#include "engine/intervention/intervention.h"
#include "engine/verify/parity_cells.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engine {

struct ParityCandidate {
  std::string name;                                        // "cuda fused, prefilled"
  bool prefill = false;                                    // takes the text by Backend::prefill, else by steps
  std::string absent;                                      // why it cannot be had here; empty: it can
  std::function<Result<std::unique_ptr<Backend>>()> open;  // a batch of at least 1; sequence 0 is looked at
};

// What there is: cpu, and cuda staged, fused, and fused with a bf16 state; each that steps, and each whose prefill is to be
// compared. Without a device the cuda ones say so. The weights outlive the candidates. Threads: the cpu's, 0 for all.
std::vector<ParityCandidate> parity_candidates(const Weights& weights, int threads);

struct ParityRow {
  enum class Outcome : std::uint8_t {
    absent,  // not to be had on this machine, or not with this model
    failed,  // ended with an error
    measured,
  };
  std::string name;
  bool prefill = false;
  Outcome outcome = Outcome::absent;
  std::string message;                 // why there are no cells
  std::string device;                  // as BackendInfo has it
  bool chunked = false;                // the prefill took many tokens at once; otherwise the backend stepped
  double text_rtol = 0;                // what `text` is held to
  bool judged_text = true;             // whether `text` counts for pass()
  std::vector<ParityCell> text, step;  // by parity_cell_index(); `step` is empty for a prefill
  bool repeatable = false;
  std::string first_unequal;  // "layer 3 k, after the text"; empty: equal bits

  // The first cell over its limit, of `step` where there is one, else of `text` if that is judged; null: none.
  const ParityCell* begins() const;
  bool begins_in_step() const;
  // The cell that uses most of its limit; null without cells.
  static const ParityCell* worst(const std::vector<ParityCell>& cells);
  static std::size_t not_finite(const std::vector<ParityCell>& cells);
  // Measured, no judged cell over its limit, the same bits twice.
  bool pass() const;
};

struct ParityReport {
  std::int64_t tokens = 0;
  double rtol = 0;
  bool cancelled = false;       // rows are of what was complete by then
  std::vector<ParityRow> rows;  // in the order of the candidates

  // No candidate that is there is over a limit, fails or has other bits the second time; and one is there.
  bool compared() const;  // a row was not absent
  bool pass() const;
};

struct ParityOptions {
  double prefill_rtol =
      PrefillCost::rtol;  // of a chunked prefill in fp32, whose products round otherwise; at least rtol
  double rtol = 2e-4;     // as verify's
  std::vector<Intervention> interventions = {};  // in force in all candidates and in the reference
  PrefillProgress* prefill_progress = nullptr;   // lets another thread end a prefill; may be null
};

// Asked after every token and every row; `now` is what is being done, `done` in [0, 1]. False ends the bench.
using ParityProgress = std::function<bool(const ParityReport& so_far, const std::string& now, double done)>;

// Errors: no text, an id outside the vocabulary (input); what keeps the reference from running. A candidate's error is its
// row's. `weights` are the reference's.
Result<ParityReport> run_parity_bench(const Weights& weights, std::span<const std::int32_t> ids,
                                      const std::vector<ParityCandidate>& candidates, const ParityOptions& options,
                                      const ParityProgress& progress);

}  // namespace engine
