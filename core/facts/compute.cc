#include <algorithm>
#include <map>
#include <string>

#include "core/facts/changes.h"
#include "core/facts/facts.h"
#include "core/facts/recovery.h"
#include "core/facts/statistics.h"
#include "core/facts/trend.h"

namespace plumb::facts {
namespace {

struct Quantile {
  const char* name;
  double q;
};
constexpr Quantile kQuantiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};

// Adds facts about one run and window, each with its source and unit.
class Computation {
 public:
  Computation(const store::RunData& run, const Window& window, const SeriesFilter& keep)
      : run_(run), window_(window), keep_(keep) {}

  FactSet compute() {
    add("window.seconds", window_.seconds(), "seconds", {}, "engine");
    add_requests();
    for (const store::SeriesData& series : run_.series)
      if (!keep_ || keep_(series.info)) add_series(series);
    return std::move(facts_);
  }

 private:
  void add(const std::string& name, double value, const std::string& unit, const Labels& labels,
           const std::string& source, const std::string& help = {}) {
    facts_.add(window_, source, name, value, unit, labels, help);
  }

  // `scale` turns what the histogram counts into `unit`.
  void add_histogram(const std::string& name, const Histogram& h, double scale,
                     const std::string& unit, const Labels& labels, const std::string& source) {
    add(name + ".mean", h.mean().value_or(0) * scale, unit, labels, source);
    for (const Quantile& quantile : kQuantiles)
      add(name + "." + quantile.name, h.quantile(quantile.q).value_or(0) * scale, unit, labels,
          source);
    add(name + ".max", static_cast<double>(h.maximum()) * scale, unit, labels, source);
  }

  void add_series(const store::SeriesData& series) {
    const SeriesInfo& info = series.info;
    const auto put = [&](const char* statistic, double value, const std::string& unit) {
      add(info.name + statistic, value, unit, info.labels, info.plugin, info.help);
    };
    if (info.kind == PLUMB_KIND_COUNTER) {
      const auto growth = counter_growth(series, window_);
      if (!growth) return;
      put(".delta", *growth, info.unit);
      put(".rate", *growth / window_.seconds(),
          info.unit == "seconds" ? "seconds/s" : info.unit + "/s");
      if (requests_ > 0) put(".per_request", *growth / requests_, info.unit);
    } else if (info.kind == PLUMB_KIND_GAUGE) {
      const auto gauge = gauge_statistics(series, window_);
      if (!gauge) return;
      put(".mean", gauge->mean, info.unit);
      put(".min", gauge->minimum, info.unit);
      put(".max", gauge->maximum, info.unit);
      put(".p95", gauge->p95, info.unit);
      put(".last", gauge->last, info.unit);
      if (gauge->slope) put(".slope", *gauge->slope, info.unit + "/s");
      const Window later{(window_.start_ns + window_.end_ns) / 2, window_.end_ns};
      const auto half = gauge_statistics(series, later);
      if (half && half->slope) put(".late_slope", *half->slope, info.unit + "/s");
      const auto tau = kendall_tau(thinned(series.times_ns, series.values, window_));
      if (tau) put(".tau", *tau, "1");
    } else if (info.kind == PLUMB_KIND_HISTOGRAM) {
      const auto h = merged_histogram(series, window_);
      if (!h) return;
      const bool seconds = info.unit == "seconds";
      put(".count", static_cast<double>(h->count()), "1");
      add_histogram(info.name, *h, seconds ? 1e-9 : 1.0, info.unit, info.labels, info.plugin);
    }
  }

  // All response (or service) histograms of one outcome, merged over endpoints and by endpoint.
  struct ByEndpoint {
    std::optional<Histogram> all;
    std::map<std::string, Histogram> each;
    double count() const { return all ? static_cast<double>(all->count()) : 0; }
    double count(const std::string& endpoint) const {
      const auto found = each.find(endpoint);
      return found == each.end() ? 0 : static_cast<double>(found->second.count());
    }
  };

  ByEndpoint merged(std::string_view name, std::string_view outcome) const {
    ByEndpoint out;
    for (const store::SeriesData& series : run_.series) {
      if (series.info.name != name || label_of(series.info.labels, "outcome") != outcome) continue;
      const auto h = merged_histogram(series, window_);
      if (!h) continue;
      merge_into(out.all, *h);
      const std::string endpoint = label_of(series.info.labels, "endpoint");
      auto [slot, inserted] = out.each.try_emplace(endpoint, *h);
      if (!inserted) (void)slot->second.merge(*h);
    }
    return out;
  }

  static void merge_into(std::optional<Histogram>& into, const Histogram& h) {
    if (into)
      (void)into->merge(h);
    else
      into = h;
  }

