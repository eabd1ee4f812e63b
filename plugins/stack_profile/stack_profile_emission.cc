// What StackProfile emits: stacks, series and tables.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "plugins/stack_profile/lock_wait.h"
#include "plugins/stack_profile/stack_profile.h"

namespace plumb::stack_profile {

namespace {

// Of the processor time.
constexpr double kNamelessToTell = 0.2;
constexpr const char* kNameless =
    "% of the processor time is in generated code without names: start Node with "
    "--perf-basic-prof, Python 3.12 with -X perf, a JVM with an agent that writes perf maps";

std::string with_unit(double number, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.1f", number);
  return std::string(text) + unit;
}

}  // namespace

void StackProfile::emit(int64_t now_ns) {
  const Meter naming(naming_cpu_s_);
  collector_->take(static_cast<uint64_t>(now_ns), [&](Profile profile, const NamedStack& stack) {
    const Symbolizer& symbolizer = collector_->symbolizer();
    folded_[static_cast<size_t>(profile)].add(symbolizer, stack);
    shares_.add(symbolizer, profile, stack);
    if (profile == Profile::kOffCpu && lock_wait_in(symbolizer, stack.frames))
      lock_wait_seconds_ += stack.seconds;
  });
  const int64_t end_ns = std::max(now_ns, emitted_until_ns_ + 1);
  std::string refused;
  for (size_t i = 0; i < kProfiles; ++i) {
    const Status sent = folded_[i].emit(host(), static_cast<Profile>(i), emitted_until_ns_, end_ns);
    if (!sent) refused = "stacks were not taken: " + sent.message();
  }
  set_problem("stacks", refused);
  const double nameless = shares_.shares().nameless_share();
  set_problem("nameless", nameless < kNamelessToTell ? "" : with_unit(nameless * 100, kNameless));
  collector_->forget_unused();
  emit_series(end_ns);
  emit_tables();
  emitted_until_ns_ = end_ns;
}

void StackProfile::emit_series(int64_t now_ns) {
  std::vector<plumb_sample> batch;
  for (size_t i = 0; i < kProfiles; ++i) {
    if (static_cast<Profile>(i) == Profile::kOffCpu && !attachment_->settings().off_cpu) continue;
    if (!series_[i]) {
      const auto declare = [&](const char* name, const char* help) {
        return host().declare({.name = name,
                               .unit = "1",
                               .kind = PLUMB_KIND_COUNTER,
                               .layer = PLUMB_LAYER_APP,
                               .help = help,
                               .labels = {{"profile", profile_name(static_cast<Profile>(i))}}});
      };
      const auto samples = declare("profile_samples_total", "Stacks sampled");
      const auto lost = declare("profile_lost_total",
                                "Records that the kernel could not write: the profiler was behind");
      if (!samples || !lost) continue;
      series_[i] = Totals{samples.value(), lost.value()};
    }
    const auto& counts = collector_->counts();
    batch.push_back({series_[i]->samples.id, 0, now_ns, static_cast<double>(counts.samples[i])});
    batch.push_back({series_[i]->lost.id, 0, now_ns, static_cast<double>(counts.lost[i])});
  }
  if (attachment_->settings().off_cpu) {
    if (!lock_wait_) {
      const auto declared =
          host().declare({.name = "profile_lock_wait_seconds_total",
                          .unit = "seconds",
                          .kind = PLUMB_KIND_COUNTER,
                          .layer = PLUMB_LAYER_APP,
                          .part = PLUMB_PART_WAIT,
                          .help = "Time that threads waited for locks of the application"});
      if (declared) lock_wait_ = declared.value();
    }
    if (lock_wait_) batch.push_back({lock_wait_->id, 0, now_ns, lock_wait_seconds_});
  }
  // The host counts what it drops, so a refusal is no failure of the sampler.
  (void)host().emit(batch);
}

void StackProfile::emit_tables() {
  if (shares_.inside()) {
    (void)host().table("profile_top", shares_.shares().json(collector_->symbolizer()));
    if (const std::string locks = shares_.shares().locks_json(collector_->symbolizer());
        !locks.empty())
      (void)host().table("profile_locks", locks);
  }
  const EventSettings& events = attachment_->settings();
  const auto& counts = collector_->counts();
  std::vector<std::pair<std::string, std::string>> rows;
  rows.emplace_back("threads that live for milliseconds",
                    events.whole_machine ? "seen" : "not seen: " + access_.machine_refused);
  rows.emplace_back("samples per second", std::to_string(events.frequency));
  rows.emplace_back("stacks walked by unwind tables",
                    std::to_string(collector_->walker().walked_by_tables()));
  rows.emplace_back("stacks walked by frame pointers",
                    std::to_string(collector_->walker().walked_by_pointers()));
  rows.emplace_back("kernel functions", !events.count_kernel    ? "not seen"
                                        : !events.kernel_frames ? "not broken down"
                                                                : "seen");
  if (events.off_cpu) {
    rows.emplace_back("context switches seen", std::to_string(counts.switches));
    rows.emplace_back("preempted, not counted as waiting",
                      with_unit(collector_->preempted_seconds(), " s"));
  }
  if (limited_windows_ > 0) {
    rows.emplace_back("times context switches were too many", std::to_string(limited_windows_));
  }
  if (counts.lost[0] + counts.lost[1] > 0) {
    rows.emplace_back("records lost", std::to_string(counts.lost[0] + counts.lost[1]));
  }
  if (counts.throttled > 0) {
    rows.emplace_back("held back by the kernel", std::to_string(counts.throttled) + " times");
  }
  if (counts.damaged > 0 || given_up_bytes_ > 0) {
    rows.emplace_back("damaged, not read", std::to_string(counts.damaged) + " records and " +
                                               std::to_string(given_up_bytes_) + " bytes");
  }
  if (counts.over_limit > 0) {
    rows.emplace_back("samples beyond max_stacks", std::to_string(counts.over_limit));
  }
  if (collector_->waits_over_limit() > 0) {
    rows.emplace_back("waits beyond max_stacks", std::to_string(collector_->waits_over_limit()));
  }
  if (collector_->symbolizer().without_room() > 0) {
    rows.emplace_back("symbols not read, too many files in use",
                      std::to_string(collector_->symbolizer().without_room()) + " times");
  }
  for (const std::string& path : collector_->symbolizer().unreadable()) {
    rows.emplace_back("no symbols of", path);
  }
  rows.emplace_back("cost of profiling", with_unit(pace_->share() * 100, "% of one core"));
  for (const auto& [subject, sentence] : problems_) rows.emplace_back("cannot see", sentence);
  (void)host().table("profile_notes", notes_json(rows));
}

}  // namespace plumb::stack_profile
