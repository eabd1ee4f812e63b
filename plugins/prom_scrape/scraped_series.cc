#include "plugins/prom_scrape/scraped_series.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

constexpr size_t kMostBeyondNames = 5;
constexpr std::string_view kStartTime = "process_start_time_seconds";

// What tells series apart; no label holds the byte that divides the parts.
std::string identity_of(std::string_view name, MetricLabels labels) {
  std::sort(labels.begin(), labels.end());
  std::string out(name);
  for (const auto& [label, value] : labels)
    out.append(1, '\0').append(label).append(1, '\0').append(value);
  return out;
}

// Takes the label out of `labels` and returns its value.
std::optional<std::string> take_label(MetricLabels& labels, std::string_view name) {
  const auto at = std::find_if(labels.begin(), labels.end(),
                               [&](const auto& label) { return label.first == name; });
  if (at == labels.end()) return std::nullopt;
  std::string value = std::move(at->second);
  labels.erase(at);
  return value;
}

bool parse_bound(std::string_view text, double& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && at == text.data() + text.size() && !std::isnan(out);
}

// How a part of a metric is called that plumb keeps as a series of its own.
SeriesName part_name(const MetricFamily& family, bool counter, std::string_view suffix) {
  if (suffix.empty()) return series_name(family.name, counter, family.unit);
  SeriesName out = series_name(family.name, false, family.unit);
  out.name.append(suffix).append(counter ? "_total" : "");
  if (suffix.ends_with("count")) {
    out.unit = "1";
    out.scale = 1;
  }
  return out;
}

}  // namespace

ScrapedSeries::ScrapedSeries(SeriesOut& out, NameFilter filter, size_t max_series)
    : out_(out), filter_(std::move(filter)), max_series_(max_series), layer_facts_(out) {}

void ScrapedSeries::begin_page() {
  ++page_;
  unindexed_ = 0;
  new_lines_ = false;
  index_.begin_page();
}

void ScrapedSeries::on_type(std::string_view metric, MetricType type) {
  families_.set_type(metric, type);
}
void ScrapedSeries::on_help(std::string_view metric, std::string_view text) {
  families_.set_help(metric, text);
}
void ScrapedSeries::on_unit(std::string_view metric, std::string_view unit) {
  families_.set_unit(metric, unit);
}

const char* ScrapedSeries::on_sample(const ExpositionSample& sample) {
  std::optional<uint32_t> id = index_.find(sample.series);
  if (!id) {
    const bool full =
        index_.size() >= kMostLines || index_.bytes() + sample.series.size() > kMostLineBytes;
    if (full) {
      ++unindexed_;
      note_beyond(sample.name);
      return nullptr;
    }
    if (const char* problem = parse_labels(sample.labels, labels_)) return problem;
    id = add_line(sample);
  }
  Line& line = lines_[*id];
  if (line.page == page_) return "the page has this series already";
  line.page = page_;
  line.value = sample.value;
  return nullptr;
}

uint32_t ScrapedSeries::add_line(const ExpositionSample& sample) {
  const auto id = static_cast<uint32_t>(lines_.size());
  const auto [known, fresh] = by_identity_.emplace(identity_of(sample.name, labels_), id);
  index_.add(sample.series, known->second);
  if (!fresh) return known->second;
  lines_.emplace_back().born = page_;
  new_lines_ = true;
  decide(id, sample.name);
  return id;
}

void ScrapedSeries::decide(uint32_t id, std::string_view sample) {
  Line& line = lines_[id];
  line.standard = layer_facts_.recognise(sample, labels_);
  if (sample == kStartTime && start_line_ == kNone) start_line_ = id;
  const auto place = families_.place(sample);
  if (!place) {
    ++beyond_;
    return note_beyond(sample);
  }
  line.family = place->family;
  const MetricFamily& family = families_.at(line.family);
  if (!filter_.keeps(family.name)) return leave_out(line.family, "not asked for");
  const bool histogram = family.type == MetricType::kHistogram;
  const auto join = [&] { return line.group = group_of(line.family, labels_); };
  switch (place->part) {
    case SamplePart::kTotal:
      join();
      return keep_counter(line, "", labels_);
    case SamplePart::kCreated:
      join();
      line.role = Role::kCreated;
      return;
    case SamplePart::kBucket:
      if (histogram) return decide_bucket(id);
      return leave_out(line.family, "the buckets of a gauge histogram are not used");
    case SamplePart::kCount:
      groups_[join()].count = id;
      line.role = Role::kCount;
      if (!histogram) keep_counter(line, "_count", labels_);
      return;
    case SamplePart::kSum:
      groups_[join()].sum = id;
      line.role = Role::kSum;
      line.sums = true;
      if (!histogram) keep_counter(line, "_sum", labels_);
      return;
    case SamplePart::kGaugeCount:
      return keep_gauge(line, "_gcount");
    case SamplePart::kGaugeSum:
      return keep_gauge(line, "_gsum");
    case SamplePart::kInfo:
      return leave_out(line.family, "says what something is, not how much");
    case SamplePart::kPlain:
      if (histogram || family.type == MetricType::kGaugeHistogram)
        return leave_out(line.family, "no part of a histogram");
      return keep_gauge(line, "");
  }
}

