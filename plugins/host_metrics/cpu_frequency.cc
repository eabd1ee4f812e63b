#include "plugins/host_metrics/cpu_frequency.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "plugins/proc/fields.h"

namespace plumb::host_metrics {

namespace {
constexpr int kMostAsked = 64;
constexpr uint64_t kMostKilohertz = 100'000'000;
}  // namespace

void CpuFrequency::find_files() {
  files_.emplace();
  for (int cpu = 0; cpu < kMostAsked; ++cpu) {
    std::string path =
        root_.sys + "/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq/scaling_cur_freq";
    if (::access(path.c_str(), R_OK) == 0) files_->emplace_back(std::move(path));
  }
}

std::optional<CpuFrequency::Reading> CpuFrequency::read() {
  if (!files_) find_files();
  Reading out;
  double sum = 0;
  int told = 0;
  for (proc::KeptFile& file : *files_) {
    const proc::Text text = file.read(buffer_);
    if (!text.ok()) continue;
    std::string_view rest = text.text;
    const auto kilohertz = proc::next_number(rest);
    if (!kilohertz || *kilohertz == 0 || *kilohertz > kMostKilohertz) continue;
    const double hertz = static_cast<double>(*kilohertz) * 1e3;
    out.least_hertz = told == 0 ? hertz : std::min(out.least_hertz, hertz);
    sum += hertz;
    ++told;
  }
  if (told == 0) return std::nullopt;
  out.mean_hertz = sum / told;
  return out;
}

}  // namespace plumb::host_metrics
