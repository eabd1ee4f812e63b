// Test only: a plumb_host that keeps what a plugin emits, and holds each signal to what the real
// host takes.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_RECORDING_HOST_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_RECORDING_HOST_H_

#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/histogram.hpp>
#include <string>
#include <vector>

#include "core/host/signal_check.h"

namespace plumb::prom_scrape {

class RecordingHost {
 public:
  struct Point {
    int64_t time_ns;
    double value;
  };
  struct Record {
    int64_t start_ns;
    int64_t end_ns;
    Histogram histogram;
  };

  RecordingHost() : check_(0) {
    host_.struct_size = sizeof(host_);
    host_.context = this;
    host_.now_ns = [](void* c) { return self(c).now(); };
    host_.declare_series = [](void* c, const plumb_series* s, uint32_t* id) {
      return self(c).declare(*s, *id);
    };
    host_.emit_samples = [](void* c, const plumb_sample* s, size_t count) {
      return self(c).samples(s, count);
    };
    host_.emit_histogram = [](void* c, const plumb_histogram* h) { return self(c).add(*h); };
    host_.emit_event = [](void* c, const plumb_event* e) -> int32_t {
      self(c).expect(host::check_event({{}, e->time_ns, e->level, e->kind, e->message, {}}));
      self(c).events.push_back(std::string(e->kind) + ": " + e->message);
      return PLUMB_OK;
    };
    host_.emit_table = [](void* c, const plumb_table* t) -> int32_t {
      self(c).expect(host::check_table({{}, t->time_ns, t->name, t->json}));
      self(c).tables[t->name] = nlohmann::json::parse(t->json);
      return PLUMB_OK;
    };
    host_.set_health = [](void* c, uint32_t state, const char* message) {
      self(c).expect(host::check_health({{}, 0, state, message}));
      self(c).health = state;
      self(c).health_message = message;
    };
    host_.log = [](void*, uint32_t, const char*) {};
    host_.get_extension = [](void*, const char*) -> const void* { return nullptr; };
  }
  RecordingHost(const RecordingHost&) = delete;
  RecordingHost& operator=(const RecordingHost&) = delete;

  const plumb_host* get() const { return &host_; }

  // By "name" or "name{label=value,...}", labels sorted.
  const std::vector<Point>& series(const std::string& key) const {
    static const std::vector<Point> none;
    const auto at = points.find(key);
    return at == points.end() ? none : at->second;
  }
  std::optional<double> last(const std::string& key) const {
    const auto& s = series(key);
    return s.empty() ? std::nullopt : std::optional(s.back().value);
  }
  // The growth of a counter over all that was emitted.
  std::optional<double> growth(const std::string& key) const {
    const auto& s = series(key);
    return s.empty() ? std::nullopt : std::optional(s.back().value - s.front().value);
  }
  // All records of a histogram, merged.
  Histogram merged(const std::string& key) const {
    Histogram out(5);
    const auto at = histograms.find(key);
    if (at == histograms.end()) return out;
    for (const Record& record : at->second) EXPECT_TRUE(out.merge(record.histogram));
    return out;
  }
  const SeriesInfo* info(const std::string& key) const {
    const auto at = infos.find(key);
    return at == infos.end() ? nullptr : &at->second;
  }

  std::map<std::string, std::vector<Point>> points;
  std::map<std::string, std::vector<Record>> histograms;
  std::map<std::string, SeriesInfo> infos;
  std::vector<std::string> events;  // "kind: message"
  std::map<std::string, nlohmann::json> tables;
  uint32_t health = PLUMB_HEALTH_OK;
  std::string health_message;
  std::optional<int64_t> fake_now;

 private:
  static RecordingHost& self(void* context) { return *static_cast<RecordingHost*>(context); }

  static void expect(const Status& status) { EXPECT_TRUE(status.is_ok()) << status.message(); }

  int64_t now() const {
    if (fake_now) return *fake_now;
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
  }

  int32_t declare(const plumb_series& s, uint32_t& id) {
    SeriesInfo info;
    info.name = s.name;
    info.unit = s.unit;
    info.help = s.help;
    info.kind = s.kind;
    info.layer = s.layer;
    info.part = s.part;
    info.ledger_line = s.ledger_line == nullptr ? "" : s.ledger_line;
    info.resource = s.resource == nullptr ? "" : s.resource;
    for (uint32_t i = 0; i < s.label_count; ++i)
      info.labels.emplace_back(s.labels[i].name, s.labels[i].value);
    std::sort(info.labels.begin(), info.labels.end());
    const auto declared = check_.declare(info);
    expect(declared.status());
    if (!declared) return declared.status().code();
    EXPECT_TRUE(declared->second) << info.name << " is declared twice";
    id = declared->first;
    std::string key = info.name;
    for (const auto& [name, value] : info.labels)
      key += (key.find('{') == std::string::npos ? "{" : ",") + name + "=" + value;
    if (!info.labels.empty()) key += "}";
    infos[key] = info;
    names_[id] = key;
    return PLUMB_OK;
  }

  int32_t samples(const plumb_sample* samples, size_t count) {
    std::vector<Sample> batch;
    for (size_t i = 0; i < count; ++i)
      batch.push_back({samples[i].series, samples[i].time_ns, samples[i].value});
    expect(check_.samples(batch, now()));
    for (const Sample& sample : batch) {
      const std::string& key = names_.at(sample.series);
      auto& so_far = points[key];
      if (!so_far.empty() && infos[key].kind == PLUMB_KIND_COUNTER) {
        EXPECT_GE(sample.value, so_far.back().value) << key << " fell";
      }
      if (!so_far.empty()) {
        EXPECT_GT(sample.time_ns, so_far.back().time_ns) << key;
      }
      so_far.push_back({sample.time_ns, sample.value});
    }
    return PLUMB_OK;
  }

  int32_t add(const plumb_histogram& h) {
    const host::HistogramMessage message{
        h.series, h.start_ns, h.end_ns, h.precision_bits, {h.buckets, h.buckets + h.bucket_count},
        h.sum,    h.minimum,  h.maximum};
    expect(check_.histogram(message, now()));
    histograms[names_.at(h.series)].push_back(
        {h.start_ns, h.end_ns,
         Histogram::from_buckets(h.precision_bits, h.buckets, h.bucket_count, h.sum, h.minimum,
                                 h.maximum)});
    return PLUMB_OK;
  }

  plumb_host host_{};
  host::SignalCheck check_;
  std::map<uint32_t, std::string> names_;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_RECORDING_HOST_H_
