#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/base/number_text.h"
#include "core/diagnose/declared.h"
#include "core/diagnose/ledger.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

// Up to so many threads that work at an instant are one thread.
constexpr double kOneThread = 1.6;
// A thread that is runnable without a processor is full only where it mostly has one: else the
// processors are the matter.
constexpr double kMostlyRunning = 0.5;
constexpr double kWorthTelling = 0.02;

// Classes of pg_sessions in which a session works for a request.
constexpr std::array<const char*, 10> kBusyClasses = {
    "cpu",    "lock",  "lwlock", "commit", "io",
    "client", "sleep", "ipc",    "other",  "idle_in_transaction"};

// A connection counts as busy while the server works for it or its transaction is open. Samples
// miss backends that are runnable without a processor, so where the backends' own accounting says
// more than the samples called "cpu", it counts.
void add_pool(const FactSet& facts, std::vector<SerialResource>& out) {
  const Fact* connections = facts.find("pg_client_connections.mean");
  if (connections == nullptr || connections->value < 0.5) return;
  SerialResource pool{.key = "pool", .name = kPoolName, .servers = connections->value};
  double waiting = 0;
  double executing = 0;
  for (const char* name : kBusyClasses) {
    const Fact* sessions = facts.find("pg_sessions.mean", {{"class", name}});
    if (sessions == nullptr || sessions->value <= 0) continue;
    (std::string_view(name) == "cpu" ? executing : waiting) += sessions->value;
    pool.evidence.push_back(sessions->id);
  }
  double accounted = 0;
  for (const char* name :
       {"pg_backend_cpu_seconds_total.rate", "pg_backend_runqueue_seconds_total.rate"}) {
    const Fact* rate = facts.find(name);
    if (rate == nullptr) continue;
    accounted += rate->value;
    pool.evidence.push_back(rate->id);
  }
  const double busy = waiting + std::max(executing, accounted);
  if (busy <= 0) return;
  pool.evidence.push_back(connections->id);
  pool.utilisation = std::min(1.0, busy / connections->value);
  pool.arithmetic = grouped(std::min(busy, connections->value), 2) + " of " +
                    grouped(connections->value, 1) + " connections busy at an instant";
  out.push_back(std::move(pool));
}

// Processor time in a group that is often stopped for having used up its quota: true to its quota,
// such a group is full however idle the machine is.
void add_quota(const FactSet& facts, std::vector<SerialResource>& out) {
  const Fact* quota = facts.find("target_quota_processors.mean");
  const Fact* used = facts.find("target_cpu_seconds_total.rate");
  const Fact* periods = facts.find("target_periods_total.delta");
  const Fact* held = facts.find("target_throttled_periods_total.delta");
  if (quota == nullptr || used == nullptr || periods == nullptr || held == nullptr) return;
  if (quota->value <= 0 || periods->value <= 0) return;
  const double share = held->value / periods->value;
  if (share < kOftenThrottled) return;
  out.push_back({.key = "quota",
                 .name = kQuotaName,
                 .utilisation = std::min(1.0, used->value / quota->value),
                 .servers = quota->value,
                 .arithmetic = grouped(used->value, 2) + " of " + grouped(quota->value, 2) +
                               " processors used, stopped in " + ratio_text(share) +
                               " of all periods",
                 .evidence = {used->id, quota->id, held->id, periods->id}});
}

// One thread that is always on a processor, or runnable without one, while the process has no other
// busy thread: an event loop, or a worker that everything passes through. While a quota stops it,
// it is the quota that is full.
void add_main_thread(const FactSet& facts, std::vector<SerialResource>& out) {
  const Fact* busiest = facts.find("target_busiest_thread_ratio.mean");
  const Fact* runnable = facts.find("target_runnable_threads.mean");
  if (busiest == nullptr || (runnable != nullptr && runnable->value > kOneThread)) return;
  const double on_cpu = std::min(1.0, busiest->value);
  SerialResource thread{
      .key = "main_thread",
      .name = kMainThreadName,
      .utilisation = on_cpu,
      .arithmetic = "its busiest thread is on a processor " + ratio_text(on_cpu) + " of the time",
      .evidence = {busiest->id}};
  if (runnable != nullptr) {
    thread.evidence.push_back(runnable->id);
    // The only thread that works is the only one that waits for a processor.
    const Fact* queued = facts.find("target_runqueue_seconds_total.rate");
    const double waits = queued != nullptr ? std::clamp(queued->value, 0.0, 1 - on_cpu) : 0;
    if (waits >= kWorthTelling && on_cpu >= kMostlyRunning) {
      thread.utilisation += waits;
      thread.arithmetic += " and waits for one " + ratio_text(waits);
      thread.evidence.push_back(queued->id);
    }
  }
  out.push_back(std::move(thread));
}

