// The functions behind one instruction set's table (table.h). Compiled with MAMBASCOPE_ISA naming it.
#pragma once

#include "kernels/cpu/vector.h"

namespace kernels {
template <class T>
struct EmbeddingArgs;
template <class T>
struct NormArgs;
template <class T>
struct ProjectionArgs;
template <class T>
struct RotateArgs;
template <class T>
struct StateUpdateArgs;
template <class T>
struct ReadoutArgs;
template <class T>
struct MimoMixArgs;
}  // namespace kernels

namespace kernels::cpu::MAMBASCOPE_ISA {

void embedding(const EmbeddingArgs<float>& args, int begin, int end);
void norm(const NormArgs<float>& args, int begin, int end);
void projection(const ProjectionArgs<float>& args, int begin, int end);
void rotate(const RotateArgs<float>& args, int begin, int end);
void state_update(const StateUpdateArgs<float>& args, int begin, int end);
void readout(const ReadoutArgs<float>& args, int begin, int end);
void mimo_mix(const MimoMixArgs<float>& args, int begin, int end);

}  // namespace kernels::cpu::MAMBASCOPE_ISA
