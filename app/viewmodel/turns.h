// What turns on a token: how far each channel pair of a head turns, what class of turn that is, and how reliably the
// token's symbol turns it so. Pure, double, no ImGui.
//
// dtheta = pi tanh(raw) dt is the advance of the rotary angle; the un-rotated complex state turns by -dtheta.
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

// Short name of a turn's class for tables and labels: "½ turn", "1/3 turn", "2/5 turn", "full turn", "—" for none or no
// simple fraction; the sense is left out. Halves and whole turns within 0.02 turns; thirds to sixths within 0.008.
std::string turn_label(double radians);
// Whether it is a simple fraction of a turn other than none: a turn that can carry a discrete symbol.
bool is_clear_turn(double radians);

// One row of "what turns on this token".
struct TurnRow {
  int pair = 0;
  double turn = 0;           // dtheta at the shown token, radians
  double concentration = 0;  // length of the mean of e^(i dtheta) over the window's tokens with the same symbol, 0..1
  int tokens = 0;            // how many those are
};

// All turning pairs of a head at token `index`, in pair order; concentrations over the newest `window` tokens. Empty
// without coefficients.
std::vector<TurnRow> turns_at(const engine::Snapshot& snapshot, std::int64_t index, int layer, int head,
                              int window = 1024);

enum class TurnOrder : std::uint8_t { pair, turn, concentration };
// Sorts in place; `turn` sorts by |dtheta|; NaN last either way.
void sort_turns(std::vector<TurnRow>& rows, TurnOrder order, bool descending);

}  // namespace app
