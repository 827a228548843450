#include "kernels/device/graph.h"

#include <cuda_runtime_api.h>

namespace kernels {

Graph::~Graph() {
  if (handle_ != nullptr) cudaGraphExecDestroy(handle_);
  if (recorded_ != nullptr) cudaGraphDestroy(recorded_);
}

DeviceResult<Graph> Graph::record(const Stream& stream, const std::function<DeviceResult<void>()>& queue) {
  if (const int code = cudaStreamBeginCapture(stream.handle(), cudaStreamCaptureModeThreadLocal); code != 0) {
    return cuda_failure(code, "cudaStreamBeginCapture");
  }
  const DeviceResult<void> queued = queue();
  Graph graph;
  const int ended = cudaStreamEndCapture(stream.handle(), &graph.recorded_);  // always: the stream must leave the mode
  int made = 0;
  if (queued && ended == 0) made = cudaGraphInstantiate(&graph.handle_, graph.recorded_, 0);
  if (!queued) return tl::unexpected(queued.error());
  if (ended != 0) return cuda_failure(ended, "cudaStreamEndCapture");
  if (made != 0) return cuda_failure(made, "cudaGraphInstantiate");
  return graph;
}

DeviceResult<void> Graph::launch(const Stream& stream) const {
  return check_cuda(cudaGraphLaunch(handle_, stream.handle()), "cudaGraphLaunch");
}

DeviceResult<std::vector<const CUgraphNode_st*>> NodeWatch::added(const Stream& stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cudaGraph_t graph = nullptr;
#if CUDART_VERSION >= 13000
  int code = cudaStreamGetCaptureInfo(stream.handle(), &status, nullptr, &graph, nullptr, nullptr, nullptr);
#else
  int code = cudaStreamGetCaptureInfo_v2(stream.handle(), &status, nullptr, &graph, nullptr, nullptr);
#endif
  if (code == 0 && status != cudaStreamCaptureStatusActive) code = cudaErrorStreamCaptureUnmatched;
  if (code != 0) return cuda_failure(code, "cudaStreamGetCaptureInfo");
  std::size_t count = 0;
  code = cudaGraphGetNodes(graph, nullptr, &count);
  std::vector<cudaGraphNode_t> nodes(count);
  if (code == 0 && count > 0) code = cudaGraphGetNodes(graph, nodes.data(), &count);
  if (code != 0) return cuda_failure(code, "cudaGraphGetNodes");
  std::vector<const CUgraphNode_st*> fresh;
  for (const cudaGraphNode_t node : nodes) {
    if (seen_.insert(node).second) fresh.push_back(node);
  }
  return fresh;
}

}  // namespace kernels
