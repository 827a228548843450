// What device there is, and why there is none. Safe to call on a machine without a driver.
#pragma once

#include "kernels/device/error.h"

#include <cstddef>
#include <string>

namespace kernels {

struct DeviceInfo {
  std::string name;           // "NVIDIA H100 80GB HBM3"
  std::string pci_bus_id;     // "0000:1B:00.0": the device's name towards other libraries
  std::string driver;         // "580.159.04" where the system tells, else empty
  int driver_cuda = 0;        // newest CUDA version the driver supports: 13000 is 13.0
  int runtime_cuda = 0;       // the version this program was built with
  int major = 0, minor = 0;   // compute capability
  int code_architecture = 0;  // that the kernels in use were compiled for: 90 is 9.0
  int multiprocessors = 0;
  int clock_khz = 0;         // highest core clock; 0: not told
  int memory_clock_khz = 0;  // 0: not told
  int memory_bus_bits = 0;
  std::size_t memory_bytes = 0;  // total
  std::size_t l2_bytes = 0;
  std::size_t block_shared_bytes = 0;  // the most that a block can have
};

// Bytes of the device's memory that nobody uses; 0 where it cannot be asked.
std::size_t free_device_memory();

// Device 0 and whether this program holds code for it. The error says what is missing and what to do about it.
DeviceResult<DeviceInfo> query_device();

// The most fp32 operations a second: multiprocessors x lanes x 2 (a fused multiply-add is two) x the highest core clock.
// Lanes by compute capability as the CUDA C++ Programming Guide has them ("Arithmetic Instructions"). `words` says the
// product. 0 where a factor is not known.
double fp32_flops_per_second(const DeviceInfo& info, std::string& words);

// "driver 580.159.04 (CUDA 13.0), compute capability 9.0, 132 multiprocessors at 1980 MHz, 79.2 GiB, L2 50 MiB"
std::string describe(const DeviceInfo& info);

}  // namespace kernels
