#include "core/diagnose/validity.h"

#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/diagnose/surroundings.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

constexpr double kFewestRequests = 30;
constexpr double kMostFailed = 0.5;           // of the requests
constexpr double kLeastDelivered = 0.98;      // of the requests that were due
constexpr double kLatestStart = 0.2;          // of the response time, on average
constexpr double kSmallestLag = 0.002;        // seconds; below it a late start is no matter
constexpr double kGeneratorBusy = 0.9;        // of the one processor its loop can use
constexpr double kGeneratorStarved = 0.3;     // of the time runnable without a processor
constexpr double kGeneratorCrowdedOut = 0.9;  // of the time runnable without a processor, beside
constexpr double kStrangers = 0.3;            // programs that take so much of all processors
constexpr double kGeneratorThrottled = 0.05;  // of the time held back by its cgroup's quota
constexpr double kLittlesGap = 0.2;

class Checks {
 public:
  Checks(const store::RunData& run, FactSet& facts) : run_(run), facts_(facts) {}

  Validity run() {
    window_ = facts::steady_window(run_);
    if (!window_) {
      const std::string aborted = why_aborted();
      check("steady-stage", false, true,
            (run_.state == store::RunState::kRunning
                 ? std::string("The run was cut off before anything of its steady stage was kept")
                 : std::string("The run ended before its steady stage began")) +
                ", so there is nothing to judge" + (aborted.empty() ? "." : ": " + aborted),
            {});
      validity_.status = ValidityStatus::kInsufficient;
      return std::move(validity_);
    }
    enough_requests();
    generator_lived();
    some_succeeded();
    generator_kept_up();
    generator_had_sockets();
    littles_law();
    signals_complete();
    for (ValidityCheck& doubt : check_surroundings(run_, *window_, facts_)) {
      if (doubt.fatal && validity_.status == ValidityStatus::kValid)
        validity_.status = ValidityStatus::kInsufficient;
      validity_.checks.push_back(std::move(doubt));
    }
    return std::move(validity_);
  }

 private:
  void check(const char* name, bool passed, bool fatal, std::string sentence,
             std::vector<const Fact*> evidence) {
    ValidityCheck out{name, passed, fatal, std::move(sentence), {}};
    for (const Fact* fact : evidence)
      if (fact != nullptr) out.evidence.push_back(fact->id);
    validity_.checks.push_back(std::move(out));
  }

  const Fact* derive(const std::string& name, double value, const std::string& unit) {
    return facts_.add(*window_, "validity", name, value, unit);
  }

  void enough_requests() {
    const Fact* count = facts_.find("requests.count");
    const double n = count ? count->value : 0;
    const bool enough = n >= kFewestRequests;
    if (!enough) validity_.status = ValidityStatus::kInsufficient;
    const std::string aborted = why_aborted();
    check(kEnoughRequests, enough, true,
          enough ? grouped(n) + " requests finished in the steady stage."
                 : "Only " + grouped(n) + " requests finished in the steady stage; at least " +
                       grouped(kFewestRequests) + " are needed. " +
                       (aborted.empty() ? "Run longer, or with more load."
                                        : "The load was ended early: " + aborted),
          {count});
  }

  // What the load driver said when it gave up; empty when it did not.
  std::string why_aborted() const {
    for (const Event& event : run_.events)
      if (event.kind == "load-aborted") return event.message;
    return {};
  }

  void some_succeeded() {
    const Fact* errors = facts_.find("requests.error_rate");
    if (errors == nullptr) return;
    const bool most_failed = errors->value > kMostFailed;
    if (most_failed) validity_.status = ValidityStatus::kInsufficient;
    const std::string share =
        errors->value >= 0.999 ? "Every request" : ratio_text(errors->value) + " of the requests";
    check(kSomeSucceeded, !most_failed, true,
          share + " failed" +
              (most_failed ? ", so no latency can be explained: see the errors." : "."),
          {errors});
  }

  // What a load generator that ended early would have measured is unknown, and no target may be
  // judged by it.
  void generator_lived() {
    std::string load;
    for (const store::SeriesData& series : run_.series)
      if (series.info.name == "http_scheduled_total") load = series.info.plugin;
    for (const HealthChange& change : run_.health) {
      if (change.plugin != load || change.health != PLUMB_HEALTH_DARK ||
          change.time_ns > window_->end_ns)
        continue;
      validity_.status = ValidityStatus::kInsufficient;
      check("generator-lived", false, true, "The load ended early: " + dark_sentence(change), {});
      return;
    }
  }

  std::string dark_sentence(const HealthChange& change) const {
    return "Plugin " + change.plugin + " went dark " +
           seconds_text(static_cast<double>(change.time_ns - run_.header.started_ns) / 1e9) +
           " into the run: " + change.message;
  }

