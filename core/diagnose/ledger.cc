#include "core/diagnose/ledger.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "core/base/number_text.h"
#include "core/diagnose/declared.h"
#include "core/diagnose/ledger_entry.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

// Below this a line is noise of the clock; it is left out and its share stays in the rest.
constexpr double kSmallestLine = 5e-7;  // seconds per request

// From so many requests in flight that never finish, and from such a share of all, they count.
constexpr double kFewestStuck = 1;
constexpr double kStuckShare = 0.2;
// From so many new sessions for each request on, starting them is worth a line.
constexpr double kOpensSessions = 0.1;
// From so wide an interval on, as a share of the figure, it is told.
constexpr double kDoubtWorthTelling = 0.15;

struct PhaseLine {
  const char* phase;
  const char* label;
};
constexpr std::array<PhaseLine, 7> kClientPhases = {{{"lag", "late start by the load generator"},
                                                     {"queue", "waiting for a free connection"},
                                                     {"dns", "name lookup"},
                                                     {"connect", "TCP connect"},
                                                     {"tls", "TLS handshake"},
                                                     {"send", "sending the request"},
                                                     {"transfer", "receiving the answer"}}};

struct WaitClass {
  const char* name;
  const char* label;
};
// What a PostgreSQL session waits for while it works; `cpu` is measured apart, `client` is the
// application's or the network's time.
constexpr std::array<WaitClass, 7> kDatabaseWaits = {{{"lock", "row and table locks"},
                                                      {"lwlock", "internal locks"},
                                                      {"commit", "WAL write and sync at commit"},
                                                      {"io", "reading and writing data files"},
                                                      {"sleep", "sleeping inside the query"},
                                                      {"ipc", "waiting for other processes"},
                                                      {"other", "other waits"}}};

// "the sum of 3: shop.db 12.0 ms, log.db 3.0 ms, ..."
std::string parts_text(std::vector<Part> parts) {
  constexpr size_t kMostTold = 4;
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.seconds > b.seconds; });
  std::string out = "the sum of " + std::to_string(parts.size()) + ":";
  for (size_t i = 0; i < std::min(parts.size(), kMostTold); ++i)
    out += (i == 0 ? " " : ", ") + label_values(parts[i].labels) + " " +
           seconds_text(parts[i].seconds);
  return out + (parts.size() > kMostTold ? ", ..." : "");
}

class Builder {
 public:
  Builder(const store::RunData& run, const facts::Window& window, FactSet& facts)
      : run_(run), window_(window), facts_(facts) {}

  Ledger build() {
    const Fact* latency = facts_.find("latency.mean");
    requests_ = facts_.value_or("requests.count", 0);
    if (latency == nullptr || requests_ <= 0 || latency->value <= 0) return {};
    total_ = latency->value;
    per_request_ = {window_.seconds(), requests_};
    add_what_never_finished();
    add_client();
    const size_t first_server_line = entries_.size();
    add_app();
    add_postgres();
    add_downstream();
    add_declared();
    for (Entry& entry : told_pool_lines(run_, facts_, per_request_)) add(std::move(entry));
    fit(first_server_line);
    name_the_rest();
    return finish(latency->id);
  }

 private:
  // A request that starves until the end of the stage has no response time, and a mean over those
  // that finished hides it: what is in flight beyond their rate times their service time was
  // waiting all the while.
  void add_what_never_finished() {
    const Fact* in_flight = facts_.find("requests.concurrency");
    const Fact* rate = facts_.find("requests.rate");
    const Fact* served = facts_.find("requests.served_concurrency");
    if (in_flight == nullptr || rate == nullptr || served == nullptr || rate->value <= 0) return;
    const double stuck = in_flight->value - served->value;
    if (stuck < kFewestStuck || stuck < kStuckShare * in_flight->value) return;
    fact("requests.stuck", stuck, "requests");
    total_ += stuck / rate->value;
    note_ = grouped(stuck, 1) + " of " + grouped(in_flight->value, 1) +
            " requests in flight did not finish while others did; their time is counted, " +
            seconds_text(total_) + " for each finished request, which itself took " +
            seconds_text(facts_.value_or("latency.mean", 0));
  }

