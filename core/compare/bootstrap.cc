#include "core/compare/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/facts/random.h"

namespace plumb::compare {
namespace {

constexpr size_t kFewestBlocks = 6;
constexpr double kSlow = 0.95;  // the quantile above which a request counts as slow

// The cells' histograms over one common list of buckets, so that adding them up is adding rows.
struct CountRows {
  std::vector<double> values_ns;  // of each bucket: its midpoint
  std::vector<std::vector<uint32_t>> rows;
};

CountRows rows_of(const Cells& cells) {
  std::vector<uint32_t> indices;
  uint32_t bits = Histogram::kDefaultPrecisionBits;
  for (const Cell& cell : cells.cells) {
    if (cell.ok.count() != 0) bits = cell.ok.precision_bits();
    for (const plumb_bucket& bucket : cell.ok.buckets()) indices.push_back(bucket.index);
  }
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  CountRows out;
  for (const uint32_t index : indices)
    out.values_ns.push_back(static_cast<double>(Histogram::lower_bound_of(index, bits)) +
                            static_cast<double>(Histogram::width_of(index, bits) - 1) / 2);
  for (const Cell& cell : cells.cells) {
    std::vector<uint32_t> row(indices.size(), 0);
    size_t at = 0;
    for (const plumb_bucket& bucket : cell.ok.buckets()) {
      while (at < indices.size() && indices[at] < bucket.index) ++at;
      if (at < indices.size() && indices[at] == bucket.index)
        row[at] = static_cast<uint32_t>(bucket.count);
    }
    out.rows.push_back(std::move(row));
  }
  return out;
}

// The sums of every circular block of `block` rows, so that a draw adds one row for each block.
void sum_blocks(CountRows& rows, size_t block) {
  const size_t n = rows.rows.size();
  std::vector<uint32_t> sum(rows.values_ns.size(), 0);
  const auto add = [&](size_t row) {
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += rows.rows[row % n][i];
  };
  std::vector<std::vector<uint32_t>> blocks;
  for (size_t i = 0; i < block; ++i) add(i);
  for (size_t start = 0; start < n; ++start) {
    blocks.push_back(sum);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] -= rows.rows[start][i];
    add(start + block);
  }
  rows.rows = std::move(blocks);
}

// Variance of numbers that come one by one (Welford).
class Variance {
 public:
  void add(double x) {
    ++count_;
    const double delta = x - mean_;
    mean_ += delta / count_;
    squares_ += delta * (x - mean_);
  }
  double value() const { return count_ > 1 ? squares_ / (count_ - 1) : 0; }

