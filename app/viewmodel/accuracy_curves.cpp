#include "app/viewmodel/accuracy_curves.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <sstream>

namespace app {
namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();
constexpr double bins_per_octave = 6;
constexpr int most_bins = 48;

// Ends of the bins, ascending; each bin begins after the one before.
std::vector<int> bin_ends(int length, bool logarithmic) {
  std::vector<int> ends;
  if (logarithmic) {
    for (int k = 0;; ++k) {
      const double end = std::round(std::exp2(k / bins_per_octave));
      if (end >= length) break;
      if (ends.empty() || static_cast<int>(end) > ends.back()) ends.push_back(static_cast<int>(end));
    }
  } else {
    const int width = std::max(1, (length + most_bins - 1) / most_bins);
    for (int end = width; end < length; end += width) ends.push_back(end);
  }
  if (length > 0) ends.push_back(length);
  return ends;
}

Interval interval_of(const engine::LabelCounts& counts, const engine::Evaluation& evaluation, AccuracyUnit unit) {
  const auto n = static_cast<double>(std::min<std::int64_t>(counts.labelled, evaluation.sequences));
  const Interval share = wilson_interval(counts.accuracy(), n);
  return {in_unit(share.low, evaluation.classes, unit), in_unit(share.high, evaluation.classes, unit)};
}

}  // namespace

double in_unit(double share, int classes, AccuracyUnit unit) {
  return 100 * (unit == AccuracyUnit::raw ? share : engine::scaled_accuracy(share, classes));
}

Interval wilson_interval(double share, double n) {
  if (!(n > 0)) return {};
  constexpr double z = 1.959963984540054;  // the 97.5 % quantile of the normal distribution
  const double z2 = z * z;
  const double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  // It holds the share itself, whatever rounding does at its ends.
  return {std::clamp(centre - half, 0.0, share), std::clamp(centre + half, share, 1.0)};
}

AccuracyCurve make_accuracy_curve(const engine::Evaluation& evaluation, AccuracyUnit unit, bool logarithmic) {
  AccuracyCurve curve;
  int first = 1;
  for (const int last : bin_ends(evaluation.length(), logarithmic)) {
    const engine::LabelCounts counts = evaluation.counts(first - 1, last);
    if (counts.labelled > 0) {
      const Interval interval = interval_of(counts, evaluation, unit);
      curve.position.push_back(logarithmic ? std::sqrt(static_cast<double>(first) * last) : 0.5 * (first + last));
      curve.first.push_back(first);
      curve.last.push_back(last);
      curve.value.push_back(in_unit(counts.accuracy(), evaluation.classes, unit));
      curve.low.push_back(interval.low);
      curve.high.push_back(interval.high);
      curve.labelled.push_back(static_cast<double>(counts.labelled));
      curve.right.push_back(static_cast<double>(counts.right));
    }
    first = last + 1;
  }
  return curve;
}

std::vector<AccuracyCell> make_accuracy_row(const engine::Evaluation& evaluation,
                                            const std::vector<std::pair<int, double>>& recorded, int classes,
                                            AccuracyUnit unit) {
  std::vector<AccuracyCell> row;
  for (const int length : accuracy_lengths) {
    AccuracyCell cell;
    cell.length = length;
    cell.value = cell.recorded = not_known;
    if (length <= evaluation.length()) cell.counts = evaluation.counts(0, length);
    if (cell.counts.labelled > 0) {
      cell.value = in_unit(cell.counts.accuracy(), classes, unit);
      cell.interval = interval_of(cell.counts, evaluation, unit);
    }
    for (const auto& [at, accuracy] : recorded)
      if (at == length) cell.recorded = in_unit(accuracy, classes, unit);
    row.push_back(cell);
  }
  return row;
}

int longest_training_length(const std::string& origin) {
  std::istringstream words(origin);
  int longest = 0;
  bool among_lengths = false;
  for (std::string word; words >> word;) {
    const auto digits = static_cast<std::size_t>(
        std::find_if_not(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) -
        word.begin());
    if (among_lengths && digits > 0 && digits <= 7) longest = std::max(longest, std::stoi(word.substr(0, digits)));
    // Numbers go on until the next option, or the next part of a sentence.
    if (word == "--lengths")
      among_lengths = true;
    else if (digits != word.size())
      among_lengths = false;
  }
  return longest;
}

Table accuracy_table(const std::vector<std::pair<std::string, const engine::Evaluation*>>& evaluations) {
  Table table{"accuracy-by-position", {{"position", {}}}};
  for (const auto& [model, evaluation] : evaluations) {
    std::vector<double>& position = table.columns.front().values;
    while (static_cast<int>(position.size()) < evaluation->length())
      position.push_back(static_cast<double>(position.size() + 1));
    table.columns.push_back({model + " (labelled)", {evaluation->labelled_at.begin(), evaluation->labelled_at.end()}});
    table.columns.push_back({model + " (right)", {evaluation->right_at.begin(), evaluation->right_at.end()}});
  }
  return table;
}

}  // namespace app