  void add(Entry entry) {
    if (entry.seconds >= kSmallestLine) entries_.push_back(std::move(entry));
  }

  void add_client() {
    for (const PhaseLine& line : kClientPhases)
      if (const Fact* phase = facts_.find(std::string("phase.") + line.phase))
        add({std::string("client.") + line.phase,
             "client",
             line.label,
             phase->value,
             "",
             {phase->id}});
  }

  void add_app() {
    for (Entry& entry : app_lines(facts_, per_request_)) add(std::move(entry));
  }

  // Counters give magnitudes, samples give proportions. The processor part comes from the
  // backends' own accounting, which sees what a sampler on a starved host misses; the waits get
  // what the active time leaves beside it, or what the samples say where that is more.
  void add_postgres() {
    std::vector<std::pair<WaitClass, const Fact*>> waits;
    double sampled_waits = 0;
    for (const WaitClass& wait : kDatabaseWaits) {
      const Fact* mean = facts_.find("pg_sessions.mean", {{"class", wait.name}});
      if (mean == nullptr || mean->value <= 0) continue;
      waits.emplace_back(wait, mean);
      sampled_waits += per_request_(mean->value);
    }
    const Fact* sampled_cpu = facts_.find("pg_sessions.mean", {{"class", "cpu"}});
    const Fact* active = facts_.find("pg_active_seconds_total.per_request");
    const Fact* cpu = facts_.find("pg_backend_cpu_seconds_total.per_request");
    const Fact* queued = facts_.find("pg_backend_runqueue_seconds_total.per_request");
    if (cpu != nullptr) {
      add({"database.cpu", "database", "CPU of its backends", cpu->value, "", {cpu->id}});
      if (queued != nullptr)
        add({"database.runqueue",
             "database",
             "runnable, waiting for a CPU",
             queued->value,
             "",
             {queued->id}});
    } else if (sampled_cpu != nullptr) {
      add({"database.cpu",
           "database",
           "executing, waiting on nothing seen",
           per_request_(sampled_cpu->value),
           "from samples: a lower bound on a starved host",
           {sampled_cpu->id}});
    }
    if (sampled_waits <= 0) return;

    const double processor = cpu != nullptr ? cpu->value + (queued ? queued->value : 0)
                             : sampled_cpu  ? per_request_(sampled_cpu->value)
                                            : 0;
    const double counted_waits = active != nullptr ? active->value - processor : 0;
    const double magnitude = std::max(sampled_waits, counted_waits);
    std::string note;
    if (active != nullptr && std::fabs(counted_waits - sampled_waits) > 0.2 * magnitude)
      note = "active_time leaves " + seconds_text(std::max(counted_waits, 0.0)) +
             " for waits, samples say " + seconds_text(sampled_waits) + "; the larger is used";
    for (const auto& [wait, mean] : waits) {
      Entry entry{std::string("database.") + wait.name,
                  "database",
                  wait.label,
                  magnitude * per_request_(mean->value) / sampled_waits,
                  note,
                  {mean->id}};
      if (active != nullptr) entry.evidence.push_back(active->id);
      add(std::move(entry));
    }
  }

  // The addresses of the database that is watched: its time is told by itself.
  std::set<std::string> databases() const {
    std::set<std::string> out;
    for (const store::SeriesData& series : run_.series)
      if (series.info.name == "pg_server") out.insert(label_of(series.info.labels, "address"));
    return out;
  }

  void add_downstream() {
    const std::set<std::string> own = databases();
    for (const Fact* awaiting : facts_.all("downstream_awaiting.mean")) {
      const std::string peer = label_of(awaiting->labels, "peer");
      if (own.count(peer) != 0) continue;
      peers_.insert(peer);
      add({"downstream." + peer,
           "downstream",
           "waiting for " + peer,
           per_request_(awaiting->value),
           doubt_of(*awaiting),
           {awaiting->id}});
    }
  }

