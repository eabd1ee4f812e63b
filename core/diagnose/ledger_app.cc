#include <algorithm>
#include <set>

#include "core/base/number_text.h"
#include "core/diagnose/ledger.h"
#include "core/diagnose/ledger_entry.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

// Below this a processor is to be had for who may use it.
constexpr double kProcessorsFree = 0.85;
// Two counts of the same, each by its own clock and looks.
constexpr double kAsMany = 1.25;
constexpr const char* kStolenLabel = "while the hypervisor kept the processors";

void keep_id(Entry& entry, const Fact* fact) {
  if (fact != nullptr) entry.evidence.push_back(fact->id);
}

double value_of(const Fact* fact) { return fact != nullptr ? fact->value : 0; }

const Fact* beside(const FactSet& facts, const char* group) {
  return facts.find("target_runqueue_beside_seconds_total.per_request", {{"group", group}});
}

// Of the waiting for a processor, what the quota is to blame for. The kernel counts how long each
// processor was closed to the group, not how many threads waited for it meanwhile; where the quota
// binds in most periods and the machine has processors to spare, they would all have run.
double throttled_part(const FactSet& facts, double waiting, double stolen) {
  const double told = value_of(beside(facts, "quota"));
  const double periods = facts.value_or("target_periods_total.delta", 0);
  const double throttled = facts.value_or("target_throttled_periods_total.delta", 0);
  if (periods <= 0 || throttled < kOftenThrottled * periods)
    return std::clamp(told, 0.0, waiting - stolen);
  const bool free = facts.value_or("host_cpu_busy_ratio.mean", 1) < kProcessorsFree;
  const double closed = std::min(1.0, facts.value_or("target_throttled_seconds_total.rate", 0));
  const double at_least = free ? waiting : waiting * closed;
  return std::clamp(std::max(told, at_least), 0.0, waiting - stolen);
}

void add_processor(const FactSet& facts, std::vector<Entry>& out) {
  if (const Fact* cpu = facts.find("target_cpu_seconds_total.per_request"))
    out.push_back({"app.cpu", "app", "CPU", cpu->value, "", {cpu->id}});
  const Fact* waiting = facts.find("target_runqueue_seconds_total.per_request");
  if (waiting == nullptr) return;
  const Fact* steal = beside(facts, "steal");
  const double stolen = std::clamp(value_of(steal), 0.0, waiting->value);
  const double throttled = throttled_part(facts, waiting->value, stolen);
  Entry held{"app.throttled", "app", "held back by the quota of its cgroup",
             throttled,       "",    {waiting->id}};
  keep_id(held, facts.find("target_throttled_seconds_total.delta"));
  keep_id(held, facts.find("target_throttled_periods_total.delta"));
  out.push_back(std::move(held));
  Entry kept{"app.stolen", "app", kStolenLabel, stolen, "", {waiting->id}};
  keep_id(kept, steal);
  out.push_back(std::move(kept));
  out.push_back({"app.runqueue",
                 "app",
                 "runnable, waiting for a CPU",
                 waiting->value - stolen - throttled,
                 "",
                 {waiting->id}});
}

// Delay accounting is exact where it is on; sampled thread states are there always, and count
// waiting for memory that comes from a disk too.
void add_disk_and_memory(const FactSet& facts, const PerRequest& per_request,
                         std::vector<Entry>& out) {
  const Fact* memory = facts.find("target_memory_delay_seconds_total.per_request");
  if (memory != nullptr)
    out.push_back({"app.memory", "app", "waiting for memory", memory->value, "", {memory->id}});
  const Fact* sampled = facts.find("target_disk_waiting.mean");
  const Fact* counted = facts.find("target_block_delay_seconds_total.per_request");
  if (sampled == nullptr && counted == nullptr) return;
  const double seen = sampled != nullptr ? per_request(sampled->value) - value_of(memory) : 0;
  Entry disk{"app.disk", "app", "waiting for the disk", std::max(seen, value_of(counted))};
  keep_id(disk, sampled);
  keep_id(disk, counted);
  out.push_back(std::move(disk));
}

void add_accept(const FactSet& facts, const PerRequest& per_request, std::vector<Entry>& out) {
  Entry accept{"app.accept", "app", "connected, not accepted yet", 0};
  for (const Fact* queue : facts.all("target_accept_queue.mean")) {
    accept.seconds += per_request(queue->value);
    accept.evidence.push_back(queue->id);
  }
  if (accept.seconds > 0) out.push_back(std::move(accept));
}

// The pools of the run towards a database, or towards other services.
std::set<Labels> pools_of(const store::RunData& run, uint32_t layer) {
  std::set<Labels> out;
  for (const store::SeriesData& series : run.series)
    if (series.info.name.starts_with("app_pool_") && series.info.layer == layer)
      out.insert(series.info.labels);
  return out;
}

