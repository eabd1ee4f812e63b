#include "core/imports/shift.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/imports/text_values.h"

namespace plumb::imports {
namespace {

constexpr size_t kFewestSamples = 3;
constexpr double kToDeviation = 1.4826;  // of a normal distribution
constexpr double kLeastOfMedian = 0.01;
constexpr double kLeastOfLargest = 0.001;
constexpr double kMostScore = 1000;
constexpr double kFalseDiscoveryRate = 0.05;

// Reorders `values`, which are not empty.
double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

struct Sampled {
  std::vector<double> in_order;
  double median = 0;
  double deviation = 0;  // as a standard deviation
  double effective = 0;  // independent samples that are worth as much
};

// Neighbours in time resemble each other: n samples say less than n independent ones.
double effective_samples(const Sampled& s) {
  const auto n = static_cast<double>(s.in_order.size());
  const double most = 3 * s.deviation;
  if (most <= 0) return n;
  double squares = 0;
  double products = 0;
  double before = 0;
  for (const double value : s.in_order) {
    const double off = std::clamp(value - s.median, -most, most);
    squares += off * off;
    products += off * before;
    before = off;
  }
  if (squares <= 0) return n;
  const double correlation = std::clamp(products / squares, 0.0, 0.99);
  return std::max(1.0, n * (1 - correlation) / (1 + correlation));
}

void describe(Sampled& s, std::vector<double>& scratch) {
  scratch = s.in_order;
  s.median = median_of(scratch);
  for (double& value : scratch) value = std::fabs(value - s.median);
  s.deviation = kToDeviation * median_of(scratch);
  s.effective = effective_samples(s);
}

double largest_of(const Sampled& s) {
  double out = 0;
  for (const double value : s.in_order) out = std::max(out, std::fabs(value));
  return out;
}

double chance_of(const Sampled& a, const Sampled& b) {
  constexpr double kMedianVariance = 1.5708;  // times the mean's
  const double variance = kMedianVariance * (a.deviation * a.deviation / a.effective +
                                             b.deviation * b.deviation / b.effective);
  const double moved = std::fabs(a.median - b.median);
  if (moved <= 0) return 1;
  return variance > 0 ? std::erfc(moved / std::sqrt(2 * variance)) : 0;
}

Shift compare(const std::string& metric, Sampled& normal, Sampled& abnormal,
              std::vector<double>& scratch) {
  describe(normal, scratch);
  describe(abnormal, scratch);
  Shift out;
  out.metric = metric;
  out.normal = normal.median;
  out.abnormal = abnormal.median;
  out.normal_samples = normal.in_order.size();
  out.abnormal_samples = abnormal.in_order.size();
  out.p = chance_of(normal, abnormal);
  const double scale =
      std::max({normal.deviation, kLeastOfMedian * std::fabs(normal.median),
                kLeastOfLargest * std::max(largest_of(normal), largest_of(abnormal))});
  const double moved = abnormal.median - normal.median;
  out.score = moved == 0 ? 0 : std::clamp(moved / scale, -kMostScore, kMostScore);
  return out;
}

struct Rows {
  size_t first;
  size_t last;  // one past
};

Rows rows_of(const MetricTable& table, const TimeSpan& span) {
  const auto& times = table.times_ns;
  const auto first = std::lower_bound(times.begin(), times.end(), span.start_ns);
  const auto last = std::upper_bound(first, times.end(), span.end_ns);
  return {static_cast<size_t>(first - times.begin()), static_cast<size_t>(last - times.begin())};
}

// Compares a range of metrics. Cells lie row by row, so some neighbouring metrics are gathered at
// a time: each line of memory that is fetched is used whole.
class Comparison {
 public:
  Comparison(const MetricTable& table, Rows normal, Rows abnormal, std::vector<Shift>& out)
      : table_(table), normal_(normal), abnormal_(abnormal), out_(out) {}

  void run(size_t from, size_t to) {
    for (size_t first = from; first < to; first += kTogether) {
      const size_t count = std::min(kTogether, to - first);
      gather(normal_, first, count, before_);
      gather(abnormal_, first, count, after_);
      for (size_t i = 0; i < count; ++i) {
        if (before_[i].in_order.size() < kFewestSamples ||
            after_[i].in_order.size() < kFewestSamples)
          continue;
        out_[first + i] = compare(table_.names[first + i], before_[i], after_[i], scratch_);
      }
    }
  }

 private:
  static constexpr size_t kTogether = 64;

  void gather(const Rows& rows, size_t first, size_t count, std::vector<Sampled>& into) {
    into.resize(kTogether);
    for (Sampled& s : into) s.in_order.clear();
    for (size_t row = rows.first; row < rows.last; ++row)
      for (size_t i = 0; i < count; ++i)
        if (const double value = table_.at(row, first + i); !std::isnan(value))
          into[i].in_order.push_back(value);
  }

