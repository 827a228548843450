// The one seam between the program and whatever does the arithmetic. A backend steps B sequences by one token each and
// lets their state be read, saved and restored. Every call is made by one thread, the session's. Implementations: "cpu"
// (fp32, vectorised, threads), "reference" (double, for verification), "cuda".
#pragma once

#include "engine/backend/prefill_progress.h"
#include "engine/backend/published.h"
#include "engine/backend/state.h"
#include "engine/backend/state_tiles.h"
#include "engine/backend/step_errors.h"
#include "engine/base/result.h"
#include "engine/intervention/changes.h"
#include "engine/model/open_progress.h"
#include "engine/model/weights.h"
#include "engine/plan/observer.h"
#include "engine/plan/step_plan.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace engine {

struct Sampler;

struct BackendInfo {
  std::string name;                  // "cpu", "cuda", "reference"
  std::string device;                // "AMD EPYC, 2 threads, AVX-512", "NVIDIA H100 80GB HBM3"
  std::string detail;                // free text for tool tips: driver, clocks, memory
  bool is_gpu = false;               // kernel times come from CUPTI, not from the stage clock
  int threads = 1;                   // that do the arithmetic, on the CPU
  std::string products = "own";      // "tensor cores" or "cublasLt" where those multiply the matrices
  bool graph = false;                // the whole step is one CUDA graph: an observer sees steps and nodes, no stages
  bool errors = false;               // steps measure the errors of the discretisation rules
  bool ahead = false;                // step_all() queues a step while the one before it runs
  bool chunked_prefill = false;      // prefill() takes many tokens at once; otherwise it steps
  std::string state = "fp32";        // what the matrix state is kept in: "fp32", "bf16", "fp64"
  std::size_t weight_bytes = 0;      // where the arithmetic happens
  std::size_t state_bytes = 0;       // per sequence
  std::size_t l2_bytes = 0;          // of a GPU
  double fp32_flops_per_second = 0;  // the most that the device can do, by peak_source; 0: not known
  std::string peak_source;           // "132 multiprocessors x 128 lanes x 2 x 1980 MHz"
};