void ScrapedSeries::decide_bucket(uint32_t id) {
  Line& line = lines_[id];
  const std::optional<std::string> le = take_label(labels_, "le");
  if (!le || !parse_bound(*le, line.bound))
    return leave_out(line.family, "a bucket without a bound");
  line.group = group_of(line.family, labels_);
  Group& group = groups_[line.group];
  const auto at =
      std::lower_bound(group.buckets.begin(), group.buckets.end(), line.bound,
                       [&](uint32_t bucket, double bound) { return lines_[bucket].bound < bound; });
  if (at != group.buckets.end() && lines_[*at].bound == line.bound)
    return leave_out(line.family, "two buckets of one bound");
  if (group.buckets.empty()) {
    group.born = page_;
    group.has_place = take_place(line.family);
  }
  group.buckets.insert(at, id);
  line.role = Role::kBucket;
}

void ScrapedSeries::keep_counter(Line& line, std::string_view suffix, const MetricLabels& labels) {
  if (!take_place(line.family)) return;
  const SeriesName name = part_name(families_.at(line.family), true, suffix);
  const auto series = declare(line.family, name, PLUMB_KIND_COUNTER, labels);
  if (!series) return;
  line.role = Role::kCounter;
  line.scale = name.scale;
  line.counter = static_cast<uint32_t>(counters_.size());
  counters_.emplace_back().out.begin(*series);
}

void ScrapedSeries::keep_gauge(Line& line, std::string_view suffix) {
  if (!take_place(line.family)) return;
  const SeriesName name = part_name(families_.at(line.family), false, suffix);
  const auto series = declare(line.family, name, PLUMB_KIND_GAUGE, labels_);
  if (!series) return;
  line.role = Role::kGauge;
  line.scale = name.scale;
  line.series = *series;
}

bool ScrapedSeries::take_place(uint32_t family) {
  if (kept_ < max_series_) {
    ++kept_;
    return true;
  }
  ++beyond_;
  note_beyond(families_.at(family).name);
  leave_out(family, "beyond max_series");
  return false;
}

void ScrapedSeries::leave_out(uint32_t family, const char* why) {
  MetricFamily& of = families_.at(family);
  ++of.left_out;
  of.why = why;
}

void ScrapedSeries::note_beyond(std::string_view metric) {
  if (beyond_names_.size() < kMostBeyondNames) beyond_names_.insert(plain_text(metric, 80));
}

uint32_t ScrapedSeries::group_of(uint32_t family, const MetricLabels& labels) {
  MetricLabels own = labels;
  take_label(own, "quantile");
  const auto id = static_cast<uint32_t>(groups_.size());
  const auto [known, fresh] =
      group_by_identity_.emplace(identity_of(families_.at(family).name, own), id);
  if (fresh) {
    Group& group = groups_.emplace_back();
    group.family = family;
    group.labels = std::move(own);
  }
  return known->second;
}

std::optional<Series> ScrapedSeries::declare(uint32_t family, const SeriesName& name, uint32_t kind,
                                             const MetricLabels& labels) {
  MetricFamily& of = families_.at(family);
  MetricLabels mapped;
  const char* problem = series_labels(labels, mapped);
  if (name.name.size() > kMostNameBytes) problem = "its name is too long for plumb";
  if (problem == nullptr && !declared_.emplace(name.name, mapped).second)
    problem = "another metric has this name in plumb";
  std::optional<Series> series;
  if (problem == nullptr) {
    SeriesSpec spec;
    spec.name = name.name;
    spec.unit = name.unit;
    spec.kind = kind;
    spec.layer = PLUMB_LAYER_APP;
    spec.help = of.help;
    spec.labels = std::move(mapped);
    series = out_.declare(spec);
    if (!series) problem = "plumb refused it";
  }
  if (problem != nullptr) {
    --kept_;
    leave_out(family, problem);
    return std::nullopt;
  }
  of.series = name.name;
  ++of.kept;
  return series;
}

}  // namespace plumb::prom_scrape
