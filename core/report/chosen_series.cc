#include "core/report/chosen_series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace plumb::report {
namespace {

constexpr size_t kMostSeries = 40;
constexpr size_t kMostOfOneName = 6;

struct Known {
  std::string_view name;
  const char* title;
};
constexpr std::array<Known, 18> kKnown = {{
    {"pg_sessions", "PostgreSQL sessions by what they do"},
    {"pg_client_connections", "Connections to PostgreSQL"},
    {"pg_lock_waiters", "Sessions waiting for a lock"},
    {"pg_backend_cpu_seconds_total", "Processors used by PostgreSQL's backends"},
    {"sqlite_write_lock_ratio", "SQLite write lock held"},
    {"sqlite_waiters", "Threads waiting for SQLite's write lock"},
    {"sqlite_wal_bytes", "SQLite write-ahead log"},
    {"downstream_awaiting", "Requests awaiting an answer from downstream"},
    {"target_cpu_seconds_total", "Processors used by the target"},
    {"target_busiest_thread_ratio", "Busiest thread of the target"},
    {"target_runqueue_seconds_total", "Target's threads waiting for a processor"},
    {"target_disk_waiting", "Target's threads waiting for the disk"},
    {"target_resident_bytes", "Memory of the target"},
    {"host_cpu_busy_ratio", "Processors of the machine, busy"},
    {"host_runnable", "Runnable tasks on the machine"},
    {"others_cpu_seconds_total", "Processors used by everything else"},
    {"host_memory_available_bytes", "Memory available on the machine"},
    {"host_disk_busy_seconds_total", "Disk busy"},
}};

bool has_data(const store::SeriesData& series) {
  return series.info.kind != PLUMB_KIND_HISTOGRAM && !series.values.empty();
}

double size_of(const store::SeriesData& series) {
  double largest = 0;
  for (const double value : series.values) largest = std::max(largest, std::fabs(value));
  if (series.info.kind == PLUMB_KIND_COUNTER)
    largest = std::fabs(series.values.back() - series.values.front());
  return largest;
}

std::string shown_unit(const SeriesInfo& info) {
  if (info.kind != PLUMB_KIND_COUNTER) return info.unit;
  if (info.unit == "seconds")
    return info.name.rfind("host_disk_busy", 0) == 0 ? "ratio" : "seconds/s";
  return info.unit + "/s";
}

// Of many series of one name, those that ever differ from zero, the largest first.
void add_all_of(const store::RunData& run, std::string_view name, const std::string& title,
                std::vector<ChosenSeries>& out) {
  std::vector<ChosenSeries> found;
  for (const store::SeriesData& series : run.series)
    if (series.info.name == name && has_data(series))
      found.push_back({&series, title, shown_unit(series.info)});
  if (found.size() > 1) {
    std::erase_if(found, [](const ChosenSeries& s) { return size_of(*s.data) <= 0; });
    std::stable_sort(found.begin(), found.end(), [](const ChosenSeries& a, const ChosenSeries& b) {
      return size_of(*a.data) > size_of(*b.data);
    });
  }
  if (found.size() > kMostOfOneName) found.resize(kMostOfOneName);
  out.insert(out.end(), found.begin(), found.end());
}

bool is_chosen(const std::vector<ChosenSeries>& chosen, std::string_view name) {
  return std::any_of(chosen.begin(), chosen.end(),
                     [&](const ChosenSeries& s) { return s.data->info.name == name; });
}

bool is_known(std::string_view name) {
  return std::any_of(kKnown.begin(), kKnown.end(), [&](const Known& k) { return k.name == name; });
}

}  // namespace

std::vector<ChosenSeries> choose_series(const store::RunData& run) {
  std::vector<ChosenSeries> out;
  for (const Known& known : kKnown) add_all_of(run, known.name, known.title, out);
  for (const store::SeriesData& series : run.series) {
    const SeriesInfo& info = series.info;
    const bool telling = info.part == PLUMB_PART_UTILISATION ||
                         info.part == PLUMB_PART_SATURATION || !info.ledger_line.empty() ||
                         !info.resource.empty();
    const bool shipped = info.name.rfind("http_", 0) == 0 || info.name.rfind("host_", 0) == 0 ||
                         info.name.rfind("target_", 0) == 0 || info.name.rfind("pg_", 0) == 0 ||
                         info.name.rfind("sqlite_", 0) == 0 || info.name.rfind("plumb_", 0) == 0 ||
                         info.name.rfind("generator_", 0) == 0;
    if (!telling || shipped || is_known(info.name) || is_chosen(out, info.name)) continue;
    add_all_of(run, info.name, info.help.empty() ? info.name : info.help, out);
    if (out.size() >= kMostSeries) break;
  }
  if (out.size() > kMostSeries) out.resize(kMostSeries);
  return out;
}

}  // namespace plumb::report
