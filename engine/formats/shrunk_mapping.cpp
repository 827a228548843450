#include "engine/formats/shrunk_mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

namespace engine {

namespace {

struct Slot {
  std::atomic<std::uintptr_t> begin{0};  // 0: free; 1: being filled
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> shrunk{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free, "the handler reads these");

std::array<Slot, 4096> slots;
std::uintptr_t page_bytes = 4096;
struct sigaction before_us {};

// Only calls of the system and atomics: it runs in the place of any instruction that reads a mapping.
void put_zeros(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const int kept_errno = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire), end = slot.end.load();
    if (begin <= 1 || address < begin || address >= end) continue;
    const std::uintptr_t page = address / page_bytes * page_bytes;
    void* zeros = ::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) break;
    slot.shrunk.store(true);
    errno = kept_errno;
    return;
  }
  ::sigaction(SIGBUS, &before_us, nullptr);  // the instruction runs again, and the fault goes where it did before
  errno = kept_errno;
}

void install() {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction ours {};
  ours.sa_sigaction = put_zeros;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  ::sigaction(SIGBUS, &ours, &before_us);
}

}  // namespace

int watch_mapping(const std::byte* data, std::size_t bytes) {
  static std::once_flag installed;
  std::call_once(installed, install);
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    std::uintptr_t free = 0;
    if (!slots[i].begin.compare_exchange_strong(free, 1)) continue;
    slots[i].end = (begin + bytes + page_bytes - 1) / page_bytes * page_bytes;
    slots[i].shrunk = false;
    slots[i].begin.store(begin, std::memory_order_release);
    return static_cast<int>(i);
  }
  return -1;
}

void forget_mapping(int slot) { slots[static_cast<std::size_t>(slot)].begin = 0; }

bool has_shrunk(int slot) { return slots[static_cast<std::size_t>(slot)].shrunk; }

}  // namespace engine