 private:
  double count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

std::array<double, kQuantiles.size()> quantiles_of(const std::vector<uint32_t>& counts,
                                                   const std::vector<double>& values,
                                                   uint64_t total) {
  std::array<double, kQuantiles.size()> out{};
  size_t q = 0;
  uint64_t seen = 0;
  for (size_t i = 0; i < counts.size() && q < out.size(); ++i) {
    seen += counts[i];
    while (q < out.size() &&
           static_cast<double>(seen) >= std::ceil(kQuantiles[q] * static_cast<double>(total)) &&
           seen > 0)
      out[q++] = values[i];
  }
  return out;
}

struct Moments {
  double sum_ns = 0;
  double count = 0;
  double failed = 0;
};

}  // namespace

double ideal_block(const std::vector<double>& series) {
  const size_t size = series.size();
  const auto n = static_cast<double>(size);
  if (size < 8) return 1;
  double mean = 0;
  for (const double x : series) mean += x / n;
  const auto covariance = [&](size_t lag) {
    double sum = 0;
    for (size_t i = lag; i < size; ++i) sum += (series[i] - mean) * (series[i - lag] - mean);
    return sum / n;
  };
  const double variance = covariance(0);
  if (!(variance > 0)) return 1;
  // The lag after which correlations look like chance, for a few lags in a row.
  const double chance = 2 * std::sqrt(std::log10(n) / n);
  const size_t in_a_row = std::max<size_t>(5, static_cast<size_t>(std::sqrt(std::log10(n))));
  const size_t most = std::min(size / 2, static_cast<size_t>(std::ceil(std::sqrt(n))) + in_a_row);
  size_t memory = 0;
  for (size_t lag = 1; lag <= most && lag <= memory + in_a_row; ++lag)
    if (std::fabs(covariance(lag)) > chance * variance) memory = lag;
  if (memory == 0) return 1;
  const size_t window = std::min(2 * memory, most);
  double slope = 0;
  double level = variance;
  for (size_t lag = 1; lag <= window; ++lag) {
    const double share = static_cast<double>(lag) / static_cast<double>(window);
    const double weight = share <= 0.5 ? 1 : 2 * (1 - share);
    const double r = covariance(lag);
    slope += 2 * weight * static_cast<double>(lag) * r;
    level += 2 * weight * r;
  }
  if (!(level > 0)) return 1;
  return std::cbrt(1.5 * slope * slope / (level * level) * n);
}

size_t block_cells(const Cells& cells, size_t least) {
  Histogram all;
  for (const Cell& cell : cells.cells) (void)all.merge(cell.ok);
  const double slow_ns = all.quantile(kSlow).value_or(0);
  std::vector<double> means;
  std::vector<double> slow;
  for (const Cell& cell : cells.cells) {
    if (cell.ok.count() == 0) continue;
    means.push_back(std::log(std::max(cell.ok.mean().value_or(0), 1.0)));
    double above = 0;
    const uint32_t bits = cell.ok.precision_bits();
    for (const plumb_bucket& bucket : cell.ok.buckets())
      if (static_cast<double>(Histogram::lower_bound_of(bucket.index, bits)) > slow_ns)
        above += static_cast<double>(bucket.count);
    slow.push_back(above / static_cast<double>(cell.ok.count()));
  }
  const double ideal = std::max(ideal_block(means), ideal_block(slow));
  const size_t most = std::max(least, cells.cells.size() / kFewestBlocks);
  return std::clamp(static_cast<size_t>(std::ceil(ideal)), least, most);
}

Spread resample(const Cells& cells, size_t block, size_t times, uint64_t seed) {
  const size_t n = cells.cells.size();
  CountRows rows = rows_of(cells);
  sum_blocks(rows, block);
  std::vector<Moments> moments(n);
  for (size_t start = 0; start < n; ++start)
    for (size_t i = 0; i < block; ++i) {
      const Cell& cell = cells.cells[(start + i) % n];
      moments[start].sum_ns += static_cast<double>(cell.ok.sum());
      moments[start].count += static_cast<double>(cell.ok.count());
      moments[start].failed += static_cast<double>(cell.failed);
    }
  const size_t draws = std::max<size_t>(1, (n + block / 2) / block);
  const double seconds = static_cast<double>(draws * block) * cells.cell_s;
  std::array<Variance, kQuantiles.size()> quantiles;
  Variance mean;
  Variance throughput;
  Variance error_rate;
  facts::Random random(seed);
  std::vector<uint32_t> counts(rows.values_ns.size());
  for (size_t time = 0; time < times; ++time) {
    std::fill(counts.begin(), counts.end(), 0);
    Moments drawn;
    for (size_t draw = 0; draw < draws; ++draw) {
      const size_t start = random.below(n);
      const std::vector<uint32_t>& row = rows.rows[start];
      for (size_t i = 0; i < counts.size(); ++i) counts[i] += row[i];
      drawn.sum_ns += moments[start].sum_ns;
      drawn.count += moments[start].count;
      drawn.failed += moments[start].failed;
    }
    const double all = drawn.count + drawn.failed;
    if (all > 0) error_rate.add(drawn.failed / all);
    if (drawn.count <= 0) continue;
    mean.add(std::log(std::max(drawn.sum_ns / drawn.count, 1.0)));
    throughput.add(std::log(drawn.count / seconds));
    const auto found = quantiles_of(counts, rows.values_ns, static_cast<uint64_t>(drawn.count));
    for (size_t q = 0; q < found.size(); ++q) quantiles[q].add(std::log(std::max(found[q], 1.0)));
  }
  // Blocks vary around the run's own mean and not around the true one, which hides a part of it
  // that matters when they are few.
  const double blocks = static_cast<double>(n) / static_cast<double>(block);
  const double hidden = blocks > 1 ? blocks / (blocks - 1) : 1;
  Spread out;
  for (size_t q = 0; q < kQuantiles.size(); ++q) out.quantiles[q] = hidden * quantiles[q].value();
  out.mean = hidden * mean.value();
  out.throughput = hidden * throughput.value();
  out.error_rate = hidden * error_rate.value();
  return out;
}

}  // namespace plumb::compare
