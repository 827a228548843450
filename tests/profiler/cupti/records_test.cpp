// Activity records as CUPTI lays them out, made in memory. Built only where CUPTI's headers are.
#include "profiler/cupti/records.h"

#include "profiler/cupti/library.h"
#include "profiler/cupti/live.h"

#include <cupti.h>

#include <doctest/doctest.h>

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using profiler::ActivityRecord;
using profiler::decode;
using Type = profiler::ActivityRecord::Type;

namespace {

CUpti_ActivityKernel10 kernel(std::uint64_t start, std::uint64_t end, std::uint32_t correlation, const char* name) {
  CUpti_ActivityKernel10 record{};
  record.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
  record.start = start;
  record.end = end;
  record.correlationId = correlation;
  record.name = name;
  return record;
}

CUpti_ActivityExternalCorrelation link(std::uint64_t external, std::uint32_t correlation,
                                       CUpti_ExternalCorrelationKind kind) {
  CUpti_ActivityExternalCorrelation record{};
  record.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
  record.externalKind = kind;
  record.externalId = external;
  record.correlationId = correlation;
  return record;
}

struct Sink : profiler::RecordSink {
  std::vector<ActivityRecord> records;
  void add(const ActivityRecord& record) override { records.push_back(record); }
};

template <class T>
void append(std::vector<std::uint64_t>& buffer, std::size_t& bytes, const T& record) {
  static_assert(sizeof(T) % 8 == 0);
  buffer.resize((bytes + sizeof record) / 8);
  std::memcpy(buffer.data() + bytes / 8, &record, sizeof record);
  bytes += sizeof record;
}

}  // namespace

TEST_CASE("the structures read are prefixes of the newest ones") {
  CHECK(offsetof(CUpti_ActivityKernel9, start) == offsetof(CUpti_ActivityKernel10, start));
  CHECK(offsetof(CUpti_ActivityKernel9, correlationId) == offsetof(CUpti_ActivityKernel10, correlationId));
  CHECK(offsetof(CUpti_ActivityKernel9, name) == offsetof(CUpti_ActivityKernel10, name));
  CHECK(offsetof(CUpti_ActivityKernel9, graphNodeId) == offsetof(CUpti_ActivityKernel10, graphNodeId));
  CHECK(offsetof(CUpti_ActivityMemcpy5, graphNodeId) == offsetof(CUpti_ActivityMemcpy6, graphNodeId));
  CHECK(offsetof(CUpti_ActivityMemcpy5, end) == offsetof(CUpti_ActivityMemcpy6, end));
  CHECK(offsetof(CUpti_ActivityMemcpy5, correlationId) == offsetof(CUpti_ActivityMemcpy6, correlationId));
  CHECK(offsetof(CUpti_ActivityOverhead2, end) == offsetof(CUpti_ActivityOverhead3, end));
}

TEST_CASE("each kind of record is read into plain values") {
  auto k = kernel(100, 180, 7, "_Z5scaleif");
  k.graphNodeId = 0x500000003U;
  const ActivityRecord from_kernel = decode(&k);
  CHECK(from_kernel.type == Type::kernel);
  CHECK(from_kernel.start == 100);
  CHECK(from_kernel.end == 180);
  CHECK(from_kernel.correlation == 7);
  CHECK(from_kernel.graph_node == 0x500000003U);
  CHECK(std::string(from_kernel.name) == "_Z5scaleif");

  CUpti_ActivityMemcpy6 copy{};
  copy.kind = CUPTI_ACTIVITY_KIND_MEMCPY;
  copy.start = 5;
  copy.end = 9;
  copy.correlationId = 8;
  copy.graphNodeId = 77;
  CHECK(decode(&copy).type == Type::memcpy);
  CHECK(decode(&copy).end == 9);
  CHECK(decode(&copy).correlation == 8);
  CHECK(decode(&copy).graph_node == 77);

  CUpti_ActivityMemset4 set{};
  set.kind = CUPTI_ACTIVITY_KIND_MEMSET;
  set.start = 11;
  set.end = 12;
  set.correlationId = 9;
  set.graphNodeId = 78;
  CHECK(decode(&set).type == Type::memset);
  CHECK(decode(&set).start == 11);
  CHECK(decode(&set).correlation == 9);
  CHECK(decode(&set).graph_node == 78);

  const auto own = link(0xfedcba9876543210U, 10, CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0);
  CHECK(decode(&own).type == Type::correlation);
  CHECK(decode(&own).external == 0xfedcba9876543210U);
  CHECK(decode(&own).correlation == 10);
  const auto foreign = link(1, 10, CUPTI_EXTERNAL_CORRELATION_KIND_OPENACC);
  CHECK(decode(&foreign).type == Type::unknown);

  CUpti_ActivityAPI api{};
  api.kind = CUPTI_ACTIVITY_KIND_RUNTIME;
  api.correlationId = 11;
  CHECK(decode(&api).type == Type::api_call);

  CUpti_ActivityOverhead3 overhead{};
  overhead.kind = CUPTI_ACTIVITY_KIND_OVERHEAD;
  overhead.start = 1;
  overhead.end = 4;
  CHECK(decode(&overhead).type == Type::overhead);
  CHECK(decode(&overhead).end == 4);

  CUpti_Activity other{};
  other.kind = CUPTI_ACTIVITY_KIND_NAME;
  CHECK(decode(&other).type == Type::unknown);
}

TEST_CASE("CUPTI's own walk over a buffer gives our records" * doctest::timeout(60)) {
  const auto library = profiler::open_cupti_library(profiler::cupti_candidates());
  if (!library) {
    MESSAGE("skipped: " << library.error().reason);
    return;
  }
  auto api = profiler::bind_cupti(library->path, [&](const char* name) { return dlsym(library->handle, name); });
  REQUIRE(api);
  std::uint32_t version = 0;
  REQUIRE((*api)->version(version).ok());
  CHECK(version > 0);

  std::vector<std::uint64_t> buffer;  // 8-byte aligned
  std::size_t bytes = 0;
  append(buffer, bytes, link(42, 1, CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0));
  append(buffer, bytes, kernel(10, 30, 1, "k"));
  append(buffer, bytes, kernel(30, 31, 2, nullptr));
  Sink sink;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  CHECK((*api)->read(reinterpret_cast<std::uint8_t*>(buffer.data()), bytes, sink).ok());
  REQUIRE(sink.records.size() == 3);
  CHECK(sink.records[0].external == 42);
  CHECK(sink.records[1].end == 30);
  CHECK(sink.records[2].name == nullptr);
  CHECK((*api)->read(reinterpret_cast<std::uint8_t*>(buffer.data()), 0, sink).ok());
}