// What a timed step finds in the GPU's L2: what the step before it left there, or nothing of its own.
enum class CacheState : std::uint8_t { warm, cold };
constexpr const char* name_of(CacheState state) { return state == CacheState::warm ? "warm" : "cold"; }

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const BackendInfo& info() const = 0;
  virtual const StepPlan& plan() const = 0;

  // All sequences back to the state before the first token: zeros.
  virtual Result<void> reset() = 0;
  // One token for each sequence; ids (B), each in [0, vocab_size). The observer may be null. Returns when the step has
  // finished.
  virtual Result<void> step(std::span<const std::int32_t> ids, Observer* observer) = 0;
  // As many steps as `ids` (steps, B) has room for. A GPU has a step queued while the one before it runs, so that the
  // host's way to a launch takes no time of the device's (BackendInfo::ahead; otherwise each step is waited for). The bits
  // are those of as many calls of step(). After a failure position() says how many steps have ended. Input error: ids that
  // are not of whole steps or outside the vocabulary.
  virtual Result<void> step_all(std::span<const std::int32_t> ids, Observer* observer);
  // As many steps as `milliseconds` has room for, all with the same ids, and how long each took. A GPU gets them queued
  // one behind the other without waiting in between, and times them itself; a CPU's are timed one by one, and only warm
  // (input error). What makes the cache cold is not in the times.
  virtual Result<void> time_steps(std::span<const std::int32_t> ids, std::span<double> milliseconds, CacheState cache);
  // As many runs of some of the plan's stages as `milliseconds` has room for, and how long each took: `rounds` times
  // every stage whose kind is among `kinds`, in the plan's order; on a GPU as one CUDA graph. They work on what the
  // steps before left, and leave a state that belongs to no text: reset() comes next. Input error: this backend does not.
  virtual Result<void> time_stages(std::span<const StageKind> kinds, int rounds, std::span<double> milliseconds);
  // From now on every step hands over what it left, in order; a request without a receiver ends that. A GPU copies it
  // while later steps run: the call that queues the second step after it hands it over, or the end of time_steps(), or
  // the next publish(), which begins with what is still on its way. The bits are those of the read functions.
  virtual Result<void> publish(PublishRequest request);
  // As many steps as `ids` (steps, B) has room for, each with the ids that were drawn from the logits of the step before
  // it, the first from those of the last step made; what each draws goes to `ids`. A GPU draws by itself and waits for
  // nobody in between. Draws are those of sample() at the positions that the ids take, sequence b's with a seed that is b
  // larger. Input error: room for part of a step.
  virtual Result<void> generate(const Sampler& sampler, std::span<std::int32_t> ids);
  // A text of `ids` (tokens, B): what as many steps would leave, but for rounding. All tokens but the last go through the
  // model many at once (BackendInfo::chunked_prefill), in fp32 as ever, by another order of sums; the last is a step, so that
  // logits, coefficients, errors and what is published are a step's. Where the backend has no such form, for two tokens or
  // fewer, and while a sequence's steps are changed (intervene), all are steps. Bits depend on where a text is cut into calls.
  // `progress` may be null. Errors (input): ids that are not of whole steps or outside the vocabulary; cancelled between
  // two pieces (prefill_cancelled), and then position() says how far it came.
  virtual Result<void> prefill(std::span<const std::int32_t> ids, PrefillProgress* progress);
  // What the recorded step consists of, in the plan's order; empty before the first step and without a graph.
  virtual std::span<const GraphNode> graph_nodes() const { return {}; }
  // Tokens consumed since reset or as restored, equal for all sequences of the batch.
  virtual std::int64_t position() const = 0;

  // Logits of the last step, (V) with padding, fp32.
  virtual Result<void> read_logits(int sequence, std::span<float> logits) = 0;
  virtual Result<void> read_coefficients(int sequence, StepCoefficients& out) = 0;
  // Fills out.layers[l] for each l of `layers`; the matrix state only with `with_ssm`.
  virtual Result<void> read_state(int sequence, std::span<const int> layers, bool with_ssm, SequenceState& out) = 0;
  // The state of every head at a coarser grain: out.rows x out.columns blocks are made of its P x N cells, and a GPU copies
  // no more than them. The bits are those of kernels::state_tiles() on what read_state() gives. Errors (input): fewer
  // than 1 row or column, more than P or N; a sequence outside the batch.
  virtual Result<void> read_state_tiles(int sequence, StateTiles& out);
  // The same without waiting: a GPU makes the blocks behind the step that was queued last, before the next one changes the
  // state, and brings them (or their summary alone) while later steps run. Here and in read_state_tiles() `rows` and
  // `columns` are those of the request.
  virtual Result<std::unique_ptr<ComingTiles>> queue_state_tiles(int sequence, const TilesRequest& request);
  // What the stage `errors` of the last step found (BackendOptions::errors; input error without). Zeros before the first
  // step.
  virtual Result<void> read_errors(int sequence, StepErrors& out);
  // Sets one sequence to a complete saved state (every layer, with ssm): the next step's bits are those that followed
  // the save. A bf16 state takes the nearest values: a state saved from one comes back as it was, an fp32 one rounded.
  virtual Result<void> restore(int sequence, const SequenceState& state) = 0;

  // From the next step on, what one sequence's steps are changed by, in place of what was given before; none() ends it.
  // Stays through reset and restore; other sequences keep their bits, and neutral changes change none. Errors (input):
  // what check_sizes() refuses; a backend that cannot.
  virtual Result<void> intervene(int sequence, const SequenceChanges& changes);

 protected:
  static Result<void> check_tiles(int rows, int columns, const ModelConfig& config);
  static Result<void> wait_for_tiles(Result<std::unique_ptr<ComingTiles>> coming, StateTiles& out);
  // Whether so many ids are those of whole steps.
  Result<void> check_generated(std::size_t ids) const;
  // All tokens of `ids` (tokens, B) but the last ones, `most` or fewer of one sequence at a time by `run`. After each piece
  // of all sequences `position` goes on. Errors: those of `run`; cancelled.
  using RunPiece = std::function<Result<void>(int sequence, std::span<const std::int32_t> ids)>;
  Result<void> prefill_pieces(std::span<const std::int32_t> ids, std::size_t most, PrefillProgress* progress,
                              std::int64_t& position, const RunPiece& run) const;
};

enum class BackendChoice : std::uint8_t { automatic, cpu, cuda, reference };

// How a GPU's step is divided into kernels: one a stage, to be looked at, or few, to be fast.
enum class Variant : std::uint8_t { staged, fused };

// What multiplies the matrices of the fused variant: its own passes, which read the weights once for four sequences, or
// cuBLASLt. Automatic takes matrix products for bf16 weights and many sequences: the program's own on tensor cores where
// device and batch allow (ProductStep::has_own), else cuBLASLt's where it can be opened.
enum class Products : std::uint8_t { automatic, own, library };

struct BackendOptions {
  BackendChoice choice = BackendChoice::automatic;
  int batch = 1;
  int threads = 0;                    // cpu only; 0: all cores
  bool graph = false;                 // cuda only: the step as one CUDA graph
  Variant variant = Variant::staged;  // cuda only; the others have but the staged one
  Products products = Products::automatic;
  // Of the matrix state between two steps: f32, or bf16 with the fused variant only. What a step computes and the
  // caches of the last token are fp32 with either.
  kernels::DType state = kernels::DType::f32;
  bool errors = false;  // a stage behind the layers measures the errors of the discretisation rules, see read_errors()
  std::shared_ptr<OpenProgress> progress = nullptr;  // hears how far the opening has come; may be null
};

// What make_backend takes: automatic is cuda where a device answers, else cpu.
BackendChoice choice_made(BackendChoice choice);

// Makes the backend asked for. The weights must outlive the backend; planned ones (Weights::seed_to_draw) are for cuda
// only.
Result<std::unique_ptr<Backend>> make_backend(const Weights& weights, const BackendOptions& options);

// Why "cuda" cannot be had on this machine, with what to do; empty when it can.
std::string why_no_cuda();

}  // namespace engine
