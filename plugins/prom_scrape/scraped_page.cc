// The end of a page in ScrapedSeries: what its values mean together, and what is emitted of them.
#include <algorithm>
#include <cmath>

#include "plugins/prom_scrape/scraped_series.h"

namespace plumb::prom_scrape {
namespace {

// Start times of counting are by the target's clock; they are trusted to this.
constexpr double kCreatedSlackSeconds = 1;

bool is_counted(double value) { return std::isfinite(value) && value >= 0; }

}  // namespace

PageVerdict ScrapedSeries::end_page(int64_t now_ns, double wall_seconds, bool whole) {
  PageVerdict verdict;
  ended_page_ = page_;
  note_created();
  for (Group& group : groups_) {
    if (group.buckets.empty()) continue;
    if (!group.decided) decide_histogram(group);
    if (group.growth) read_histogram(group);
  }
  look_for_falls(verdict);
  const double start = is_on_page(start_line_) ? lines_[start_line_].value
                                               : std::numeric_limits<double>::quiet_NaN();
  verdict.continuity = identity_.page(start, wall_seconds, verdict.fell > 0);
  if (verdict.continuity != Continuity::kSame) verdict.fell = verdict.began_anew = 0;

  for (const Line& line : lines_)
    if (line.page == page_) emit_line(line, verdict.continuity, now_ns);
  for (Group& group : groups_)
    if (group.growth) emit_histogram(group, verdict.continuity, now_ns);
  layer_facts_.emit(now_ns, page_before_ns_);
  out_.flush();

  if (new_lines_) {
    const auto now = values();
    for (uint32_t i = 0; i < now.size(); ++i)
      if (!families_.at(i).first) families_.at(i).first = now[i];
  }
  page_before_whole_ = whole;
  page_before_ns_ = now_ns;
  page_before_wall_ = wall_seconds;
  return verdict;
}

void ScrapedSeries::finish() {
  for (Counter& counter : counters_) counter.out.finish(out_);
  layer_facts_.finish();
  out_.flush();
}

// A series that the page before would have had, had it been there, has counted from zero since.
bool ScrapedSeries::is_new(uint64_t born, double created) const {
  if (born != page_ || page_ == 1 || !page_before_whole_) return false;
  return std::isnan(created) || created > page_before_wall_ - kCreatedSlackSeconds;
}

void ScrapedSeries::note_created() {
  for (Group& group : groups_) group.began_anew = group.fell = false;
  for (const Line& line : lines_) {
    if (line.role != Role::kCreated || line.page != page_ || !is_counted(line.value)) continue;
    Group& group = groups_[line.group];
    group.began_anew = line.value > group.created + kCreatedSlackSeconds;
    group.created = line.value;
  }
}

// A histogram's bounds are known once its first page is: only then is it clear what it can become.
void ScrapedSeries::decide_histogram(Group& group) {
  group.decided = true;
  if (!group.has_place) return;
  const MetricFamily& family = families_.at(group.family);
  const SeriesName name = series_name(family.name, false, family.unit);
  bool finite = false;
  bool whole_numbers = true;
  for (const uint32_t bucket : group.buckets) {
    const double bound = lines_[bucket].bound;
    if (!std::isfinite(bound)) continue;
    finite = true;
    whole_numbers = whole_numbers && bound == std::floor(bound);
  }
  const bool seconds = name.unit == "seconds";
  if (finite && (seconds || whole_numbers)) {
    const auto series = declare(group.family, name, PLUMB_KIND_HISTOGRAM, group.labels);
    if (!series) return;
    group.series = *series;
    group.growth.emplace(name.scale * (seconds ? 1e9 : 1));
    return;
  }
  --kept_;
  leave_out(group.family, finite ? "its bounds are fractions of an unknown unit: only count and sum"
                                 : "no bucket has a bound: only count and sum");
  if (group.count != kNone) keep_counter(lines_[group.count], "_count", group.labels);
  if (group.sum != kNone) keep_counter(lines_[group.sum], "_sum", group.labels);
}

void ScrapedSeries::read_histogram(Group& group) {
  const auto value = [&](uint32_t line) {
    return is_on_page(line) ? lines_[line].value : std::numeric_limits<double>::quiet_NaN();
  };
  buckets_.clear();
  for (const uint32_t bucket : group.buckets)
    if (is_on_page(bucket)) buckets_.push_back({lines_[bucket].bound, lines_[bucket].value});
  group.growth->read(buckets_, value(group.count), value(group.sum));
  group.fell = group.growth->fell();
}

void ScrapedSeries::look_for_falls(PageVerdict& verdict) {
  const auto note = [&](size_t& count, uint32_t family) {
    if (verdict.fell + verdict.began_anew == 0) verdict.first_fell = families_.at(family).name;
    ++count;
  };
  for (const Line& line : lines_) {
    if (line.page != page_ || line.role != Role::kCounter || line.sums) continue;
    const bool explained = line.group != kNone && groups_[line.group].began_anew;
    if (is_counted(line.value) && !explained && counters_[line.counter].total.falls_at(line.value))
      note(verdict.fell, line.family);
  }
  for (const Group& group : groups_) {
    if (group.began_anew)
      note(verdict.began_anew, group.family);
    else if (group.fell)
      note(verdict.fell, group.family);
  }
}

Continuity ScrapedSeries::continuity_of(const Line& line, Continuity page) const {
  if (page != Continuity::kSame) return page;
  if (line.group != kNone && groups_[line.group].began_anew) return Continuity::kRestarted;
  if (line.counter == kNone || !counters_[line.counter].total.falls_at(line.value)) return page;
  // A sum falls without a restart where observations below zero join it.
  return line.sums ? Continuity::kOther : identity_.fallen();
}

void ScrapedSeries::emit_line(const Line& line, Continuity page, int64_t now_ns) {
  const double created =
      line.group == kNone ? std::numeric_limits<double>::quiet_NaN() : groups_[line.group].created;
  const bool from_zero = page != Continuity::kOther && is_new(line.born, created);
  if (line.standard)
    layer_facts_.set(*line.standard, line.value, continuity_of(line, page), identity_.fallen(),
                     from_zero);
  if (line.role == Role::kGauge && std::isfinite(line.value * line.scale))
    out_.add(line.series, now_ns, line.value * line.scale);
  if (line.role != Role::kCounter || !is_counted(line.value)) return;
  Counter& counter = counters_[line.counter];
  const Continuity continuity = continuity_of(line, page);
  if (from_zero) counter.out.was_zero(out_, page_before_ns_);
  const double total = counter.total.update(line.value, continuity) * line.scale;
  if (std::isfinite(total)) counter.out.add(out_, now_ns, total);
}

void ScrapedSeries::emit_histogram(Group& group, Continuity page, int64_t now_ns) {
  if (std::none_of(group.buckets.begin(), group.buckets.end(),
                   [&](uint32_t bucket) { return is_on_page(bucket); }))
    return;
  Continuity continuity = page;
  if (page == Continuity::kSame) {
    if (group.began_anew || is_new(group.born, group.created))
      continuity = Continuity::kRestarted;
    else if (group.fell)
      continuity = identity_.fallen();
  }
  const auto observed = group.growth->take(continuity);
  if (observed) out_.add(group.series, page_before_ns_, now_ns, *observed);
}

std::vector<std::optional<double>> ScrapedSeries::values() const {
  std::vector<std::optional<double>> out(families_.all().size());
  for (uint32_t id = 0; id < lines_.size(); ++id) {
    const Line& line = lines_[id];
    if (line.page != ended_page_ || !std::isfinite(line.value)) continue;
    const MetricType type = families_.all()[line.family].type;
    const bool counts = type == MetricType::kHistogram || type == MetricType::kSummary;
    const bool value = counts ? line.group != kNone && groups_[line.group].count == id
                              : line.role == Role::kCounter || line.role == Role::kGauge;
    if (value) out[line.family] = out[line.family].value_or(0) + line.value;
  }
  return out;
}

}  // namespace plumb::prom_scrape
