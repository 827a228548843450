// The model in fp32 on the host: vectorised kernels, a stage's items divided among threads. The same input gives the
// same bits whatever the batch, the place in it and the number of threads.
#pragma once

#include "engine/backend/host_backend.h"
#include "engine/backend/thread_pool.h"
#include "kernels/cpu/table.h"

namespace engine {

class CpuBackend : public HostBackend<float> {
 public:
  // threads 0: all cores. The table: null takes the best of this machine; another one is for tests.
  CpuBackend(const Weights& weights, int batch, int threads, const kernels::cpu::Table* table = nullptr,
             bool errors = false);

 private:
  void run(const Stage& stage) override;
  template <class Args>
  void divide(const Stage& stage, void (*kernel)(const Args&, int, int), const Args& args);

  const kernels::cpu::Table& table_;
  ThreadPool pool_;
};

}  // namespace engine
