// Any bytes as pages of metrics, one after another: no crash, bounded memory, and whatever they
// say, only signals that the host takes: finite values, counters that never fall, histograms that
// add up.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/signal_check.h"
#include "plugins/prom_scrape/metrics_table.h"
#include "plugins/prom_scrape/scraped_series.h"

namespace {

using plumb::prom_scrape::ExpositionSummary;
using plumb::prom_scrape::NameFilter;
using plumb::prom_scrape::ScrapedSeries;
using plumb::prom_scrape::SeriesOut;

// Small, so that inputs of the fuzzer's size reach it.
constexpr size_t kMostSeries = 20;
constexpr char kNextPage = '\f';
constexpr int64_t kSecond = 1'000'000'000;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

// A host that trusts nothing.
class SuspiciousHost {
 public:
  SuspiciousHost() : check_(0) {
    host_.struct_size = sizeof(host_);
    host_.context = this;
    host_.now_ns = [](void* c) { return self(c).now_ns; };
    host_.declare_series = [](void* c, const plumb_series* s, uint32_t* id) {
      plumb::SeriesInfo info;
      info.name = s->name;
      info.unit = s->unit;
      info.help = s->help;
      info.kind = s->kind;
      info.layer = s->layer;
      info.part = s->part;
      for (uint32_t i = 0; i < s->label_count; ++i)
        info.labels.emplace_back(s->labels[i].name, s->labels[i].value);
      const auto declared = self(c).check_.declare(info);
      require(declared.is_ok() && declared->second);
      *id = declared->first;
      self(c).counters_[*id] = info.kind == PLUMB_KIND_COUNTER;
      return int32_t{PLUMB_OK};
    };
    host_.emit_samples = [](void* c, const plumb_sample* samples, size_t count) {
      std::vector<plumb::Sample> batch;
      for (size_t i = 0; i < count; ++i) {
        batch.push_back({samples[i].series, samples[i].time_ns, samples[i].value});
        double& last = self(c).last_[samples[i].series];
        require(!self(c).counters_[samples[i].series] || samples[i].value >= last);
        last = samples[i].value;
      }
      require(self(c).check_.samples(batch, self(c).now_ns).is_ok());
      return int32_t{PLUMB_OK};
    };
    host_.emit_histogram = [](void* c, const plumb_histogram* h) {
      const plumb::host::HistogramMessage message{h->series,
                                                  h->start_ns,
                                                  h->end_ns,
                                                  h->precision_bits,
                                                  {h->buckets, h->buckets + h->bucket_count},
                                                  h->sum,
                                                  h->minimum,
                                                  h->maximum};
      require(self(c).check_.histogram(message, self(c).now_ns).is_ok());
      return int32_t{PLUMB_OK};
    };
  }
  const plumb_host* get() const { return &host_; }
  int64_t now_ns = 100 * kSecond;

 private:
  static SuspiciousHost& self(void* context) { return *static_cast<SuspiciousHost*>(context); }
  plumb_host host_{};
  plumb::host::SignalCheck check_;
  std::map<uint32_t, bool> counters_;
  std::map<uint32_t, double> last_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const bool whole = (data[0] & 1) != 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  SuspiciousHost host;
  SeriesOut out{plumb::Host(host.get())};
  ScrapedSeries scraped(out, NameFilter(), kMostSeries);
  double wall = 2e9;
  while (!rest.empty()) {
    const size_t end = rest.find(kNextPage);
    const std::string_view page = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    host.now_ns += kSecond;
    scraped.begin_page();
    const ExpositionSummary summary = read_exposition(page, whole, scraped);
    require(summary.samples + summary.malformed <= summary.lines);
    require(summary.first_malformed.size() < 200);
    scraped.end_page(host.now_ns, wall += 1, summary.malformed == 0);
  }
  scraped.finish();
  require(scraped.kept() <= kMostSeries + 1);
  const plumb::TableRecord table{{}, host.now_ns, "scraped_metrics", metrics_table(scraped)};
  require(plumb::host::check_table(table).is_ok());
  return 0;
}
