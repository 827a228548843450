// Patching: part of the state that one text left (the donor's) is put into the state that another left (the receiver's),
// and the receiver goes on. Where the donor's answer appears, that part carries what makes it. Steps a backend; one thread,
// the caller's.
#pragma once

#include "engine/effect/side_by_side.h"
#include "engine/intervention/intervention.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace engine {

enum class PatchPart : std::uint8_t { whole, layer, head, pair };
const char* name_of(PatchPart part);

struct Patch {
  PatchPart part = PatchPart::head;
  int layer = 0, head = 0, pair = 0;  // those that the part has

  bool operator==(const Patch&) const = default;
};
std::string describe(const Patch& patch);  // "layer 0, head 3, pair 5"

// The receiver with the donor's part: of a head its matrix state, angles, last keys of all ranks and last values, so that
// it means what it meant; of a pair its two channels of the matrix state (every row) and of the keys, and its angle. The
// values of the last token belong to no pair and stay. States complete and of this model. Error (input): no such part.
Result<SequenceState> patched(const ModelConfig& config, const SequenceState& receiver, const SequenceState& donor,
                              const Patch& patch);

// Every part of one kind, in order: of the model, or of one layer for pairs.
std::vector<Patch> every_head(const ModelConfig& config);
std::vector<Patch> every_layer(const ModelConfig& config);
std::vector<Patch> every_pair(const ModelConfig& config, int layer);

// After each token behind the patch.
struct PatchOnToken {
  std::int32_t predicted = 0;
  double kl_bits = 0;           // KL(receiver || patched)
  double logit_difference = 0;  // logit of the donor's answer less that of the receiver's: PatchReference
};

struct PatchEffect {
  Patch patch;
  std::vector<PatchOnToken> tokens;
};

// What the patches are measured between, after each token behind the patch: the receiver as it is, and with the whole
// state of the donor. Their answers are what each predicts there.
struct PatchReference {
  std::vector<std::int32_t> receiver_answer, donor_answer;
  std::vector<double> receiver_difference, donor_difference;  // logits, as PatchOnToken::logit_difference

  // How far a patch moves the answer: 0 as the receiver, 1 as with the whole state; NaN where both answer the same.
  double share(std::size_t token, double logit_difference) const;
};

struct PatchGrid {
  PatchReference reference;
  std::vector<PatchEffect> effects;  // in the order of the patches; fewer where the run was ended
};

// The complete state after `ids`, from reset, stepped under the interventions: of sequence 0. The batch reads them all.
// Error (input): `progress` ended it; no such intervention.
Result<SequenceState> state_after(Backend& backend, const ModelConfig& config, std::span<const std::int32_t> ids,
                                  const std::vector<Intervention>& interventions = {},
                                  const EffectProgress& progress = {});

// Goes on with `continuation` (at least one token: the patch shows in what is read behind it) from the same receiver for
// every patch, as many at a time as the batch has room for beside the two references: batch of 3 or more; all under the
// receiver's interventions. Errors (input): too small a batch, no continuation, an id outside the vocabulary, no such part
// or intervention; else as the backend's.
Result<PatchGrid> patch_effects(Backend& backend, const Model& model, const SequenceState& receiver,
                                const SequenceState& donor, std::span<const std::int32_t> continuation,
                                std::span<const Patch> patches, const EffectProgress& progress,
                                const std::vector<Intervention>& interventions = {});

}  // namespace engine
