// The view values of one document's times, with what they were made from, so that they are made again only when
// something changed. UI thread only.
#pragma once

#include "app/viewmodel/timing_bars.h"

#include <memory>

namespace app {

struct TimingCache {
  std::shared_ptr<const profiler::TokenTimes> newest, shown;
  std::int64_t wanted = -1;  // the token that was asked for
  double refreshed_s = -1;
  int rows = 0;
  TimingTable table;
  TokenTimeline timeline;
  StepBar median_bar, token_bar;
};

}  // namespace app