  // The generator is to blame only where its own processor time says so: an overloaded target
  // also makes requests start late.
  void generator_kept_up() {
    const Fact* scheduled = facts_.find("requests.scheduled");
    const Fact* started = facts_.find("requests.started");
    const Fact* lag = facts_.find("phase.lag");
    const Fact* latency = facts_.find("latency.mean");
    const Fact* cpu = facts_.find("generator_cpu_seconds_total.rate");
    const Fact* starved = facts_.find("generator_runqueue_seconds_total.rate");
    const Fact* throttled = facts_.find("generator_throttled_seconds_total.rate");
    const bool open = facts_.find("requests.offered_rate") != nullptr;
    if (scheduled == nullptr && lag == nullptr && cpu == nullptr) {
      check(
          "generator-kept-up", false, false,
          "Nothing was recorded of the load generator itself, so whether it kept up is not known.",
          {});
      return;
    }
    double delivered = 1;
    const Fact* ratio = nullptr;
    if (scheduled != nullptr && started != nullptr && scheduled->value > 0) {
      delivered = std::min(1.0, started->value / scheduled->value);
      ratio = derive("validity.delivered", delivered, "ratio");
    }
    const bool late = lag != nullptr && latency != nullptr && lag->value > kSmallestLag &&
                      lag->value > kLatestStart * latency->value;
    const bool busy = cpu != nullptr && cpu->value >= kGeneratorBusy;
    const bool waiting = starved != nullptr && starved->value >= kGeneratorStarved;
    const bool behind = late || (open && delivered < kLeastDelivered);
    // A quota stops it for tens of milliseconds at a time: then nothing it measures is right.
    const bool held_back = throttled != nullptr && throttled->value >= kGeneratorThrottled;
    // Where strangers leave it no processor, it times itself.
    const bool crowded_out = starved != nullptr && starved->value >= kGeneratorCrowdedOut &&
                             facts_.value_or("others_cpu_seconds_total.rate", 0) >=
                                 kStrangers * facts_.value_or("host_cpus.mean", 1);
    const bool limited =
        (behind && (busy || waiting)) || (busy && !open) || held_back || crowded_out;
    if (limited && validity_.status == ValidityStatus::kValid)
      validity_.status = ValidityStatus::kGeneratorLimited;
    std::string state = ratio_text(delivered) + " of the requests due were started";
    if (lag != nullptr) state += ", " + seconds_text(lag->value) + " late on average";
    if (cpu != nullptr)
      state += "; the generator used " + ratio_text(cpu->value) + " of a processor";
    if (starved != nullptr)
      state += " and waited for one " + ratio_text(starved->value) + " of the time";
    if (held_back)
      state +=
          "; the quota of its cgroup held it back " + ratio_text(throttled->value) + " of the time";
    check("generator-kept-up", !limited, true,
          limited ? "The load generator itself was the limit: " + state +
                        (held_back ? ". Raise the quota, or run it outside of that cgroup."
                                   : ". Lower the rate, or give it a processor of its own.")
                  : state + ".",
          {ratio, lag, cpu, starved, throttled});
    if (!limited && waiting)
      check("generator-undisturbed", false, false,
            "The load generator was runnable without a processor " + ratio_text(starved->value) +
                " of the time, which is in the times that it measured. Give it a processor of its "
                "own.",
            {starved});
    if (!limited && open && delivered < kLeastDelivered)
      check("load-delivered", false, false,
            "Only " + ratio_text(delivered) +
                " of the requests due were started, though the generator had processor time to "
                "spare: the target could not take them.",
            {ratio, scheduled, started});
  }

  // A machine without local ports or file descriptors left has not asked the target at all.
  void generator_had_sockets() {
    double without = 0;
    std::vector<const Fact*> evidence;
    for (const Fact* ended : facts_.all("http_requests_total.delta")) {
      const std::string error = label_of(ended->labels, "error");
      if ((error != "no_local_port" && error != "descriptors") || ended->value < 1) continue;
      without += ended->value;
      evidence.push_back(ended);
    }
    if (without == 0) return;
    if (validity_.status == ValidityStatus::kValid)
      validity_.status = ValidityStatus::kGeneratorLimited;
    check("generator-had-sockets", false, true,
          grouped(without) +
              " requests found no local port or file descriptor on the load "
              "generator's side. Lower the number of connections, or raise "
              "net.ipv4.ip_local_port_range or the limit of open files.",
          std::move(evidence));
  }

  void littles_law() {
    const Fact* in_flight = facts_.find("requests.concurrency");
    const Fact* served = facts_.find("requests.served_concurrency");
    if (in_flight == nullptr || served == nullptr || in_flight->value < 1) return;
    const double expected = served->value;
    const double gap = std::fabs(in_flight->value - expected) / in_flight->value;
    check("littles-law", gap <= kLittlesGap, false,
          grouped(in_flight->value, 1) + " requests in flight against " + grouped(expected, 1) +
              " by rate times service time" +
              (gap <= kLittlesGap ? "."
                                  : ": some were not answered within the stage, or piled up, so it "
                                    "was not steady."),
          {in_flight, served});
  }

  void signals_complete() {
    for (const HealthChange& change : run_.health) {
      if (change.health != PLUMB_HEALTH_DARK || change.time_ns > window_->end_ns) continue;
      check("signals-complete", false, false, dark_sentence(change), {});
    }
  }

  const store::RunData& run_;
  FactSet& facts_;
  std::optional<facts::Window> window_;
  Validity validity_;
};

}  // namespace

std::string_view validity_name(ValidityStatus status) {
  switch (status) {
    case ValidityStatus::kValid:
      return "valid";
    case ValidityStatus::kGeneratorLimited:
      return "generator_limited";
    case ValidityStatus::kInsufficient:
      return "insufficient";
  }
  return "insufficient";
}

Validity check_validity(const store::RunData& run, FactSet& facts) {
  return Checks(run, facts).run();
}

}  // namespace plumb::diagnose
