// The one seam to CUPTI: every call that the profiler makes, in plain types, so that everything above it is compiled
// and tested without CUPTI's headers. Implementations: live.cpp (the library, opened at run time) and a fake in the
// tests. Threads: push and pop on the launching thread; the rest on any one thread at a time, unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace profiler {

// Why CUPTI cannot be used, and what to do about it.
struct Unavailable {
  std::string reason, remedy;
};

enum class CuptiFault : std::uint8_t {
  none,
  missing_symbol,     // the library has no such function
  second_subscriber,  // another tool holds this process's only subscription
  no_privilege,       // this user may not profile
  hardware_busy,      // another client has the counters
  unsupported_device,
  no_driver,  // CUPTI could not initialise: no driver, no device
  out_of_memory,
  other,
};

struct CuptiResult {
  CuptiFault fault = CuptiFault::none;
  int code = 0;  // CUPTI's own
  bool ok() const { return fault == CuptiFault::none; }
};

// api_calls: the CUDA calls that issue work. CUPTI links an external id only to calls that are recorded.
enum class ActivityKind : std::uint8_t { kernel, memcpy, memset, external_correlation, api_calls, overhead };

// What the profiler uses of one activity record. `name` is valid only while the record's buffer is.
struct ActivityRecord {
  enum class Type : std::uint8_t { kernel, memcpy, memset, correlation, api_call, overhead, unknown };
  Type type = Type::unknown;
  std::uint64_t start = 0, end = 0;  // CUPTI's clock, ns
  std::uint32_t correlation = 0;     // ties work, the API call that issued it, and an external id together
  std::uint64_t external = 0;        // Type::correlation: the id that was pushed
  const char* name = nullptr;        // Type::kernel: mangled
  std::uint64_t graph_node = 0;      // of work in a CUDA graph: the node's id; 0: none
};

// What CUPTI's two buffer callbacks do: called on any thread, inside CUDA calls. Nothing in them may block, allocate,
// throw or call CUDA.
class BufferExchange {
 public:
  virtual ~BufferExchange() = default;
  virtual std::uint8_t* request(std::size_t& bytes) noexcept = 0;  // null: none left, CUPTI drops and counts
  virtual void complete(std::uint8_t* buffer, std::size_t valid_bytes) noexcept = 0;
};

// What CUPTI's graph callback does, inside the call that makes a graph executable: the same rules.
class CloneSink {
 public:
  virtual ~CloneSink() = default;
  virtual void cloned(std::uint64_t original, std::uint64_t clone) noexcept = 0;
};

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void add(const ActivityRecord& record) = 0;
};

class CuptiApi {
 public:
  virtual ~CuptiApi() = default;
  virtual std::string path() const = 0;
  virtual CuptiResult version(std::uint32_t& version) = 0;
  virtual std::uint32_t minimum_version() const = 0;  // the oldest whose records we read correctly
  virtual CuptiResult subscribe() = 0;
  virtual CuptiResult unsubscribe() = 0;
  virtual CuptiResult exchange_buffers(BufferExchange& exchange) = 0;  // must outlive every later call
  virtual CuptiResult enable(ActivityKind kind) = 0;
  virtual CuptiResult disable(ActivityKind kind) = 0;
  // Hands finished buffers over before it returns; `forced` also those with unfinished records. Any thread.
  virtual CuptiResult flush(bool forced) = 0;
  // Records dropped since the last call. Any thread.
  virtual CuptiResult dropped(std::uint64_t& count) = 0;
  virtual CuptiResult push(std::uint64_t external) = 0;
  virtual CuptiResult pop() = 0;
  // From now on every node that CUDA copies into an executable graph is told, by id; records carry the copy's. The sink
  // must outlive every later call.
  virtual CuptiResult watch_graphs(CloneSink& sink) = 0;
  // The id of a cudaGraphNode_t. Any thread.
  virtual CuptiResult graph_node_id(const void* node, std::uint64_t& id) = 0;
  virtual CuptiResult timestamp(std::uint64_t& now) = 0;  // any thread
  // Walks the records of a buffer that came back.
  virtual CuptiResult read(std::uint8_t* buffer, std::size_t valid_bytes, RecordSink& sink) = 0;
  virtual std::string describe(const CuptiResult& result) const = 0;  // e.g. "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES"
};

}  // namespace profiler