  // A session that is being started is in no statistic of the server; its connection awaits it all
  // the same. Without new sessions the difference is no more than the clock's doubt.
  void add_starting_sessions() {
    const Fact* opened = facts_.find("pg_sessions_total.per_request");
    if (opened == nullptr || opened->value < kOpensSessions) return;
    Entry starting{"database.session_start", "database", "starting new sessions"};
    const std::set<std::string> own = databases();
    for (const Fact* awaiting : facts_.all("downstream_awaiting.mean")) {
      if (own.count(label_of(awaiting->labels, "peer")) == 0) continue;
      starting.seconds += per_request_(awaiting->value);
      starting.note = doubt_of(*awaiting);
      starting.evidence.push_back(awaiting->id);
    }
    starting.seconds -= sum_of({"database"});
    starting.evidence.push_back(opened->id);
    add_within_rest({std::move(starting)});
  }

  // Beside what was stolen while threads waited, which has its line already.
  void add_hidden_theft() {
    std::vector<Entry> hidden = theft_lines(facts_, entries_);
    double all = 0;
    for (const Entry& entry : hidden) all += entry.seconds;
    if (all <= 0) return;
    const double room = std::min(1.0, rest() / all);
    for (Entry& entry : hidden) {
      entry.scale(room);
      if (Entry* known = entry_of(entry.key)) {
        known->seconds += entry.seconds;
        known->evidence.insert(known->evidence.end(), entry.evidence.begin(), entry.evidence.end());
      } else {
        add(std::move(entry));
      }
    }
  }

