// Everything that the window shows and the panels change. UI thread only.
#pragma once

#include "app/viewmodel/accuracy_curves.h"
#include "app/viewmodel/discretisation_pages.h"
#include "app/viewmodel/laboratory.h"
#include "app/viewmodel/selection.h"
#include "app/viewmodel/timing_cache.h"
#include "app/viewmodel/timing_pages.h"
#include "app/wiring/effect.h"
#include "app/wiring/evaluation.h"
#include "app/wiring/measurement_job.h"
#include "app/wiring/profile_comparison.h"
#include "app/wiring/profile_groups.h"
#include "app/wiring/profile_result.h"
#include "app/wiring/rank_family.h"
#include "app/wiring/retention.h"
#include "app/wiring/timing_store.h"
#include "app/wiring/verification.h"
#include "engine/model/hub_cache.h"
#include "engine/session/session.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace engine {
class Recording;
}

namespace app {

class ParityJob;  // app/wiring/parity.h
class RecordingJob;
struct InterventionDesk;  // app/wiring/interventions.h

// One open model: its session, its newest snapshot (taken once a frame), its timings. While it opens and when that
// failed, only `name` and `error` say anything.
struct Document {
  std::string name;                    // as asked for, then the model's
  std::optional<engine::Error> error;  // why it could not be opened
  // While it opens.
  struct Opening {
    std::shared_ptr<engine::OpenProgress> progress;
    std::chrono::steady_clock::time_point begun;
  } opening;
  std::shared_ptr<const engine::Model> model;
  std::unique_ptr<TimingStore> timings;  // outlives the session, whose observer feeds it
  std::unique_ptr<engine::Session> session;
  std::shared_ptr<const engine::Snapshot> snapshot;
  std::unique_ptr<Verification> verification;  // the last one asked for; null: none yet
  std::unique_ptr<EvaluationJob> evaluation;   // the last one asked for; null: none yet
  std::unique_ptr<EffectJob> effect;  // of other lambdas over a context, the last one asked for; null: none yet
  std::unique_ptr<EffectJob> effect_accuracy;  // the same over the model's task
  std::unique_ptr<RetentionJob> retention;     // of a token's contribution, the last one asked for; null: none yet
  // The list of interventions, and what runs with them; null until the panel was shown.
  std::shared_ptr<InterventionDesk> interventions;
  std::shared_ptr<ParityJob> parity;  // the parity bench, the last one asked for; null: none yet
  TimingCache timing_cache;
  // A recorded profile that was opened by itself: it has times and a plan, and no model, session or snapshot.
  std::shared_ptr<const ProfileResult> recording;
  // Recorded tokens: the session replays them, and the model has a shape and no weights. Null: the model is here.
  std::shared_ptr<const engine::Recording> replay;
  std::shared_ptr<RecordingJob> saving;  // writes what was stepped to a file, the last one asked for; null: none yet
  // Several ranks of one shape: recorded (then `recording` is one of them) or measured by the window.
  std::shared_ptr<const RankFamily> family;
  std::shared_ptr<const StageCounters>
      counters;  // of a recording or measured by the window; `why` says why there are none
  std::shared_ptr<const TokenSamples>
      samples;  // of a live model, of steps of their own; `why` says why there are none. A recording has its own
  std::unique_ptr<MeasurementJob> counters_job, samples_job, ranks_job;  // the last ones asked for; null: none yet
  std::string ranks_problem;                                             // why the ranks could not be measured
  std::string asked;                                                     // what was opened: a name or path

