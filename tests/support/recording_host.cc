#include "tests/support/recording_host.h"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <string_view>

namespace plumb::test_support {

namespace {

RecordingHost& self(void* context) { return *static_cast<RecordingHost*>(context); }

void expect(const Status& status) { EXPECT_TRUE(status.is_ok()) << status.message(); }

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

SeriesInfo info_of(const plumb_series& s) {
  SeriesInfo info;
  info.name = s.name;
  info.unit = s.unit;
  info.help = s.help;
  info.kind = s.kind;
  info.layer = s.layer;
  info.part = s.part;
  info.ledger_line = text_or_empty(s.ledger_line);
  info.resource = text_or_empty(s.resource);
  for (uint32_t i = 0; i < s.label_count; ++i) {
    info.labels.emplace_back(s.labels[i].name, s.labels[i].value);
  }
  std::sort(info.labels.begin(), info.labels.end());
  return info;
}

std::string key_of(const SeriesInfo& info) {
  std::string key = info.name;
  for (const auto& [name, value] : info.labels) {
    key += (key.size() == info.name.size() ? "{" : ",") + name + "=" + value;
  }
  return info.labels.empty() ? key : key + "}";
}

}  // namespace

RecordingHost::RecordingHost() {
  host_.struct_size = sizeof(host_);
  host_.context = this;
  host_.now_ns = [](void* c) { return self(c).now(); };
  host_.declare_series = [](void* c, const plumb_series* s, uint32_t* id) {
    return self(c).declare(*s, *id);
  };
  host_.emit_samples = [](void* c, const plumb_sample* s, size_t count) {
    return self(c).add(s, count);
  };
  host_.emit_histogram = [](void* c, const plumb_histogram* h) { return self(c).add(*h); };
  host_.emit_event = [](void* c, const plumb_event* e) -> int32_t {
    const std::string message = text_or_empty(e->message);
    expect(host::check_event({{}, e->time_ns, e->level, e->kind, message, {}}));
    self(c).events.push_back(std::string(e->kind) + ": " + message);
    return PLUMB_OK;
  };
  host_.emit_table = [](void* c, const plumb_table* t) -> int32_t {
    expect(host::check_table({{}, t->time_ns, t->name, t->json}));
    self(c).tables[t->name] = nlohmann::json::parse(t->json);
    return PLUMB_OK;
  };
  host_.set_health = [](void* c, uint32_t state, const char* message) {
    self(c).health = state;
    self(c).health_message = text_or_empty(message);
    expect(host::check_health({{}, 0, state, self(c).health_message}));
  };
  host_.log = [](void*, uint32_t, const char*) {};
  rest_.struct_size = sizeof(rest_);
  rest_.rest_until = [](void* c, int64_t until_ns) { self(c).rests_until = until_ns; };
  host_.get_extension = [](void* c, const char* id) -> const void* {
    return std::string_view(id) == PLUMB_REST_EXTENSION ? &self(c).rest_ : nullptr;
  };
}

const std::vector<RecordingHost::Point>& RecordingHost::series(const std::string& key) const {
  static const std::vector<Point> none;
  const auto at = points.find(key);
  return at == points.end() ? none : at->second;
}

std::optional<double> RecordingHost::last(const std::string& key) const {
  const auto& s = series(key);
  return s.empty() ? std::nullopt : std::optional(s.back().value);
}

std::optional<double> RecordingHost::growth(const std::string& key) const {
  const auto& s = series(key);
  return s.empty() ? std::nullopt : std::optional(s.back().value - s.front().value);
}

Histogram RecordingHost::merged(const std::string& key) const {
  Histogram out(5);
  const auto at = histograms.find(key);
  if (at == histograms.end()) return out;
  for (const Record& record : at->second) EXPECT_TRUE(out.merge(record.histogram));
  return out;
}

const SeriesInfo* RecordingHost::info(const std::string& key) const {
  const auto at = infos.find(key);
  return at == infos.end() ? nullptr : &at->second;
}

int64_t RecordingHost::now() const {
  if (fake_now) return *fake_now;
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

int32_t RecordingHost::declare(const plumb_series& series, uint32_t& id) {
  const SeriesInfo info = info_of(series);
  const auto declared = check_.declare(info);
  expect(declared.status());
  if (!declared) return declared.status().code();
  EXPECT_TRUE(declared->second) << info.name << " is declared twice";
  id = declared->first;
  const std::string key = key_of(info);
  infos[key] = info;
  keys_[id] = key;
  return PLUMB_OK;
}

int32_t RecordingHost::add(const plumb_sample* samples, size_t count) {
  std::vector<Sample> batch;
  for (size_t i = 0; i < count; ++i) {
    batch.push_back({samples[i].series, samples[i].time_ns, samples[i].value});
  }
  expect(check_.samples(batch, now()));
  for (const Sample& sample : batch) {
    const std::string& key = keys_.at(sample.series);
    auto& so_far = points[key];
    if (!so_far.empty()) {
      EXPECT_GT(sample.time_ns, so_far.back().time_ns) << key;
      if (infos[key].kind == PLUMB_KIND_COUNTER) {
        EXPECT_GE(sample.value, so_far.back().value) << key << " fell";
      }
    }
    so_far.push_back({sample.time_ns, sample.value});
  }
  return PLUMB_OK;
}

int32_t RecordingHost::add(const plumb_histogram& h) {
  const host::HistogramMessage message{
      h.series, h.start_ns, h.end_ns, h.precision_bits, {h.buckets, h.buckets + h.bucket_count},
      h.sum,    h.minimum,  h.maximum};
  expect(check_.histogram(message, now()));
  histograms[keys_.at(h.series)].push_back(
      {h.start_ns, h.end_ns,
       Histogram::from_buckets(h.precision_bits, h.buckets, h.bucket_count, h.sum, h.minimum,
                               h.maximum)});
  return PLUMB_OK;
}

}  // namespace plumb::test_support
