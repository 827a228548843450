// What the accuracy panel draws of an evaluation: a curve over positions with its uncertainty, a row of accuracies at
// told lengths beside the recorded ones, and the same as a table. Pure; shares in percent; positions count from 1, the
// number of tokens read.
#pragma once

#include "app/viewmodel/table.h"
#include "engine/tasks/evaluate.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace app {

enum class AccuracyUnit : std::uint8_t {
  scaled,  // 0 is chance, 100 all right
  raw,     // share of labelled positions
};

// A share 0..1 among so many classes in percent of a unit.
double in_unit(double share, int classes, AccuracyUnit unit);

struct Interval {
  double low = 0, high = 1;
};

// Wilson's score interval of a share seen in `n` independent observations, 95 %; [0, 1] for none.
Interval wilson_interval(double share, double n);

// One point for each bin of positions that holds a label. The interval takes each sequence as one observation, whatever
// number of its positions lie in the bin: they are not independent, since a model that lost the state stays wrong.
struct AccuracyCurve {
  std::vector<double> position;          // where the point stands: the middle of the bin
  std::vector<double> first, last;       // the bin, both ends included
  std::vector<double> value, low, high;  // percent, in the unit asked for
  std::vector<double> labelled, right;   // positions behind it
};

// Bins for a logarithmic axis: six an octave that end at the powers of two; else at most 48 of equal width.
AccuracyCurve make_accuracy_curve(const engine::Evaluation& evaluation, AccuracyUnit unit, bool logarithmic);

struct AccuracyCell {
  int length = 0;
  engine::LabelCounts counts;  // of the prefixes of this length; none labelled: not measured
  double value = 0;            // percent, all labelled positions up to the length; NaN: not measured
  Interval interval{};         // percent
  double recorded = 0;         // percent, at training; NaN: not recorded
};

constexpr std::array<int, 5> accuracy_lengths = {64, 128, 256, 512, 1024};

// A cell for each of accuracy_lengths.
std::vector<AccuracyCell> make_accuracy_row(const engine::Evaluation& evaluation,
                                            const std::vector<std::pair<int, double>>& recorded, int classes,
                                            AccuracyUnit unit);

// The largest number after --lengths in the command that a card's origin tells; 0: it tells none.
int longest_training_length(const std::string& origin);

// The counts behind the curves: a row for each position, two columns for each model.
Table accuracy_table(const std::vector<std::pair<std::string, const engine::Evaluation*>>& evaluations);

}  // namespace app