// A full queue of connections that nobody has accepted: further ones are dropped and tried again by
// the kernel while the client takes them for open.
void add_accept_queues(const FactSet& facts, std::vector<SerialResource>& out) {
  const Fact* dropped = facts.find("host_tcp_listen_overflows_total.delta");
  if (dropped == nullptr || dropped->value <= 0) return;
  for (const Fact* queue : facts.all("target_accept_queue.mean")) {
    const Fact* limit = facts.find("target_accept_queue_limit.mean", queue->labels);
    if (limit == nullptr || limit->value <= 0) continue;
    out.push_back({.key = "accept",
                   .name = std::string(kAcceptName) + " (port " + label_values(queue->labels) + ")",
                   .labels = queue->labels,
                   .utilisation = std::min(1.0, queue->value / limit->value),
                   .servers = limit->value,
                   .arithmetic = grouped(queue->value, 1) + " of at most " + grouped(limit->value) +
                                 " connections in its queue, " + grouped(dropped->value) +
                                 " dropped",
                   .evidence = {queue->id, limit->id, dropped->id}});
  }
}

// A plugin may tell of a resource that is inferred here too, as an application does of the pool
// whose connections are seen at the database: that is one resource, and the fuller of the two
// speaks, under the key that rules read. False when none of the first `inferred` is it.
bool merged_with_inferred(const SerialResource& told, size_t inferred,
                          std::vector<SerialResource>& out) {
  for (size_t i = 0; i < inferred; ++i) {
    SerialResource& known = out[i];
    if (known.name != told.name) continue;
    known.evidence.insert(known.evidence.end(), told.evidence.begin(), told.evidence.end());
    if (told.utilisation > known.utilisation) {
      known.utilisation = told.utilisation;
      known.arithmetic = told.arithmetic;
    }
    return true;
  }
  return false;
}

void add_declared(const store::RunData& run, const FactSet& facts,
                  std::vector<SerialResource>& out) {
  const size_t inferred = out.size();
  std::map<std::string, int> told_of;
  for (const store::SeriesData& series : run.series) ++told_of[series.info.resource];
  for (const store::SeriesData& series : run.series) {
    if (series.info.resource.empty()) continue;
    const Fact* mean = facts.find(series.info.name + ".mean", series.info.labels);
    if (mean == nullptr) continue;
    const double share = std::clamp(mean->value, 0.0, 1.0);
    SerialResource told{.key = series.info.name,
                        .name = series.info.resource,
                        .labels = series.info.labels,
                        .utilisation = share,
                        .arithmetic = "in use " + ratio_text(share) + " of the time",
                        .evidence = {mean->id}};
    if (told.name == kPoolName) {
      told.key = "pool";
      told.servers = facts.value_or("app_pool_limit.mean", 1, series.info.labels);
    }
    if (merged_with_inferred(told, inferred, out)) continue;
    if (told_of[told.name] > 1 && !told.labels.empty())
      told.name += " (" + label_values(told.labels) + ")";
    out.push_back(std::move(told));
  }
}

}  // namespace

std::vector<SerialResource> serial_resources(const store::RunData& run, const FactSet& facts) {
  std::vector<SerialResource> out;
  add_pool(facts, out);
  add_quota(facts, out);
  const bool quota_full = std::any_of(out.begin(), out.end(), [](const SerialResource& resource) {
    return resource.key == "quota" && resource.utilisation >= kNearlyFull;
  });
  if (!quota_full) add_main_thread(facts, out);
  add_accept_queues(facts, out);
  add_declared(run, facts, out);
  std::stable_sort(out.begin(), out.end(), [](const SerialResource& a, const SerialResource& b) {
    return a.utilisation > b.utilisation;
  });
  return out;
}

}  // namespace plumb::diagnose
