// Test only: a plumb_host that keeps what it is given, with a clock that the test may set.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_FAKE_HOST_H_
#define PLUMB_PLUGINS_SQLITE_STATS_FAKE_HOST_H_

#include <plumb/abi/plugin.h>
#include <time.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/histogram.hpp>
#include <set>
#include <string>
#include <vector>

namespace plumb::sqlite_stats {

struct SeenSample {
  int64_t time_ns;
  double value;
};

struct SeenHistogram {
  int64_t start_ns;
  int64_t end_ns;
  Histogram values;
};

struct SeenEvent {
  std::string kind;
  std::string message;
  std::string attributes;
};

class FakeHost {
 public:
  FakeHost() {
    table_.struct_size = sizeof(table_);
    table_.context = this;
    table_.now_ns = [](void* c) { return self(c)->now(); };
    table_.declare_series = [](void* c, const plumb_series* s, uint32_t* id) -> int32_t {
      *id = static_cast<uint32_t>(self(c)->names_.size());
      std::string name = s->name;
      std::string database;
      for (uint32_t i = 0; i < s->label_count; ++i) {
        // As the host does.
        if (!is_utf8(s->labels[i].value)) return PLUMB_INVALID_ARGUMENT;
        if (std::string(s->labels[i].name) == "lock") name += std::string("/") + s->labels[i].value;
        if (std::string(s->labels[i].name) == "database") database = s->labels[i].value;
      }
      self(c)->databases.insert(database);
      self(c)->names_.push_back(name);
      self(c)->databases_.push_back(database);
      self(c)->help[s->name] = s->help ? s->help : "";
      self(c)->resources[s->name] = s->resource ? s->resource : "";
      self(c)->ledger_lines[s->name] = s->ledger_line ? s->ledger_line : "";
      return PLUMB_OK;
    };
    table_.emit_samples = [](void* c, const plumb_sample* s, size_t n) -> int32_t {
      for (size_t i = 0; i < n; ++i) {
        const std::string& name = self(c)->names_.at(s[i].series);
        const SeenSample sample{s[i].time_ns, s[i].value};
        self(c)->samples[name].push_back(sample);
        self(c)->samples_of[self(c)->databases_.at(s[i].series)][name].push_back(sample);
      }
      return PLUMB_OK;
    };
    table_.emit_histogram = [](void* c, const plumb_histogram* h) -> int32_t {
      const std::string& name = self(c)->names_.at(h->series);
      self(c)->histograms[name].push_back(
          {h->start_ns, h->end_ns,
           Histogram::from_buckets(h->precision_bits, h->buckets, h->bucket_count, h->sum,
                                   h->minimum, h->maximum)});
      return PLUMB_OK;
    };
    table_.emit_event = [](void* c, const plumb_event* e) -> int32_t {
      self(c)->events.push_back({e->kind, e->message, e->attributes ? e->attributes : ""});
      return PLUMB_OK;
    };
    table_.emit_table = [](void* c, const plumb_table* t) -> int32_t {
      self(c)->tables[t->name] = t->json;
      ++self(c)->table_emissions[t->name];
      return PLUMB_OK;
    };
    table_.set_health = [](void* c, uint32_t state, const char* message) {
      self(c)->health = state;
      self(c)->health_message = message;
    };
    table_.log = [](void*, uint32_t, const char*) {};
    table_.get_extension = [](void*, const char*) -> const void* { return nullptr; };
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const plumb_host* get() const { return &table_; }

  // Unset: the machine's monotonic clock.
  std::optional<int64_t> clock_ns;
  // By name, with "/" and the label `lock` where there is one; of all databases together.
  std::map<std::string, std::vector<SeenSample>> samples;
  // By database, then as above.
  std::map<std::string, std::map<std::string, std::vector<SeenSample>>> samples_of;
  std::map<std::string, std::vector<SeenHistogram>> histograms;
  std::set<std::string> databases;
  std::map<std::string, std::string> resources;
  std::map<std::string, std::string> ledger_lines;
  std::map<std::string, std::string> help;
  std::map<std::string, std::string> tables;
  std::map<std::string, int> table_emissions;
  std::vector<SeenEvent> events;
  uint32_t health = PLUMB_HEALTH_OK;
  std::string health_message;

  int64_t now() const {
    if (clock_ns) return *clock_ns;
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
  }

 private:
  static FakeHost* self(void* context) { return static_cast<FakeHost*>(context); }
  static bool is_utf8(const char* text) {
    try {
      return !nlohmann::json(text).dump().empty();
    } catch (const nlohmann::json::type_error&) {
      return false;
    }
  }

  plumb_host table_{};
  std::vector<std::string> names_;      // by series
  std::vector<std::string> databases_;  // likewise
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_FAKE_HOST_H_