  bool is_open() const { return snapshot != nullptr; }
  bool has_times() const { return timings != nullptr && (recording != nullptr || (is_open() && !snapshot->empty())); }
  // Of a document that is open or recorded.
  const engine::StepPlan& plan() const { return recording ? recording->plan : *snapshot->plan; }
  const engine::ModelConfig& config() const { return recording ? recording->config : model->config(); }
};

// Pixels of the window, from its upper left corner; empty: none.
struct PixelArea {
  int left = 0, top = 0, width = 0, height = 0;
};

// What a panel or an action asks of the shell; the shell clears each once it has done it.
struct Requests {
  std::string open_model;            // name or path
  std::string open_profile;          // a recorded profile: name or path
  std::string open_replay;           // recorded tokens: path
  std::string record;                // write what the active document has stepped to this file
  std::vector<std::string> dropped;  // paths to open, one a frame
  bool browse = false;               // show the file dialog
  std::string focus_panel;           // bring this panel's tab to the front
  std::string screenshot;            // write the next frame to this PNG file
  PixelArea screenshot_area;         // only this part of it; empty: the whole window
  bool redraw = false;               // a motion goes on: draw the next frame at once instead of sleeping
  bool edit_prompt = false;          // open the prompt editor
  bool edit_record = false;          // ask for the name of a recording
  bool verify = false;               // compare the active document with the reference
  bool evaluate = false;             // measure the active document's accuracy, as chosen in `accuracy`
  bool effect = false;               // run the active document's tokens with other lambdas
  bool effect_accuracy = false;      // measure its accuracy with them, over the sequences chosen in `accuracy`
  std::int64_t retention = -1;       // measure how long this token's contribution lasts in the selected layer
  bool parity = false;               // run the parity bench for the shown token, as set in `parity`
  bool measure_counters = false;     // count what the active document's stages do to the hardware
  bool measure_samples = false;      // sample the hardware's counters while its step runs
  bool measure_ranks = false;        // measure its shape at several ranks
  bool reset_layout = false;
  bool quit = false;
};

// Asks for the document that a path leads to: a recorded profile by its ending, else a model; of a config.json its folder.
void request_open(Requests& requests, const std::string& path);

struct PromptEditor {
  std::string text;
  std::string error;    // what is wrong with the text; empty: nothing, or not tried yet
  bool special = true;  // begin with the tokens that the model's tokenizer puts before every text
};

// How branches are looked at, and what is being typed about them.
struct BranchSettings {
  int compare_with = -1;  // branch; -1: the one that the current one began on
  int renamed = -1;       // branch whose name is being typed; -1: none
  std::string name;
  bool focus_name = false;
  std::int64_t edited = 0;   // position of the token that is edited
  bool edit = false;         // open its editor
  std::string token, error;  // what stands in that, and what is wrong with it
  bool edit_budget = false;  // open the history's settings
  int budget_mb = 0;         // what stands there
};

// What the accuracy panel is set to.
struct AccuracyView {
  EvaluationChoice choice;
  AccuracyUnit unit = AccuracyUnit::scaled;
  bool logarithmic = true;       // the axis of positions
  std::set<std::string> hidden;  // models whose curves are not drawn
};

// What the parity panel is set to.
struct ParityView {
  int candidate = -1;  // row of the report; -1: the first that fails, else the first that was measured
  bool step = true;    // the last token by itself; else what is left after the whole text
  int cell = -1;       // of the grid; -1: where the error begins, else none
  std::string plant;   // a sign to turn in every candidate, TENSOR[I]; empty: none
};

// What the discretisation panel is set to.
struct DiscretisationView {
  DiscretisationPage page = DiscretisationPage::own_input;
  bool accumulated = false;  // errors carried over the tokens instead of each step's own
  LabSettings lab;
};

// How the table of kernel timings is set.
struct TimingTableView {
  ProfileRows rows = ProfileRows::kinds;
  bool records = false;  // each piece of work of each token, in place of groups
  int sorted_by = -1;    // column; -1: the order of the plan, of records that in which they ran
  bool descending = true;
  std::string filter;     // rows whose names hold it
  bool counters = false;  // hardware counters in place of bytes and shares
  double scroll_to = -1;  // share of the records above the one that is shown next at the top; negative: as it is
};

// How the page that compares two profiles is set, and what it shows.
struct CompareView {
  int other = -1;  // the document held against the active one; -1: the first that can be
  ProfileRows rows = ProfileRows::kinds;
  int sorted_by = -1;
  bool descending = true, significant_only = false;
  std::string filter;
  struct Made {
    ProfileComparison comparison;
    std::vector<ComparedRow> rows;  // of the comparison, with the gaps behind the whole step
    std::vector<std::string> reasons, differences;
    std::string elsewhere;
  };
  Kept<std::string, Made> made;
  std::pair<const void*, const void*> pair;  // the documents
  ProfileRows made_rows = ProfileRows::kinds;
  double made_s = -1;
};

struct Workspace {
  std::vector<Document> documents;
  int active = 0;
  Selection selection;
  float ui_scale = 1.0F;
  bool light_theme = false;
  bool share_gpu = true;  // blocks of the state go to the picture without the host, where one GPU does both
  bool show_keys = false, show_palette = false;
  bool linked = true;           // open models step together
  bool run_zoomed = false;      // the user chose the limits of the page of all tokens
  bool page_asked = false;      // the command line named the page: opening a family does not change it
  bool timings_zoomed = false;  // the user chose the timeline's limits
  bool bars_zoomed = false;     // and those of the bars
  double frame_ms = 0;          // smoothed; for the trust strip
  Requests requests;
  std::string notice;                           // one sentence about what just happened, shown for a few seconds
  std::string open_path;                        // what stands in the model menu's text field
  std::string record_path;                      // and in that of the recording's name
  std::vector<std::string> recent;              // folders and files of models that were opened, newest first
  std::vector<engine::CachedModel> downloaded;  // as last looked up
  PromptEditor prompt;                          // what stands in the prompt editor
  BranchSettings branches;
  TimingPage timing_page = TimingPage::timeline;
  TimingTableView timing_table;
  CompareView compare;
  std::pair<double, double> run_span;  // shares of the axis that it shows next, 0..1; both 0: as it is
  AccuracyView accuracy;
  ParityView parity;
  DiscretisationView discretisation;
  std::int64_t strip_shown = -1;  // the token that the strip last scrolled to
  double strip_first = 0;         // tokens to the left of what the strip shows; drawn as whole cells

  Document& document() { return documents[static_cast<std::size_t>(active)]; }
  // Puts a model's path first among the recent ones; built-in models are no news.
  void remember(const std::string& path);
  // Whether the active document has a snapshot to draw.
  bool ready() const;
  // Whether the active document is a recorded profile.
  bool recorded() const;
  // The record that the views show: the selected token, else the newest; null before the first token.
  const engine::TokenRecord* shown();
  // Sends a command to the active session, if there is one; while models are linked, steps, runs, pauses, seeks and
  // speeds go to all of them.
  void post(engine::Command command);
  // Makes another document the active one; the selection starts afresh.
  void activate(int index);
  // The same for a step along the tokens; of a recorded profile they need not follow each other.
  void select_by(std::int64_t offset);
  // Of a recorded family: shows the profile of that rank.
  void choose_rank(int rank);
  // Selects a token by position, clamped to those that exist; the newest one is followed.
  void select_token(std::int64_t position);
};

}  // namespace app
