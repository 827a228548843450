#include "kernels/device/graph.h"

#include <cuda_runtime_api.h>

namespace kernels {

Graph::~Graph() {
  if (handle_ != nullptr) cudaGraphExecDestroy(handle_);
}

DeviceResult<Graph> Graph::record(const Stream& stream, const std::function<DeviceResult<void>()>& queue) {
  if (const int code = cudaStreamBeginCapture(stream.handle(), cudaStreamCaptureModeThreadLocal); code != 0) {
    return cuda_failure(code, "cudaStreamBeginCapture");
  }
  const DeviceResult<void> queued = queue();
  cudaGraph_t recorded = nullptr;
  const int ended = cudaStreamEndCapture(stream.handle(), &recorded);  // always: the stream must leave the mode
  Graph graph;
  int made = 0;
  if (queued && ended == 0) made = cudaGraphInstantiate(&graph.handle_, recorded, 0);
  if (recorded != nullptr) cudaGraphDestroy(recorded);
  if (!queued) return tl::unexpected(queued.error());
  if (ended != 0) return cuda_failure(ended, "cudaStreamEndCapture");
  if (made != 0) return cuda_failure(made, "cudaGraphInstantiate");
  return graph;
}

DeviceResult<void> Graph::launch(const Stream& stream) const {
  return check_cuda(cudaGraphLaunch(handle_, stream.handle()), "cudaGraphLaunch");
}

}  // namespace kernels