  Entry* entry_of(std::string_view key) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.key == key; });
    return found != entries_.end() ? &*found : nullptr;
  }

  // Where the kernel's clock is too coarse to tell whether a connection awaits a reply, the plugin
  // says between what the figure lies.
  std::string doubt_of(const Fact& awaiting) {
    const Fact* low = facts_.find("downstream_awaiting_low.mean", awaiting.labels);
    const Fact* high = facts_.find("downstream_awaiting_high.mean", awaiting.labels);
    if (low == nullptr || high == nullptr ||
        high->value - low->value <= kDoubtWorthTelling * awaiting.value)
      return {};
    return "between " + seconds_text(per_request_(low->value)) + " and " +
           seconds_text(per_request_(high->value)) + ": replies are quicker than the clock " +
           "that the kernel stamps connections with";
  }

  // Lines that plugins declare for themselves.
  void add_declared() {
    for (const DeclaredLine& line : declared_lines(run_, facts_)) {
      Entry entry{line.key, line.layer, line.label};
      for (const DeclaredPart& part : line.parts) {
        const double value = part.fact->value;
        const double seconds = part.per_request ? value : per_request_(value);
        entry.seconds += seconds;
        entry.evidence.push_back(part.fact->id);
        if (!part.fact->labels.empty()) entry.parts.push_back({part.fact->labels, seconds});
      }
      add_or_replace(std::move(entry));
    }
  }

  // Two sources that feed one line measured the same time: the larger speaks.
  void add_or_replace(Entry entry) {
    Entry* known = entry_of(entry.key);
    if (known == nullptr) return add(std::move(entry));
    const bool larger = entry.seconds > known->seconds;
    Entry& smaller = larger ? *known : entry;
    const std::string note = "also told as " + seconds_text(smaller.seconds) + " (" +
                             smaller.label + "); the larger is used";
    const std::vector<std::string> evidence = smaller.evidence;
    if (larger) *known = std::move(entry);
    known->note += (known->note.empty() ? "" : "; ") + note;
    known->evidence.insert(known->evidence.end(), evidence.begin(), evidence.end());
  }

  double sum(size_t from) const {
    double seconds = 0;
    for (size_t i = from; i < entries_.size(); ++i) seconds += entries_[i].seconds;
    return seconds;
  }

  // Work beside the request (background threads, parallel queries) and sampling error can make the
  // server's lines longer than the client waited: then they are shortened in proportion, and the
  // ledger says by how much they were too long.
  void fit(size_t first_server_line) {
    const double room = std::max(0.0, total_ - (sum(0) - sum(first_server_line)));
    const double server = sum(first_server_line);
    if (server <= room || server <= 0) return;
    overlap_ = server - room;
    for (size_t i = first_server_line; i < entries_.size(); ++i) entries_[i].scale(room / server);
  }

  void name_the_rest() {
    const std::vector<SerialResource> resources = serial_resources(run_, facts_);
    for (const SerialResource& resource : resources) {
      const Labels labels = {{"resource", resource.name}};
      fact("resource.utilisation", resource.utilisation, "ratio", labels);
      fact("resource.servers", resource.servers, "1", labels);
    }
    add_starting_sessions();
    add_hidden_theft();
    add_within_rest(lock_lines(facts_, present()));
    std::vector<const SerialResource*> full;
    for (const SerialResource& resource : resources)
      if (resource.utilisation >= kNearlyFull && !is_told("queue." + resource.key))
        full.push_back(&resource);
    if (full.size() == 1) add_queue(*full[0]);
    if (full.empty()) add_queue_by_chance(resources);
    if (full.size() > 1) {
      if (!note_.empty()) note_ += "; ";
      note_ += "more than one resource is nearly full (";
      for (size_t i = 0; i < full.size(); ++i) note_ += (i ? ", " : "") + full[i]->name;
      note_ += "), so what is left is not given to either";
    }
    add_within_rest(holding_lines(facts_, per_request_, sum_of({"app"}), sum_of({"downstream"})));
    unexplained_ = rest() < kSmallestLine ? 0 : rest();
  }

  // What may overlap with lines that were measured is no longer than what they leave.
  void add_within_rest(std::vector<Entry> entries) {
    for (Entry& entry : entries) {
      entry.seconds = std::min(entry.seconds, rest());
      add(std::move(entry));
    }
  }

  // Requests in flight at an instant, by the gauge or by those that ended, whichever is more.
  double present() const {
    return std::max(facts_.value_or("requests.concurrency", 0),
                    facts_.value_or("requests.served_concurrency", 0));
  }

  double rest() const { return std::max(0.0, total_ - sum(0)); }

  bool is_told(std::string_view key) { return entry_of(key) != nullptr; }

  double sum_of(const std::set<std::string>& layers) const {
    double seconds = 0;
    for (const Entry& entry : entries_)
      if (layers.count(entry.layer) != 0) seconds += entry.seconds;
    return seconds;
  }

  // Nobody waits for a resource but the requests in flight that do not have it, and no longer than
  // `most` seconds each where that is known.
  void add_queue(const SerialResource& resource, std::optional<double> most = {}) {
    Entry queue{"queue." + resource.key, "queue",          "for " + resource.name, rest(),
                resource.arithmetic,     resource.evidence};
    const Fact* in_flight = facts_.find("requests.concurrency");
    if (in_flight != nullptr) {
      const double waiting = std::max(0.0, present() - resource.busy());
      if (per_request_(waiting) < queue.seconds) {
        queue.seconds = per_request_(waiting);
        queue.note += "; of " + grouped(present(), 1) + " requests in flight " +
                      grouped(waiting, 1) + " can have waited for it";
        queue.evidence.push_back(in_flight->id);
      }
    }
    if (most && *most < queue.seconds) {
      queue.seconds = *most;
      queue.note += "; at most what requests at random would wait for it";
    }
    if (!resource.labels.empty()) queue.parts.push_back({resource.labels, queue.seconds});
    add(std::move(queue));
  }

  // Requests that come at random wait for a server that is not yet full: in the mean up to
  // utilisation / (1 - utilisation) times as long as it works for each (M/M/1).
  void add_queue_by_chance(const std::vector<SerialResource>& resources) {
    if (resources.empty()) return;
    const SerialResource& busiest = resources.front();
    const double busy = busiest.utilisation;
    if (busy < kOftenBusy || busiest.servers > 1 || is_told("queue." + busiest.key)) return;
    add_queue(busiest, per_request_(busiest.busy()) * busy / (1 - busy));
  }

  void fact(const std::string& name, double value, const std::string& unit,
            const Labels& labels = {}) {
    facts_.add(window_, "ledger", name, value, unit, labels);
  }

  // Peers are labels, and so is what tells the series of a line apart, so that one rule serves all
  // of them.
  void add_line_facts(const Entry& entry) {
    constexpr std::string_view kPeer = "downstream.";
    if (entry.key.starts_with(kPeer)) {
      fact("ledger.downstream", entry.seconds, "seconds",
           {{"peer", entry.key.substr(kPeer.size())}});
      return;
    }
    fact("ledger." + entry.key, entry.seconds, "seconds");
    for (const Part& part : entry.parts)
      fact("ledger." + entry.key, part.seconds, "seconds", part.labels);
  }

  Ledger finish(const std::string& latency_id) {
    Ledger ledger;
    ledger.total_ms = total_ * 1e3;
    ledger.requests = requests_;
    ledger.overlap_ms = overlap_ * 1e3;
    ledger.unexplained_ms = unexplained_ * 1e3;
    ledger.note = note_;
    fact("ledger.total", total_, "seconds");
    std::map<std::string, double> by_layer;
    for (Entry& entry : entries_) {
      add_line_facts(entry);
      by_layer[entry.layer] += entry.seconds;
      if (entry.parts.size() > 1)
        entry.note += (entry.note.empty() ? "" : "; ") + parts_text(std::move(entry.parts));
      ledger.lines.push_back({entry.key, entry.layer, entry.label, entry.seconds * 1e3, entry.note,
                              std::move(entry.evidence)});
    }
    // Peers that answer at once have no line, and are peers all the same.
    for (const std::string& peer : peers_)
      fact("ledger.downstream", 0, "seconds", {{"peer", peer}});
    for (const auto& [layer, seconds] : by_layer) fact("ledger.layer." + layer, seconds, "seconds");
    fact("ledger.unexplained", unexplained_, "seconds");
    fact("ledger.overlap", overlap_, "seconds");
    ledger.lines.push_back(
        {"unexplained", "unexplained", "", unexplained_ * 1e3, note_, {latency_id}});
    return ledger;
  }

  const store::RunData& run_;
  const facts::Window window_;
  FactSet& facts_;
  double requests_ = 0;
  PerRequest per_request_;
  double total_ = 0;
  double overlap_ = 0;
  double unexplained_ = 0;
  std::string note_;
  std::vector<Entry> entries_;
  std::set<std::string> peers_;  // that are called, but for databases
};

}  // namespace

