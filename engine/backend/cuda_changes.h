// The tables of changes on the device, for all layers and a batch of B sequences. A layer's table of a kind is there while
// some sequence has an entry in it that is not neutral (those of the others are), so that only layers that something
// changes read any. What is given comes to the device by a copy that is queued; nobody waits for it but who gives the next. Used by the
// thread that owns the backend.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/intervention/changes.h"
#include "kernels/device/buffer.h"
#include "kernels/device/stream.h"
#include "kernels/intervention/change_cells.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace engine {

class CudaChanges {
 public:
  CudaChanges(const ModelConfig& config, int batch);

  // What one sequence is changed by from the next step on; check_sizes() holds. The layers of `buffers` point to the tables
  // afterwards. True: tables have come, moved or gone, and whatever was recorded is to be recorded anew. Out of memory
  // leaves everything as it was.
  kernels::DeviceResult<bool> set(const kernels::Stream& stream, int sequence, const SequenceChanges& changes,
                                  CudaBuffers& buffers);

  // Whether anything of any sequence's steps is changed.
  bool any() const { return heads_.any() || ranks_.any() || pairs_.any() || has_cells_; }
  // Whether a step begins with changed cells.
  bool has_cells() const { return has_cells_; }
  kernels::ChangeCellsArgs cells(const CudaBuffers& buffers) const;

 private:
  template <class Change>
  struct Table {
    std::vector<Change> neutral;  // of one layer and sequence
    std::vector<std::vector<bool>>
        given;                      // (B), (L): which layers of which sequences have entries that change something
    std::vector<bool> present;      // (L): of any sequence
    kernels::DeviceBuffer all;      // (L, B, ...)
    kernels::PinnedBuffer staging;  // (L, ...): one sequence's, on its way

    kernels::DeviceResult<void> allocate(std::size_t layers);
    bool gives(std::size_t sequence) const {
      return std::find(given[sequence].begin(), given[sequence].end(), true) != given[sequence].end();
    }
    bool any() const { return std::find(present.begin(), present.end(), true) != present.end(); }
    // True: tables of layers have come or gone.
    kernels::DeviceResult<bool> set(const kernels::Stream& stream, std::size_t sequence,
                                    const std::vector<Change>& changes, std::size_t layers);
    const Change* of_layer(std::size_t index) const {
      return present[index] ? all.at<const Change>() + index * given.size() * neutral.size() : nullptr;
    }
  };
  // Room for that many; true: they have moved.
  kernels::DeviceResult<bool> reserve_cells(const kernels::Stream& stream, std::size_t count);
  kernels::DeviceResult<void> copy_cells(const kernels::Stream& stream);

  ModelConfig config_;
  int batch_;
  Table<kernels::HeadChange> heads_;
  Table<kernels::RankChange> ranks_;
  Table<kernels::PairChange> pairs_;
  kernels::Event copied_;                                // what was staged has arrived
  std::vector<std::vector<kernels::CellChange>> cells_;  // by sequence
  bool has_cells_ = false;
  std::size_t cell_capacity_ = 0;
  kernels::DeviceBuffer cell_list_;     // the count, then the cells
  kernels::PinnedBuffer cell_staging_;  // the same
};

}  // namespace engine