  static double seconds_in(const std::optional<Histogram>& h) {
    return h ? static_cast<double>(h->sum()) / 1e9 : 0;
  }

  // How many requests ended with each value of that label, over all endpoints.
  void add_ends(const std::string& fact, const char* label) {
    std::map<std::string, double> ends;
    for (const store::SeriesData& series : run_.series) {
      if (series.info.name != "http_requests_total") continue;
      const std::string value = label_of(series.info.labels, label);
      if (value.empty()) continue;
      if (const auto growth = counter_growth(series, window_)) ends[value] += *growth;
    }
    for (const auto& [value, count] : ends)
      add(fact, count, "requests", {{label, value}}, "http_load");
  }

  std::optional<double> growth_of(std::string_view name) const {
    std::optional<double> total;
    for (const store::SeriesData& series : run_.series) {
      if (series.info.name != name) continue;
      if (const auto growth = counter_growth(series, window_)) total = total.value_or(0) + *growth;
    }
    return total;
  }

  std::optional<double> mean_of(std::string_view name) const {
    for (const store::SeriesData& series : run_.series)
      if (series.info.name == name)
        if (const auto gauge = gauge_statistics(series, window_)) return gauge->mean;
    return std::nullopt;
  }

  void add_requests() {
    const ByEndpoint ok = merged("http_response_seconds", "ok");
    const ByEndpoint failed = merged("http_response_seconds", "failed");
    requests_ = ok.count() + failed.count();
    const std::string source = load_source();
    const auto add_counts = [&](double good, double bad, const Labels& labels) {
      const double total = good + bad;
      add("requests.count", total, "requests", labels, source);
      add("requests.rate", total / window_.seconds(), "requests/s", labels, source);
      add("requests.failed", bad, "requests", labels, source);
      if (total > 0) add("requests.error_rate", bad / total, "ratio", labels, source);
    };
    if (has_load()) add_counts(ok.count(), failed.count(), {});
    const ByEndpoint service = merged("http_service_seconds", "ok");
    if (ok.all) add_histogram("latency", *ok.all, 1e-9, "seconds", {}, source);
    if (service.all) add_histogram("service", *service.all, 1e-9, "seconds", {}, source);
    std::map<std::string, bool> endpoints;
    for (const auto& [endpoint, h] : ok.each) endpoints[endpoint] = true;
    for (const auto& [endpoint, h] : failed.each) endpoints[endpoint] = true;
    for (const auto& [endpoint, present] : endpoints) {
      const Labels labels = {{"endpoint", endpoint}};
      add_counts(ok.count(endpoint), failed.count(endpoint), labels);
      if (const auto found = ok.each.find(endpoint); found != ok.each.end())
        add_histogram("latency", found->second, 1e-9, "seconds", labels, source);
    }
    add_phases(ok, source);
    const ByEndpoint failed_service = merged("http_service_seconds", "failed");
    if (service.all || failed_service.all)
      add("requests.served_concurrency",
          (seconds_in(service.all) + seconds_in(failed_service.all)) / window_.seconds(),
          "requests", {}, source);
    add_ends("requests.status", "status");
    add_ends("requests.error", "error");
    const auto add_growth = [&](const char* fact, const char* series) {
      if (const auto growth = growth_of(series)) add(fact, *growth, "requests", {}, source);
    };
    add_growth("requests.scheduled", "http_scheduled_total");
    add_growth("requests.started", "http_started_total");
    add_growth("requests.shed", "http_shed_total");
    if (const auto rate = mean_of("load_target_rate"))
      add("requests.offered_rate", *rate, "requests/s", {}, source);
    if (const auto in_flight = mean_of("http_in_flight"))
      add("requests.concurrency", *in_flight, "requests", {}, source);
  }

  // A load that another tool made is imported without its schedule.
  bool has_load() const {
    return std::any_of(run_.series.begin(), run_.series.end(), [](const store::SeriesData& s) {
      return s.info.name == "http_scheduled_total" || s.info.name == "http_response_seconds";
    });
  }

  // Who made the load.
  std::string load_source() const {
    for (const store::SeriesData& series : run_.series)
      if (series.info.name == "http_response_seconds") return series.info.plugin;
    return "http_load";
  }

