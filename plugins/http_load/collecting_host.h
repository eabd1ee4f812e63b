// A host for tests that keeps every signal it is given.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_COLLECTING_HOST_H_
#define PLUMB_PLUGINS_HTTP_LOAD_COLLECTING_HOST_H_

#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <plumb/histogram.hpp>
#include <string>
#include <utility>
#include <vector>

namespace plumb::http_load {

inline int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * int64_t{1'000'000'000} + t.tv_nsec;
}

// Signals are kept under their series' written name, such as "http_shed_total{}" or
// "http_requests_total{endpoint=home,status=200,error=}". One thread emits.
class CollectingHost {
 public:
  CollectingHost() {
    host_.struct_size = sizeof(host_);
    host_.context = this;
    host_.now_ns = [](void*) { return monotonic_ns(); };
    host_.declare_series = [](void* self, const plumb_series* s, uint32_t* id) {
      return of(self).declare(*s, *id);
    };
    host_.emit_samples = [](void* self, const plumb_sample* samples, size_t count) {
      return of(self).samples(samples, count);
    };
    host_.emit_histogram = [](void* self, const plumb_histogram* h) { return of(self).add(*h); };
    host_.emit_event = [](void* self, const plumb_event* e) {
      of(self).events.push_back(std::string(e->kind) + ": " + e->message);
      return int32_t{PLUMB_OK};
    };
    host_.emit_table = [](void* self, const plumb_table* t) {
      of(self).tables[t->name] = nlohmann::json::parse(t->json);
      return int32_t{PLUMB_OK};
    };
    host_.set_health = [](void*, uint32_t, const char*) {};
    host_.log = [](void* self, uint32_t, const char* m) { of(self).logs.emplace_back(m); };
    host_.get_extension = [](void*, const char*) -> const void* { return nullptr; };
  }
  const plumb_host* abi() const { return &host_; }

  double last(const std::string& series) const {
    const auto at = values.find(series);
    return at == values.end() || at->second.empty() ? -1 : at->second.back().value;
  }
  double total(const std::string& prefix) const {
    double out = 0;
    for (const auto& [name, list] : values)
      if (name.starts_with(prefix) && !list.empty()) out += list.back().value;
    return out;
  }
  uint64_t count(const std::string& prefix) const {
    uint64_t out = 0;
    for (const auto& [name, list] : histograms)
      if (name.starts_with(prefix))
        for (const Histogram& h : list) out += h.count();
    return out;
  }
  uint64_t sum(const std::string& prefix) const {
    uint64_t out = 0;
    for (const auto& [name, list] : histograms)
      if (name.starts_with(prefix))
        for (const Histogram& h : list) out += h.sum();
    return out;
  }

  std::map<std::string, std::vector<plumb_sample>> values;
  std::map<std::string, std::vector<Histogram>> histograms;
  std::map<std::string, std::vector<std::pair<int64_t, int64_t>>> spans;
  std::map<std::string, nlohmann::json> tables;
  std::vector<std::string> logs;
  std::vector<std::string> events;  // "kind: message"
  std::function<void()> on_histogram;

 private:
  static CollectingHost& of(void* self) { return *static_cast<CollectingHost*>(self); }
  int32_t declare(const plumb_series& s, uint32_t& id) {
    std::string name = std::string(s.name) + "{";
    for (uint32_t i = 0; i < s.label_count; ++i)
      name += (i == 0 ? "" : ",") + std::string(s.labels[i].name) + "=" + s.labels[i].value;
    id = static_cast<uint32_t>(names_.size());
    names_.push_back(name + "}");
    return PLUMB_OK;
  }
  int32_t samples(const plumb_sample* s, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      auto& list = values[names_.at(s[i].series)];
      if (!list.empty()) {
        EXPECT_GE(s[i].time_ns, list.back().time_ns) << names_.at(s[i].series);
      }
      list.push_back(s[i]);
    }
    return PLUMB_OK;
  }
  int32_t add(const plumb_histogram& h) {
    const std::string& name = names_.at(h.series);
    histograms[name].push_back(Histogram::from_buckets(h.precision_bits, h.buckets, h.bucket_count,
                                                       h.sum, h.minimum, h.maximum));
    spans[name].emplace_back(h.start_ns, h.end_ns);
    if (on_histogram) on_histogram();
    return PLUMB_OK;
  }

  plumb_host host_{};
  std::vector<std::string> names_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_COLLECTING_HOST_H_