  const MetricTable& table_;
  const Rows normal_;
  const Rows abnormal_;
  std::vector<Shift>& out_;  // by metric; one that was not compared has no samples
  std::vector<Sampled> before_;
  std::vector<Sampled> after_;
  std::vector<double> scratch_;
};

void compare_all(const MetricTable& table, Rows normal, Rows abnormal, std::vector<Shift>& out) {
  constexpr size_t kFewestPerThread = 256;
  constexpr size_t kMostThreads = 4;
  const size_t metrics = table.names.size();
  const size_t threads =
      std::clamp<size_t>(metrics / kFewestPerThread, 1,
                         std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMostThreads));
  std::vector<std::jthread> workers;
  for (size_t i = 0; i < threads; ++i)
    workers.emplace_back([&, i] {
      Comparison(table, normal, abnormal, out)
          .run(metrics * i / threads, metrics * (i + 1) / threads);
    });
}

// Benjamini and Hochberg: of m metrics the k-th smallest p may be at most k/m of the rate.
void mark_beyond_chance(ShiftReport& report) {
  std::vector<double> ps;
  for (const Shift& shift : report.shifts) ps.push_back(shift.p);
  std::sort(ps.begin(), ps.end());
  double threshold = -1;
  for (size_t k = 0; k < ps.size(); ++k)
    if (ps[k] <= kFalseDiscoveryRate * static_cast<double>(k + 1) / static_cast<double>(ps.size()))
      threshold = ps[k];
  for (Shift& shift : report.shifts) {
    shift.beyond_chance = shift.score != 0 && shift.p <= threshold;
    report.beyond_chance += shift.beyond_chance ? 1 : 0;
  }
}

// Where the sum of what lies before the middle of both medians, less what lies beyond, is largest:
// from there on the metric is on the abnormal side. Outliers count no more than the shift itself.
std::optional<int64_t> began(const MetricTable& table, size_t metric, const Rows& rows,
                             const Shift& shift) {
  const double middle = (shift.normal + shift.abnormal) / 2;
  const double reach = std::fabs(shift.abnormal - shift.normal) / 2;
  const double direction = shift.abnormal > shift.normal ? 1 : -1;
  double sum = 0;
  double least = 0;
  std::optional<int64_t> out;
  for (size_t row = rows.first; row < rows.last; ++row) {
    const double value = table.at(row, metric);
    if (std::isnan(value)) continue;
    if (!out || sum < least) {
      least = sum;
      out = table.times_ns[row];
    }
    sum += std::clamp(direction * (value - middle), -reach, reach);
  }
  return out;
}

std::optional<int64_t> parse_end(std::string_view text, const MetricTable& table) {
  text = trimmed(text);
  const int64_t first = table.times_ns.front();
  if (const auto number = parse_finite(text)) {
    const auto time = parse_time(text);
    if (!time) return std::nullopt;
    // A small number is since the first row, also where times are of the epoch.
    constexpr int64_t kSmall = 100'000'000 * kSecondNs;
    if (*time >= kSmall || table.relative) return time;
    return first + *time;
  }
  if (const auto since = parse_duration_text(text)) return first + *since;
  return parse_time(text);
}

}  // namespace

Result<TimeSpan> parse_span(std::string_view text, const MetricTable& table) {
  const size_t dots = text.find("..");
  const auto start =
      dots == std::string_view::npos ? std::nullopt : parse_end(text.substr(0, dots), table);
  const auto end =
      dots == std::string_view::npos ? std::nullopt : parse_end(text.substr(dots + 2), table);
  if (!start || !end)
    return Status::invalid_argument(
        "'" + std::string(text) +
        "' is no window: A..B is expected, with times as in the file, or seconds or durations "
        "since its first row, such as 0..300 or 5m..10m");
  if (*end <= *start)
    return Status::invalid_argument("the window '" + std::string(text) +
                                    "' does not end after it begins");
  return TimeSpan{*start, *end};
}

Result<ShiftReport> rank_shifts(const MetricTable& table, const TimeSpan& normal,
                                const TimeSpan& abnormal, size_t began_for) {
  Rows before = rows_of(table, normal);
  Rows after = rows_of(table, abnormal);
  if (normal.start_ns < abnormal.end_ns && abnormal.start_ns < normal.end_ns)
    return Status::invalid_argument("the two windows share rows; they must not overlap");
  // Of windows that touch, the later one has the row at the common edge.
  before.last = normal.end_ns == abnormal.start_ns ? after.first : before.last;
  after.last = abnormal.end_ns == normal.start_ns ? before.first : after.last;
  for (const auto& [rows, name] : {std::pair{before, "normal"}, std::pair{after, "abnormal"}})
    if (rows.last - rows.first < kFewestSamples)
      return Status::invalid_argument(
          "the " + std::string(name) + " window holds " + std::to_string(rows.last - rows.first) +
          (rows.last - rows.first == 1 ? " row" : " rows") + "; at least three are needed");
  std::vector<Shift> all(table.names.size());
  compare_all(table, before, after, all);

  ShiftReport out;
  std::vector<size_t> order;
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].normal_samples > 0)
      order.push_back(i);
    else
      ++out.too_few;
  const auto relative = [&](size_t i) {
    const double base = std::fabs(all[i].normal);
    const double moved = std::fabs(all[i].abnormal - all[i].normal);
    return base > 0 ? moved / base : moved > 0 ? kMostScore : 0;
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const double left = std::fabs(all[a].score);
    const double right = std::fabs(all[b].score);
    return left != right ? left > right : relative(a) > relative(b);
  });
  const Rows between{std::min(before.first, after.first), std::max(before.last, after.last)};
  for (const size_t i : order) {
    if (out.shifts.size() < began_for && all[i].score != 0 && before.last <= after.first)
      all[i].began_ns = began(table, i, between, all[i]);
    out.shifts.push_back(std::move(all[i]));
  }
  mark_beyond_chance(out);
  return out;
}

}  // namespace plumb::imports
