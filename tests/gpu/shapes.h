// The shapes that the sweeps go through: every rank, head and state sizes at both ends and off the powers of two, groups,
// both rotary fractions, batches on both sides of every tile.
#pragma once

#include "tests/gpu/device.h"

#include <ostream>
#include <vector>

namespace gpu_test {

struct Shape {
  int heads, headdim, d_state, rank, groups;
  bool mimo;
  bool full_rotation;
  int angles() const { return full_rotation ? d_state / 2 : d_state / 4; }
  int inner() const { return heads * headdim; }
  int keys() const { return rank * groups * d_state; }
};

inline std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << "H=" << s.heads << " P=" << s.headdim << " N=" << s.d_state << " R=" << s.rank << " G=" << s.groups
             << (s.mimo ? " MIMO" : " SISO") << (s.full_rotation ? " rope 1" : " rope 0.5");
}

inline std::vector<Shape> mixer_shapes() {
  std::vector<Shape> shapes = {
      {2, 8, 8, 1, 1, false, true},     {3, 13, 24, 1, 3, false, false},  {4, 32, 32, 1, 2, false, true},
      {4, 64, 64, 1, 1, false, false},  {6, 64, 128, 1, 2, false, false}, {2, 256, 256, 1, 1, false, true},
      {3, 100, 40, 1, 1, false, false}, {2, 8, 8, 8, 1, true, false},     {4, 64, 128, 4, 1, true, false},
      {2, 32, 64, 2, 2, true, true},    {3, 13, 72, 3, 1, true, false},   {4, 16, 16, 5, 2, true, true},
      {2, 48, 96, 6, 1, true, false},   {5, 24, 200, 7, 5, true, true},   {2, 256, 256, 8, 2, true, false},
      {2, 64, 32, 1, 1, true, true},    {24, 64, 128, 1, 1, false, false}};
  if (!small()) shapes.push_back({64, 64, 128, 4, 1, true, false});
  return shapes;
}

inline std::vector<int> batches() { return small() ? std::vector<int>{1, 3} : std::vector<int>{1, 3, 8, 17}; }

}  // namespace gpu_test