  // A mean over the requests that succeeded, in all and by endpoint.
  void add_phases(const ByEndpoint& ok, const std::string& source) {
    if (ok.count() <= 0) return;
    std::map<std::string, std::optional<Histogram>> phases;
    std::map<std::pair<std::string, std::string>, double> seconds;  // by phase and endpoint
    for (const store::SeriesData& series : run_.series) {
      if (series.info.name != "http_phase_seconds") continue;
      const auto h = merged_histogram(series, window_);
      if (!h) continue;
      const std::string phase = label_of(series.info.labels, "phase");
      merge_into(phases[phase], *h);
      seconds[{phase, label_of(series.info.labels, "endpoint")}] +=
          static_cast<double>(h->sum()) / 1e9;
    }
    for (const auto& [phase, h] : phases) {
      add("phase." + phase, static_cast<double>(h->sum()) / 1e9 / ok.count(), "seconds", {},
          source);
      // What a mean hides: the generator's own part of what a request waits, and answers of which
      // only some stand still.
      if (phase == "lag" || phase == "queue" || phase == "transfer")
        add_histogram(phase, *h, 1e-9, "seconds", {}, source);
    }
    for (const auto& [where, sum] : seconds)
      if (const double count = ok.count(where.second); count > 0)
        add("phase." + where.first, sum / count, "seconds", {{"endpoint", where.second}}, source);
  }

  const store::RunData& run_;
  const Window window_;
  const SeriesFilter& keep_;
  double requests_ = 0;
  FactSet facts_;
};

}  // namespace

namespace {

// What is judged: steady stages and bursts; ramps only where there is nothing else.
bool is_judged(const StageSpan& stage, bool ramps) {
  if (ramps) return stage.kind == PLUMB_STAGE_RAMP;
  return stage.kind == PLUMB_STAGE_STEADY || stage.kind == PLUMB_STAGE_SPIKE;
}

// A run that was killed has stages as they were planned: only what was seen counts.
int64_t end_of(const store::RunData& run, const StageSpan& stage) {
  return run.state == store::RunState::kRunning && run.ended_ns > 0
             ? std::min(stage.end_ns, run.ended_ns)
             : stage.end_ns;
}

std::optional<Window> window_of(const store::RunData& run, bool ramps) {
  std::optional<Window> window;
  for (const StageSpan& stage : run.stages) {
    const int64_t end = end_of(run, stage);
    if (!is_judged(stage, ramps) || end <= stage.start_ns) continue;
    if (!window) {
      window = Window{stage.start_ns, end};
    } else {
      window->start_ns = std::min(window->start_ns, stage.start_ns);
      window->end_ns = std::max(window->end_ns, end);
    }
  }
  return window;
}

}  // namespace

std::optional<Window> steady_window(const store::RunData& run) {
  const auto window = window_of(run, false);
  return window ? window : window_of(run, true);
}

std::vector<Window> equal_parts(const Window& window, size_t most) {
  constexpr int64_t kShortestNs = 1'000'000'000;
  const int64_t whole = window.end_ns - window.start_ns;
  const int64_t count = std::min(static_cast<int64_t>(most), whole / kShortestNs);
  std::vector<Window> out;
  for (int64_t i = 0; i < count; ++i)
    out.push_back({window.start_ns + whole * i / count, window.start_ns + whole * (i + 1) / count});
  return out;
}

std::vector<StageSpan> judged_stages(const store::RunData& run) {
  std::vector<StageSpan> out;
  for (StageSpan stage : run.stages) {
    stage.end_ns = end_of(run, stage);
    if (stage.end_ns > stage.start_ns && (is_judged(stage, false) || is_judged(stage, true)))
      out.push_back(std::move(stage));
  }
  return out;
}

FactSet compute(const store::RunData& run, const Window& window, const SeriesFilter& keep) {
  return Computation(run, window, keep).compute();
}

namespace {

// What a tool had computed before its run was imported. Nothing computed here is replaced by it.
void add_told_facts(const store::RunData& run, const Window& window, FactSet& facts) {
  const auto told = run.documents.find("told_facts");
  if (told == run.documents.end() || !told->second.is_array()) return;
  for (const nlohmann::json& one : told->second) {
    if (!one.is_object() || !one.contains("value") || !one["value"].is_number()) continue;
    Fact fact;
    fact.name = one.value("name", "");
    fact.value = one["value"].get<double>();
    fact.unit = one.value("unit", "");
    fact.source = one.value("source", "");
    fact.start_ns = window.start_ns;
    fact.end_ns = window.end_ns;
    if (const auto labels = one.find("labels"); labels != one.end() && labels->is_object())
      for (const auto& [name, value] : labels->items())
        if (value.is_string()) fact.labels.emplace_back(name, value.get<std::string>());
    facts.add(std::move(fact));
  }
}

}  // namespace

FactSet compute(const store::RunData& run) {
  const std::optional<Window> window = steady_window(run);
  if (!window) return {};
  FactSet facts = compute(run, *window);
  add_told_facts(run, *window, facts);
  add_recovery(run, facts);
  add_changes(run, facts);
  return facts;
}

}  // namespace plumb::facts