double Ledger::ms_of(std::string_view key) const {
  double ms = 0;
  for (const LedgerLine& line : lines)
    if (line.key == key) ms += line.ms;
  return ms;
}

Ledger build_ledger(const store::RunData& run, const facts::Window& window, FactSet& facts) {
  return Builder(run, window, facts).build();
}

std::vector<EndpointLedger> endpoint_ledgers(const FactSet& facts) {
  std::vector<EndpointLedger> out;
  for (const Fact* latency : facts.all("latency.mean")) {
    if (latency->labels.empty()) continue;
    EndpointLedger ledger{.endpoint = label_of(latency->labels, "endpoint"),
                          .requests = facts.value_or("requests.count", 0, latency->labels),
                          .total_ms = latency->value * 1e3,
                          .lines = {}};
    double server = latency->value;
    const auto add = [&](std::string key, std::string layer, std::string label, double seconds,
                         const std::string& id) {
      if (seconds < kSmallestLine) return;
      ledger.lines.push_back({.key = std::move(key),
                              .layer = std::move(layer),
                              .label = std::move(label),
                              .ms = seconds * 1e3,
                              .note = {},
                              .evidence = {id}});
    };
    for (const PhaseLine& line : kClientPhases) {
      const Fact* phase = facts.find(std::string("phase.") + line.phase, latency->labels);
      if (phase == nullptr) continue;
      server -= phase->value;
      add(std::string("client.") + line.phase, "client", line.label, phase->value, phase->id);
    }
    add("server", "app", "waiting for the first byte", server, latency->id);
    out.push_back(std::move(ledger));
  }
  std::sort(out.begin(), out.end(), [](const EndpointLedger& a, const EndpointLedger& b) {
    return a.endpoint < b.endpoint;
  });
  return out;
}

}  // namespace plumb::diagnose
