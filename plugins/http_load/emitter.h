// Turns finished intervals into the signals of docs/signals.md, section http_load. Costs nothing
// between intervals. Not thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_EMITTER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_EMITTER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <plumb/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/load_schedule.h"
#include "plugins/http_load/mcp_tool_table.h"
#include "plugins/http_load/recorder.h"
#include "plugins/http_load/self_usage.h"

namespace plumb::http_load {

class Emitter final : public IntervalSink {
 public:
  // `plan` and `schedule` outlive the emitter.
  Emitter(Host host, const LoadPlan& plan, const LoadSchedule& schedule)
      : host_(host), plan_(plan), schedule_(schedule) {}

  // For MCP, before begin(): the table mcp_tools is made over the steady ones of these stages.
  void measure_tools(std::span<const Stage> stages) { tools_.emplace(plan_, stages); }
  // Declares what is known beforehand and emits every counter once, as 0 at the load's start.
  Status begin();
  // Failures to emit are the host's to count; the first one is logged.
  void on_interval(const Interval& interval) override;
  // Emits the table http_errors as of the last interval, unless that has been done.
  void flush_errors();
  // Emits the tables http_schedule (what was asked for, and the hash by which two runs can be told
  // to have had the same schedule) and http_endings (what became of it, by endpoint), and mcp_tools
  // where it was asked for.
  void emit_summary();

 private:
  struct EndpointSeries {
    std::array<Series, 2> response;
    std::array<Series, 2> service;
    std::array<Series, kPhases> phases;
    std::vector<Series> timings;
    std::optional<Series> first_event;  // of MCP
  };
  struct TotalSeries {
    Series scheduled, started, shed, in_flight, sent_bytes, received_bytes, connections_opened;
    std::optional<Series> rate;   // where a part of the load is open
    std::optional<Series> users;  // ... or closed
    Series cpu;
    std::optional<Series> runqueue;  // where the kernel tells
    Series throttled;
  };

  Status declare_endpoints();
  Status declare_totals();
  Status emit(const Interval& interval);
  Status emit_endpoint(size_t index, const Interval& interval);
  Status emit_histogram(Series series, const Interval& interval, const Histogram& h);
  Status declare_outcomes(const Interval& interval);
  void add(Series series, int64_t time_ns, double value);
  void add_totals(int64_t start_ns, int64_t end_ns, const Totals& totals);
  void add_load(int64_t start_ns, int64_t end_ns);
  void emit_schedule();
  void emit_endings();
  void emit_tools();
  Status send();
  void note(const Status& status);

  Host host_;
  const LoadPlan& plan_;
  const LoadSchedule& schedule_;
  SelfUsage usage_;
  std::vector<EndpointSeries> endpoints_;
  TotalSeries totals_;
  std::vector<Series> outcome_series_;  // beside the recorder's outcomes
  std::vector<plumb_sample> batch_;
  std::vector<Outcome> failures_;  // for the tables
  std::vector<Endings> endings_;
  uint64_t scheduled_ = 0;  // as of the last interval
  uint64_t schedule_hash_ = 0;
  size_t failure_kinds_emitted_ = 0;
  bool errors_flushed_ = true;
  bool trouble_logged_ = false;
  std::optional<McpToolTable> tools_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_EMITTER_H_
