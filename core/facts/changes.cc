#include "core/facts/changes.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/facts/load_level.h"
#include "core/facts/statistics.h"

namespace plumb::facts {
namespace {

constexpr double kShortestStretch = 30;  // seconds
constexpr int64_t kMostParts = 60;
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr double kMebibyte = 1048576;

constexpr LeastEffect kLatency = {.share = 0.25, .amount = 0.002};
// A twentieth of many requests, or all of a few, are still what chance makes of a tail.
constexpr ChangeMeasure kMeasures[] = {
    {"latency.p50", "seconds", "p50", kLatency, 20},
    {"latency.p95", "seconds", "p95", kLatency, 100},
    {"requests.rate", "requests/s", "throughput", {.share = 0.1}, 20},
    {"requests.error_rate", "ratio", "the share of failed requests", {.amount = 0.01}, 100},
    {"target_resident_bytes",
     "bytes",
     "the application's memory",
     {.share = 0.2, .amount = 16 * kMebibyte, .may_settle = true},
     0},
    {"target_descriptors",
     "1",
     "the number of the application's descriptors",
     {.share = 0.2, .amount = 8, .may_settle = true},
     0},
    {"target_threads",
     "1",
     "the number of the application's threads",
     {.share = 0.2, .amount = 4, .may_settle = true},
     0},
    {"pg_client_connections",
     "connections",
     "the number of database connections",
     {.share = 0.2, .amount = 4, .may_settle = true},
     0},
    {"pg_busy_connections",
     "connections",
     "the number of busy database connections",
     {.share = 0.2, .amount = 2, .may_settle = true},
     0},
};

// Values of parts, without those of which nothing is known.
struct Parts {
  std::vector<double> values;
  std::vector<int64_t> starts_ns;

  void add(double value, int64_t start_ns) {
    values.push_back(value);
    starts_ns.push_back(start_ns);
  }
};

// A stretch in parts of whole seconds, as long as the intervals that the load is recorded in; what
// is left at its end belongs to none.
struct Division {
  int64_t start_ns = 0;
  int64_t part_ns = kSecondNs;
  size_t count = 0;

  explicit Division(const Window& stretch) : start_ns(stretch.start_ns) {
    const int64_t seconds = (stretch.end_ns - stretch.start_ns) / kSecondNs;
    const int64_t each = (seconds + kMostParts - 1) / kMostParts;
    part_ns = each * kSecondNs;
    count = static_cast<size_t>(seconds / each);
  }
  std::optional<size_t> part_of(int64_t time_ns) const {
    if (time_ns < start_ns) return std::nullopt;
    const auto part = static_cast<size_t>((time_ns - start_ns) / part_ns);
    return part < count ? std::optional(part) : std::nullopt;
  }
  int64_t start_of(size_t part) const { return start_ns + static_cast<int64_t>(part) * part_ns; }
  double seconds() const { return static_cast<double>(part_ns) / 1e9; }
};

// What came of the requests of one part.
struct Requests {
  Histogram ok;  // in nanoseconds
  double failed = 0;
  double all() const { return static_cast<double>(ok.count()) + failed; }
};

class RequestParts {
 public:
  RequestParts(const store::RunData& run, const Division& division)
      : division_(division), parts_(division.count) {
    for (const store::SeriesData& series : run.series) {
      if (series.info.name != "http_response_seconds") continue;
      source_ = series.info.plugin;
      const bool ok = label_of(series.info.labels, "outcome") == "ok";
      for (const HistogramRecord& record : series.histograms) {
        const auto part = division.part_of(middle_of(record));
        if (!part) continue;
        if (ok)
          (void)parts_[*part].ok.merge(record.histogram);
        else
          parts_[*part].failed += static_cast<double>(record.histogram.count());
      }
    }
    for (const Requests& part : parts_) total_ += part.all();
  }

  const std::string& source() const { return source_; }

  // Of as many parts together as have the requests that the measure needs.
  Parts values_of(const ChangeMeasure& measure) const {
    Parts out;
    if (total_ <= 0) return out;
    const double each = total_ / static_cast<double>(parts_.size());
    const double wanted = std::ceil(measure.least_requests / each);
    if (wanted > static_cast<double>(parts_.size())) return out;
    const size_t together = std::max<size_t>(1, static_cast<size_t>(wanted));
    for (size_t first = 0; first + together <= parts_.size(); first += together) {
      Requests group;
      for (size_t i = first; i < first + together; ++i) {
        (void)group.ok.merge(parts_[i].ok);
        group.failed += parts_[i].failed;
      }
      const double seconds = division_.seconds() * static_cast<double>(together);
      if (const auto value = value_of(measure, group, seconds))
        out.add(*value, division_.start_of(first));
    }
    return out;
  }

