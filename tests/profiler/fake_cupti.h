// CUPTI played from memory: says what the test told it to, keeps the order of the calls, and fills the profiler's own
// buffers with plain records.
#pragma once

#include "profiler/clock/steady.h"
#include "profiler/cupti/api.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fake {

using profiler::ActivityKind;
using profiler::ActivityRecord;
using profiler::CuptiFault;
using profiler::CuptiResult;

// Shared by the test and the api that the session owns.
struct Script {
  std::mutex mutex;
  std::vector<std::string> calls;
  std::map<std::string, CuptiFault> faults;  // by call name
  std::vector<ActivityRecord> pending;       // delivered by the next flush
  std::vector<std::uint64_t> stack;          // pushed external ids
  std::uint32_t next_correlation = 1;
  std::uint64_t now = 1000;    // what the clock answers
  bool now_is_steady = false;  // it answers the steady clock instead
  std::uint64_t dropped = 0;
  profiler::CloneSink* clones = nullptr;  // what a graph made executable tells
  std::uint32_t version = 130001, minimum = 130000;

  CuptiResult answer(const std::string& call) {
    const std::lock_guard lock(mutex);
    calls.push_back(call);
    const auto fault = faults.find(call);
    return fault == faults.end() ? CuptiResult{} : CuptiResult{fault->second, 99};
  }
  int count(const std::string& call) {
    const std::lock_guard lock(mutex);
    int found = 0;
    for (const std::string& made : calls) found += made == call ? 1 : 0;
    return found;
  }
  // What a launch inside the pushed tags leaves behind: work, and its link to the innermost tag.
  void launch(std::uint64_t start, std::uint64_t end, const char* name = "kernel", bool link_first = true) {
    const std::lock_guard lock(mutex);
    ActivityRecord work;
    work.type = ActivityRecord::Type::kernel;
    work.start = start;
    work.end = end;
    work.correlation = next_correlation++;
    work.name = name;
    if (!link_first) pending.push_back(work);
    if (!stack.empty()) {
      ActivityRecord link;
      link.type = ActivityRecord::Type::correlation;
      link.correlation = work.correlation;
      link.external = stack.back();
      pending.push_back(link);
    }
    if (link_first) pending.push_back(work);
  }
};

// What one launch of a graph leaves behind: work of each node, all under one correlation.
inline void launch_graph(Script& script, const std::vector<std::uint64_t>& nodes, std::uint64_t start) {
  const std::lock_guard lock(script.mutex);
  const std::uint32_t correlation = script.next_correlation++;
  for (const std::uint64_t node : nodes) {
    ActivityRecord work;
    work.type = ActivityRecord::Type::kernel;
    work.start = start;
    work.end = start + 10;
    start += 10;
    work.correlation = correlation;
    work.name = "kernel";
    work.graph_node = node;
    script.pending.push_back(work);
  }
  if (script.stack.empty()) return;
  ActivityRecord link;
  link.type = ActivityRecord::Type::correlation;
  link.correlation = correlation;
  link.external = script.stack.back();
  script.pending.push_back(link);
}

class Cupti : public profiler::CuptiApi {
 public:
  explicit Cupti(Script& script) : script_(script) {}

  std::string path() const override { return "/fake/libcupti.so"; }
  CuptiResult version(std::uint32_t& version) override {
    version = script_.version;
    return script_.answer("version");
  }
  std::uint32_t minimum_version() const override { return script_.minimum; }
  CuptiResult subscribe() override { return script_.answer("subscribe"); }
  CuptiResult unsubscribe() override { return script_.answer("unsubscribe"); }
  CuptiResult exchange_buffers(profiler::BufferExchange& exchange) override {
    exchange_ = &exchange;
    return script_.answer("exchange_buffers");
  }
  CuptiResult enable(ActivityKind kind) override {
    return script_.answer("enable " + std::to_string(static_cast<int>(kind)));
  }
  CuptiResult disable(ActivityKind kind) override {
    return script_.answer("disable " + std::to_string(static_cast<int>(kind)));
  }
  CuptiResult flush(bool forced) override {
    const CuptiResult result = script_.answer(forced ? "flush forced" : "flush");
    if (!result.ok()) return result;
    const std::lock_guard lock(script_.mutex);
    std::size_t next = 0;
    while (next < script_.pending.size()) {
      std::size_t bytes = 0;
      std::uint8_t* buffer = exchange_->request(bytes);
      if (buffer == nullptr) {
        script_.dropped += script_.pending.size() - next;
        break;
      }
      const std::size_t records = std::min(bytes / sizeof(ActivityRecord), script_.pending.size() - next);
      std::memcpy(buffer, script_.pending.data() + next, records * sizeof(ActivityRecord));
      exchange_->complete(buffer, records * sizeof(ActivityRecord));
      next += records;
    }
    script_.pending.clear();
    return result;
  }
  CuptiResult dropped(std::uint64_t& count) override {
    const CuptiResult result = script_.answer("dropped");
    const std::lock_guard lock(script_.mutex);
    count = script_.dropped;
    script_.dropped = 0;
    return result;
  }
  CuptiResult push(std::uint64_t external) override {
    const CuptiResult result = script_.answer("push");
    const std::lock_guard lock(script_.mutex);
    if (result.ok()) script_.stack.push_back(external);
    return result;
  }
  CuptiResult pop() override {
    const CuptiResult result = script_.answer("pop");
    const std::lock_guard lock(script_.mutex);
    if (result.ok() && !script_.stack.empty()) script_.stack.pop_back();
    return result;
  }
  CuptiResult watch_graphs(profiler::CloneSink& sink) override {
    script_.clones = &sink;
    return script_.answer("watch_graphs");
  }
  // A node's id is the number in the place of its handle.
  CuptiResult graph_node_id(const void* node, std::uint64_t& id) override {
    id = *static_cast<const std::uint64_t*>(node);
    return script_.answer("graph_node_id");
  }
  CuptiResult timestamp(std::uint64_t& now) override {
    const CuptiResult result = script_.answer("timestamp");
    const std::lock_guard lock(script_.mutex);
    now = script_.now_is_steady ? static_cast<std::uint64_t>(profiler::steady_now_ns()) : script_.now;
    return result;
  }
  CuptiResult read(std::uint8_t* buffer, std::size_t valid_bytes, profiler::RecordSink& sink) override {
    for (std::size_t at = 0; at + sizeof(ActivityRecord) <= valid_bytes; at += sizeof(ActivityRecord)) {
      ActivityRecord record;
      std::memcpy(&record, buffer + at, sizeof record);
      sink.add(record);
    }
    return script_.answer("read");
  }
  std::string describe(const CuptiResult& result) const override {
    return "FAKE_" + std::to_string(static_cast<int>(result.fault));
  }

 private:
  Script& script_;
  profiler::BufferExchange* exchange_ = nullptr;
};

}  // namespace fake
