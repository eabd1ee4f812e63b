#include "plugins/host_metrics/block_devices.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <system_error>

namespace plumb::host_metrics {

namespace {
constexpr size_t kMostKnown = 1024;  // names come and go
}  // namespace

bool BlockDevices::is_disk(std::string_view name) {
  if (const auto at = known_.find(name); at != known_.end()) return at->second;
  if (known_.size() >= kMostKnown) known_.clear();
  return known_.emplace(name, ask(name)).first->second;
}

bool BlockDevices::ask(std::string_view name) const {
  for (const char* prefix : {"loop", "ram", "zram", "sr", "fd"}) {
    if (name.starts_with(prefix)) return false;
  }
  // Sysfs writes cciss/c0d0 as cciss!c0d0.
  std::string entry(name);
  std::replace(entry.begin(), entry.end(), '/', '!');
  const std::filesystem::path device = root_.sys + "/class/block/" + entry;
  std::error_code error;
  if (std::filesystem::exists(device / "partition", error)) return false;
  const bool alone = std::filesystem::is_empty(device / "slaves", error);
  return alone || error;
}

}  // namespace plumb::host_metrics
