#include "plugins/host_metrics/target_memory.h"

#include <algorithm>

#include "plugins/proc/fields.h"

namespace plumb::host_metrics {

namespace {
constexpr int64_t kPart = 5000;
constexpr int64_t kLeastNs = 1'900'000'000;
// Whom the pages are shared with, and what is in swap, may change while what is resident does not.
constexpr int64_t kAnywayNs = 30'000'000'000;
constexpr uint64_t kMostResident = uint64_t{1} << 30;
}  // namespace

std::optional<SharedMemory> parse_smaps_rollup(std::string_view text) {
  const auto proportional = proc::number_after(text, "Pss:");
  const auto swap = proc::number_after(text, "Swap:");
  constexpr uint64_t kMost = UINT64_MAX / 1024;
  if (!proportional || !swap || *proportional > kMost || *swap > kMost) return std::nullopt;
  return SharedMemory{*proportional * 1024, *swap * 1024};
}

TargetMemory::TargetMemory(proc::Root root) : root_(std::move(root)), pace_(kPart, kLeastNs) {}

void TargetMemory::update(int64_t now_ns, std::span<const ProcessUse> processes) {
  const ProcessUse* next = nullptr;
  uint64_t waited_since = UINT64_MAX;
  for (const ProcessUse& p : processes) {
    const auto known = known_.find(p.pid);
    const bool same = known != known_.end() && known->second.start_ticks == p.start_ticks;
    const uint64_t turn = same ? known->second.turn : 0;
    if (turn >= waited_since || p.resident_bytes > kMostResident) continue;
    const bool as_before = same && known->second.resident_bytes == p.resident_bytes;
    if (as_before && now_ns - known->second.read_ns < kAnywayNs) continue;
    waited_since = turn;
    next = &p;
  }
  std::erase_if(known_, [&](const auto& entry) {
    return std::none_of(processes.begin(), processes.end(),
                        [&](const ProcessUse& p) { return p.pid == entry.first; });
  });
  const Pace::Turn turn(pace_, now_ns);
  if (next == nullptr) return;
  const proc::Text text = buffer_.read(root_.of(next->pid, "smaps_rollup").c_str());
  known_[next->pid] = {next->start_ticks, ++turns_, next->resident_bytes, now_ns,
                       text.ok() ? parse_smaps_rollup(text.text) : std::nullopt};
}

std::optional<SharedMemory> TargetMemory::total(std::span<const ProcessUse> processes) const {
  SharedMemory sum;
  for (const ProcessUse& p : processes) {
    const auto known = known_.find(p.pid);
    if (known == known_.end() || known->second.start_ticks != p.start_ticks ||
        !known->second.memory) {
      return std::nullopt;
    }
    sum.proportional_bytes += known->second.memory->proportional_bytes;
    sum.swap_bytes += known->second.memory->swap_bytes;
  }
  if (processes.empty()) return std::nullopt;
  return sum;
}

}  // namespace plumb::host_metrics
