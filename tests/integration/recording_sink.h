// A sink that keeps what it hears, and on which a test can wait.
#ifndef PLUMB_TESTS_INTEGRATION_RECORDING_SINK_H_
#define PLUMB_TESTS_INTEGRATION_RECORDING_SINK_H_

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "core/signal/signal.h"

namespace plumb {

class RecordingSink final : public SignalSink {
 public:
  struct Heard {
    std::vector<SeriesInfo> series;
    std::vector<Sample> samples;
    std::vector<HistogramRecord> histograms;
    std::vector<Event> events;
    std::vector<TableRecord> tables;
    std::vector<StackBatch> stacks;
    std::vector<HealthChange> health;

    const SeriesInfo* find(const std::string& name) const {
      const auto it = std::find_if(series.begin(), series.end(),
                                   [&](const SeriesInfo& s) { return s.name == name; });
      return it == series.end() ? nullptr : &*it;
    }
    size_t count(const std::string& name) const {
      const SeriesInfo* s = find(name);
      if (s == nullptr) return 0;
      return static_cast<size_t>(std::count_if(samples.begin(), samples.end(),
                                               [&](const Sample& x) { return x.series == s->id; }));
    }
    std::vector<double> values(const std::string& name) const {
      std::vector<double> out;
      const SeriesInfo* s = find(name);
      for (const Sample& x : samples)
        if (s != nullptr && x.series == s->id) out.push_back(x.value);
      return out;
    }
    const Event* event(const std::string& kind) const {
      const auto it = std::find_if(events.begin(), events.end(),
                                   [&](const Event& e) { return e.kind == kind; });
      return it == events.end() ? nullptr : &*it;
    }
    // The last change of that health; nullptr when there was none.
    const HealthChange* last_health(uint32_t state) const {
      const auto it = std::find_if(health.rbegin(), health.rend(),
                                   [&](const HealthChange& h) { return h.health == state; });
      return it == health.rend() ? nullptr : &*it;
    }
  };

  void on_series(const SeriesInfo& x) override {
    add([&] { heard_.series.push_back(x); });
  }
  void on_samples(const std::vector<Sample>& x) override {
    add([&] { heard_.samples.insert(heard_.samples.end(), x.begin(), x.end()); });
  }
  void on_histogram(const HistogramRecord& x) override {
    add([&] { heard_.histograms.push_back(x); });
  }
  void on_event(const Event& x) override {
    add([&] { heard_.events.push_back(x); });
  }
  void on_table(const TableRecord& x) override {
    add([&] { heard_.tables.push_back(x); });
  }
  void on_stacks(const StackBatch& x) override {
    add([&] { heard_.stacks.push_back(x); });
  }
  void on_health(const HealthChange& x) override {
    add([&] { heard_.health.push_back(x); });
  }

  Heard heard() {
    const MutexLock lock(mutex_);
    return heard_;
  }
  // Waits until `condition` holds of what was heard; false when it does not within `bound`.
  bool wait_for(const std::function<bool(const Heard&)>& condition,
                std::chrono::seconds bound = std::chrono::seconds(20)) {
    const auto until = std::chrono::steady_clock::now() + bound;
    const MutexLock lock(mutex_);
    while (!condition(heard_)) {
      if (std::chrono::steady_clock::now() >= until) return false;
      changed_.wait_until(mutex_, until);
    }
    return true;
  }

 private:
  template <typename Add>
  void add(Add&& append) {
    const MutexLock lock(mutex_);
    append();
    changed_.notify_all();
  }

  Mutex mutex_;
  CondVar changed_;
  Heard heard_ PLUMB_GUARDED_BY(mutex_);
};

}  // namespace plumb

#endif  // PLUMB_TESTS_INTEGRATION_RECORDING_SINK_H_
