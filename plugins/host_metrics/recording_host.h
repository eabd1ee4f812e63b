// A plumb_host that keeps what a plugin emits, for tests. Its clock is the machine's, or one that
// the test sets.
#ifndef PLUMB_PLUGINS_HOST_METRICS_RECORDING_HOST_H_
#define PLUMB_PLUGINS_HOST_METRICS_RECORDING_HOST_H_

#include <plumb/abi/plugin.h>
#include <time.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace plumb::host_metrics {

class RecordingHost {
 public:
  struct Point {
    int64_t time_ns;
    double value;
  };

  RecordingHost() {
    host_.struct_size = sizeof(host_);
    host_.context = this;
    host_.now_ns = [](void* c) { return self(c).now(); };
    host_.declare_series = &declare;
    host_.emit_samples = &emit;
    host_.emit_event = [](void* c, const plumb_event* e) -> int32_t {
      self(c).events.emplace_back(e->kind);
      return PLUMB_OK;
    };
    host_.emit_table = [](void* c, const plumb_table* t) -> int32_t {
      self(c).tables[t->name] = t->json;
      return PLUMB_OK;
    };
    host_.set_health = [](void* c, uint32_t state, const char* message) {
      self(c).health = state;
      self(c).health_message = message;
    };
    host_.log = [](void*, uint32_t, const char*) {};
    host_.get_extension = [](void*, const char*) -> const void* { return nullptr; };
  }

  const plumb_host* get() const { return &host_; }

  // Points of "name" or "name{label=value,...}", in the order of declaration.
  const std::vector<Point>& series(const std::string& key) const {
    static const std::vector<Point> none;
    const auto it = points.find(key);
    return it == points.end() ? none : it->second;
  }
  std::optional<double> last(const std::string& key) const {
    const auto& s = series(key);
    return s.empty() ? std::nullopt : std::optional(s.back().value);
  }

  std::map<std::string, std::vector<Point>> points;
  std::map<std::string, uint32_t> kinds;
  std::vector<std::string> events;
  std::map<std::string, std::string> tables;
  uint32_t health = PLUMB_HEALTH_OK;
  std::string health_message;
  std::optional<int64_t> fake_now;
  bool disorder = false;  // a timestamp went backwards, a counter fell, a value was not finite

 private:
  static RecordingHost& self(void* context) { return *static_cast<RecordingHost*>(context); }

  int64_t now() const {
    if (fake_now) return *fake_now;
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
  }

  static int32_t declare(void* context, const plumb_series* s, uint32_t* id) {
    RecordingHost& host = self(context);
    std::string key = s->name;
    for (uint32_t i = 0; i < s->label_count; ++i) {
      key += (i == 0 ? "{" : ",") + std::string(s->labels[i].name) + "=" + s->labels[i].value;
    }
    if (s->label_count > 0) key += "}";
    *id = static_cast<uint32_t>(host.names_.size());
    host.names_.push_back(key);
    host.kinds[key] = s->kind;
    return PLUMB_OK;
  }

  static int32_t emit(void* context, const plumb_sample* samples, size_t count) {
    RecordingHost& host = self(context);
    for (size_t i = 0; i < count; ++i) {
      const std::string& key = host.names_.at(samples[i].series);
      auto& so_far = host.points[key];
      const double value = samples[i].value;
      const bool fell =
          !so_far.empty() && host.kinds[key] == PLUMB_KIND_COUNTER && value < so_far.back().value;
      const bool back = !so_far.empty() && samples[i].time_ns < so_far.back().time_ns;
      if (fell || back || !(value >= 0 && value < 1e30)) host.disorder = true;
      so_far.push_back({samples[i].time_ns, value});
    }
    return PLUMB_OK;
  }

  plumb_host host_{};
  std::vector<std::string> names_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_RECORDING_HOST_H_
