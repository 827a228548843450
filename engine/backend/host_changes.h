// The tables of changes of a backend that computes on the host, for a batch of B sequences. A kind of table is there while
// some sequence has changes of its kind; the entries of sequences without any are neutral. One thread, the backend's.
#pragma once

#include "engine/backend/host_buffers.h"
#include "engine/intervention/changes.h"

#include <cstddef>
#include <vector>

namespace engine {

class HostChanges {
 public:
  HostChanges(const ModelConfig& config, int batch);

  // What one sequence is changed by from now on; check_sizes() holds.
  void set(int sequence, const SequenceChanges& changes);
  // Whether anything of any sequence's steps is changed.
  bool any() const;
  // Of one layer.
  kernels::LayerChanges layer(std::size_t index) const;
  // Changes the cells of all sequences.
  template <class T>
  void change_cells(std::vector<typename HostBuffers<T>::Layer>& layers) const {
    for (const std::vector<kernels::CellChange>& cells : cells_) {
      for (const kernels::CellChange& c : cells) {
        const std::ptrdiff_t row = (std::ptrdiff_t{c.sequence} * heads_ + c.head) * rows_ + c.row;
        T& value = layers[static_cast<std::size_t>(c.layer)].h[static_cast<std::size_t>(row * channels_ + c.channel)];
        value = kernels::changed(c.value, value);
      }
    }
  }

 private:
  template <class Change>
  struct Table {
    std::vector<Change> neutral;  // of one layer and sequence
    std::vector<Change> all;      // (L, B, ...); empty: no changes
    std::vector<bool> given;      // (B): which sequences have some
    void set(std::size_t sequence, const std::vector<Change>& changes, std::size_t layers);
    const Change* of_layer(std::size_t index) const;
  };

  std::size_t layers_;
  std::ptrdiff_t heads_, rows_, channels_;
  Table<kernels::HeadChange> of_heads_;
  Table<kernels::RankChange> of_ranks_;
  Table<kernels::PairChange> of_pairs_;
  std::vector<std::vector<kernels::CellChange>> cells_;  // by sequence
};

}  // namespace engine
