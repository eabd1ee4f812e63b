#include "cpu_work.h"

#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace shop {
namespace {

std::chrono::nanoseconds thread_cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::uint64_t fnv1a(std::uint64_t hash, const std::array<unsigned char, 16384>& data) {
  for (const unsigned char byte : data) hash = (hash ^ byte) * 1099511628211ULL;
  return hash;
}

}  // namespace

void burn_cpu(std::chrono::milliseconds amount) {
  static std::atomic<std::uint64_t> sink;  // keeps the work from being optimised away
  static const std::array<unsigned char, 16384> data{};
  const auto end = thread_cpu_time() + amount;
  std::uint64_t hash = 14695981039346656037ULL;
  while (thread_cpu_time() < end) hash = fnv1a(hash, data);
  sink.store(hash, std::memory_order_relaxed);
}

}  // namespace shop