Entry told_queue(const FactSet& facts, const PerRequest& per_request, const std::set<Labels>& pools,
                 const char* key, const char* label) {
  Entry out{key, "queue", label};
  for (const Labels& pool : pools) {
    const Fact* counted = facts.find("app_pool_wait_seconds_total.per_request", pool);
    const Fact* waiting = facts.find("app_pool_waiting.mean", pool);
    if (counted == nullptr && waiting == nullptr) continue;
    // A pool counts a wait when it is over, so the counter lacks those that are not.
    const double at_an_instant = waiting != nullptr ? per_request(waiting->value) : 0;
    out.seconds += std::max(value_of(counted), at_an_instant);
    keep_id(out, counted);
    keep_id(out, waiting);
    if (const Fact* used = facts.find("app_pool_utilisation_ratio.mean", pool)) {
      keep_id(out, used);
      if (waiting != nullptr)
        out.note = "the application counts " + grouped(waiting->value, 1) +
                   " waiting at an instant, with " + ratio_text(used->value) +
                   " of the connections lent out";
    }
  }
  return out;
}

}  // namespace

std::vector<Entry> app_lines(const FactSet& facts, const PerRequest& per_request) {
  std::vector<Entry> out;
  add_processor(facts, out);
  add_disk_and_memory(facts, per_request, out);
  add_accept(facts, per_request, out);
  return out;
}

std::vector<Entry> told_pool_lines(const store::RunData& run, const FactSet& facts,
                                   const PerRequest& per_request) {
  return {told_queue(facts, per_request, pools_of(run, PLUMB_LAYER_DATABASE), "queue.pool",
                     "for a pool connection"),
          told_queue(facts, per_request, pools_of(run, PLUMB_LAYER_DOWNSTREAM), "queue.peer_pool",
                     "for a connection to another service")};
}

std::vector<Entry> lock_lines(const FactSet& facts, double present) {
  const Fact* waiting = facts.find("profile_lock_wait_seconds_total.rate");
  const Fact* each = facts.find("profile_lock_wait_seconds_total.per_request");
  if (waiting == nullptr || each == nullptr) return {};
  if (waiting->value > kAsMany * present) return {};
  return {{"app.lock",
           "app",
           "waiting for its own locks",
           each->value,
           grouped(waiting->value, 1) + " threads waited for one at an instant",
           {each->id}}};
}

// No clock of a thread counts that, neither as work nor as waiting. The kernel counts it for each
// processor, so each second of work took as much longer as all work together did.
std::vector<Entry> theft_lines(const FactSet& facts, const std::vector<Entry>& entries) {
  double worked = 0;
  const Fact* stolen = nullptr;
  for (const Fact* mode : facts.all("host_cpu_seconds_total.rate")) {
    const std::string name = label_of(mode->labels, "mode");
    if (name == "steal") stolen = mode;
    if (name != "steal" && name != "idle" && name != "iowait") worked += mode->value;
  }
  if (stolen == nullptr || worked <= 0) return {};
  std::vector<Entry> out;
  for (const Entry& cpu : entries) {
    if (cpu.key != "app.cpu" && cpu.key != "database.cpu") continue;
    Entry entry{cpu.layer + ".stolen", cpu.layer, kStolenLabel,
                cpu.seconds * stolen->value / worked};
    entry.evidence = cpu.evidence;
    entry.evidence.push_back(stolen->id);
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Entry> holding_lines(const FactSet& facts, const PerRequest& per_request, double app,
                                 double peers) {
  std::vector<Entry> out;
  const Fact* idle = facts.find("pg_sessions.mean", {{"class", "idle_in_transaction"}});
  if (idle != nullptr) {
    out.push_back({"app.in_transaction",
                   "app",
                   "inside an open transaction, not at the database",
                   // Peers may be asked before or after it as well as inside.
                   per_request(idle->value) - app,
                   grouped(idle->value, 1) +
                       " transactions were open at an instant while the application did something "
                       "else",
                   {idle->id}});
    return out;
  }
  if (facts.find("pg_client_connections.mean") != nullptr) return out;
  Entry held{"database.unseen", "database", "holding a pool connection"};
  held.note = "what the database did meanwhile was not watched";
  for (const Fact* used : facts.all("app_pool_in_use.mean")) {
    held.seconds += per_request(used->value);
    held.evidence.push_back(used->id);
  }
  held.seconds -= app + peers;
  if (held.seconds > 0) out.push_back(std::move(held));
  return out;
}

}  // namespace plumb::diagnose