 private:
  static std::optional<double> value_of(const ChangeMeasure& measure, const Requests& group,
                                        double seconds) {
    if (measure.name == "requests.rate") return group.all() / seconds;
    if (measure.name == "requests.error_rate") {
      if (group.all() <= 0) return std::nullopt;
      return group.failed / group.all();
    }
    // Half of what is asked for on average is enough in one part: a service that stands still for a
    // moment answers few.
    if (static_cast<double>(group.ok.count()) < measure.least_requests / 2) return std::nullopt;
    return group.ok.quantile(measure.name == "latency.p95" ? 0.95 : 0.5).value_or(0) / 1e9;
  }

  const Division& division_;
  std::vector<Requests> parts_;
  std::string source_;
  double total_ = 0;
};

Parts means_of(const store::SeriesData& series, const Division& division) {
  std::vector<double> sums(division.count, 0);
  std::vector<double> counts(division.count, 0);
  const auto first =
      std::lower_bound(series.times_ns.begin(), series.times_ns.end(), division.start_ns);
  for (auto i = static_cast<size_t>(first - series.times_ns.begin()); i < series.times_ns.size();
       ++i) {
    const auto part = division.part_of(series.times_ns[i]);
    if (!part) break;
    sums[*part] += series.values[i];
    ++counts[*part];
  }
  Parts out;
  for (size_t i = 0; i < division.count; ++i)
    if (counts[i] > 0) out.add(sums[i] / counts[i], division.start_of(i));
  return out;
}

const store::SeriesData* find_gauge(const store::RunData& run, std::string_view name) {
  for (const store::SeriesData& series : run.series)
    if (series.info.name == name && series.info.labels.empty() &&
        series.info.kind == PLUMB_KIND_GAUGE)
      return &series;
  return nullptr;
}

class Changes {
 public:
  Changes(const store::RunData& run, const Window& stretch, FactSet& facts)
      : run_(run), stretch_(stretch), facts_(facts) {}

  void find() {
    const Division division(stretch_);
    const RequestParts requests(run_, division);
    for (const ChangeMeasure& measure : kMeasures) {
      if (measure.least_requests > 0) {
        look(measure, requests.values_of(measure), requests.source());
      } else if (const store::SeriesData* series = find_gauge(run_, measure.name)) {
        look(measure, means_of(*series, division), series->info.plugin);
      }
    }
  }

 private:
  void look(const ChangeMeasure& measure, const Parts& parts, const std::string& source) {
    const std::optional<Course> course = course_of(parts.values, measure.least);
    if (!course) return;
    const std::string unit(measure.unit);
    const Labels labels = {{"measure", std::string(measure.name)}};
    add("change.first", course->first, unit, labels, source);
    add("change.last", course->last, unit, labels, source);
    for (size_t i = 0; i < course->steps.size(); ++i) {
      const Step& step = course->steps[i];
      Labels of_step = labels;
      if (course->steps.size() > 1)
        of_step.insert(of_step.begin(), {"change", std::to_string(i + 1)});
      const int64_t at_ns = parts.starts_ns[step.part] - run_.header.started_ns;
      add("change.at", static_cast<double>(at_ns) / 1e9, "seconds", of_step, source);
      add("change.before", step.before, unit, of_step, source);
      add("change.after", step.after, unit, of_step, source);
    }
  }

  void add(const char* name, double value, const std::string& unit, const Labels& labels,
           const std::string& source) {
    facts_.add(stretch_, source, name, value, unit, labels);
  }

  const store::RunData& run_;
  const Window stretch_;
  FactSet& facts_;
};

}  // namespace

std::span<const ChangeMeasure> change_measures() { return kMeasures; }

const ChangeMeasure* find_change_measure(std::string_view name) {
  const auto* found = std::find_if(std::begin(kMeasures), std::end(kMeasures),
                                   [&](const ChangeMeasure& m) { return m.name == name; });
  return found == std::end(kMeasures) ? nullptr : found;
}

std::optional<Window> even_stretch(const store::RunData& run) {
  std::optional<Window> longest;
  std::optional<Window> here;
  for (const StageSpan& stage : judged_stages(run)) {
    const Window window{stage.start_ns, stage.end_ns};
    if (stage.kind != PLUMB_STAGE_STEADY || !is_even_load(run, window)) {
      here.reset();
      continue;
    }
    const bool goes_on =
        here && here->end_ns == window.start_ns && is_same_load(run, *here, window);
    here = Window{goes_on ? here->start_ns : window.start_ns, window.end_ns};
    if (!longest || here->seconds() > longest->seconds()) longest = here;
  }
  return longest && longest->seconds() >= kShortestStretch ? longest : std::nullopt;
}

void add_changes(const store::RunData& run, FactSet& facts) {
  if (const auto stretch = even_stretch(run)) Changes(run, *stretch, facts).find();
}

}  // namespace plumb::facts
