#include "core/capacity/search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace plumb::capacity {
namespace {

constexpr double kLowestRate = 0.1;
constexpr double kHighestRate = 1'000'000;
constexpr int kMostHalvings = 4;
constexpr double kStepDown = 4;   // from a first rate that the generator cannot make
constexpr int kMostBetween = 16;  // probes that narrow one bracket
constexpr int kLeastAtEdge = 4;
constexpr int kMostAtEdge = 12;
constexpr double kScoutBracket = 1.15;     // a wider bracket is narrowed by scouts
constexpr double kGeneratorBracket = 1.1;  // how exactly the generator's own limit is sought
// Of a probe in which the generator was the limit: of itself, and since the machine was busy.
constexpr int kTriesWhenSpent = 1;
constexpr int kTriesWhenBusy = 4;
constexpr double kLongestProbe = 60;
constexpr double kOverhead = 1.5;  // seconds that a probe takes beside its load
constexpr double kNearEdge = 1.1;
// Of the rate: a backlog that grows more slowly cannot be told from a steady queue in one probe.
constexpr double kUnseenBacklog = 0.01;

double middle(double low, double high) { return std::sqrt(low * high); }

class Search {
 public:
  Search(Prober& prober, const SearchOptions& options, SearchObserver& observer,
         const std::function<double()>& seconds_now, std::stop_token stop)
      : prober_(prober),
        options_(options),
        observer_(observer),
        seconds_now_(seconds_now),
        stop_(std::move(stop)),
        began_(seconds_now()) {}

  SearchResult run() {
    if (measure_baseline() && climb() && narrow()) refine();
    conclude();
    result_.seconds = seconds_now_() - began_;
    return std::move(result_);
  }

 private:
  // False from the moment on that the search must end; `result_.ended` says why.
  bool end(Ended why) {
    result_.ended = why;
    return false;
  }
  bool fail(Status status) {
    if (stop_.stop_requested()) return end(Ended::kInterrupted);
    result_.failure = std::move(status);
    return end(Ended::kFailed);
  }
  bool has_time_for(const ProbeRequest& request) {
    if (stop_.stop_requested()) return end(Ended::kInterrupted);
    const double needed = request.warmup_s + request.measure_s + kOverhead;
    if (seconds_now_() - began_ + needed <= options_.most_s) return true;
    return end(Ended::kTimeUsed);
  }

  bool measure_baseline() {
    observer_.on_phase("one request at a time");
    const Result<Baseline> baseline = prober_.baseline(stop_);
    if (!baseline.is_ok()) return fail(baseline.status());
    result_.baseline = *baseline;
    return true;
  }

  // One judged probe at `rate`. A generator that was the limit is given further tries, since a
  // disturbance passes; too few requests are met with longer probes. False: the search must end.
  bool probe(double rate, Depth depth, Probe& out) {
    ProbeRequest request = probe_at(rate, options_, depth);
    for (int limited = 0;;) {
      if (!make(request, out)) return false;
      const int tries = out.spent ? kTriesWhenSpent : kTriesWhenBusy;
      if (out.verdict == ProbeVerdict::kGeneratorLimited && limited++ < tries) continue;
      if (out.verdict != ProbeVerdict::kInsufficient) return true;
      if (request.measure_s * 2 > kLongestProbe) return end(Ended::kInsufficient);
      request.measure_s *= 2;
    }
  }

  bool make(ProbeRequest& request, Probe& out) {
    if (!has_time_for(request)) return false;
    const size_t number = result_.probes.size() + 1;
    request.seed = options_.seed + number;
    observer_.on_begin(number, request, kept_, missed_);
    Result<Probe> done = prober_.probe(request, stop_);
    if (!done.is_ok()) return fail(done.status());
    out = *done;
    result_.probes.push_back(out);
    take(out);
    observer_.on_end(number, out, kept_, missed_);
    if (out.drained && out.verdict != ProbeVerdict::kGeneratorLimited) return true;
    observer_.on_phase("waiting for the target to settle");
    const Status settled = prober_.settle(stop_);
    return settled.is_ok() || fail(settled);
  }

  void take(const Probe& probe) {
    if (probe.verdict == ProbeVerdict::kKept) {
      result_.highest_kept = std::max(result_.highest_kept, probe.rate);
    } else if (probe.verdict == ProbeVerdict::kMissed) {
      if (result_.lowest_missed == 0 || probe.rate < result_.lowest_missed)
        result_.lowest_missed = probe.rate;
      if (!probe.hiccup && (firmly_missed_ == 0 || probe.rate < firmly_missed_)) {
        firmly_missed_ = probe.rate;
        was_full_ = is_full(probe);
      }
      // What an overloaded target still answers is about what it can: the next rates to try.
      if (is_full(probe)) saturated_ = probe.answered;
    }
    set_bracket();
  }

  // From the highest rate kept to the lowest above it that was missed: what was missed below a
  // rate that was kept was most likely disturbed.
  void set_bracket() {
    kept_ = result_.highest_kept;
    missed_ = 0;
    for (const Probe& probe : result_.probes)
      if (probe.verdict == ProbeVerdict::kMissed && probe.rate > kept_ &&
          (missed_ == 0 || probe.rate < missed_))
        missed_ = probe.rate;
  }

  // A bracket rests on single probes, so a miss that a disturbance of the machine may have made is
  // repeated: one with a hiccup, and any that a scout brings, which a stall fills.
  bool probe_surely(double rate, Depth depth, Probe& out) {
    if (!probe(rate, depth, out)) return false;
    const bool doubtful = out.hiccup || depth == Depth::kScout;
    if (out.verdict != ProbeVerdict::kMissed || !doubtful) return true;
    return probe(rate, depth, out);
  }

  double first_rate() const {
    if (options_.from > 0) return options_.from;
    const double one_user = 1 / std::max(result_.baseline->mean_s, 1e-6);
    return std::clamp(one_user / 2, kLowestRate, kHighestRate);
  }

  // Finds a bracket: a rate that is kept and a higher one that is not.
  bool climb() {
    double rate = first_rate();
    double limit = kHighestRate;  // of the generator, as far as it is known
    int halvings = 0;
    Probe last;
    while (true) {
      if (!probe_surely(rate, Depth::kScout, last)) return false;
      if (last.verdict == ProbeVerdict::kGeneratorLimited) {
        limit = rate;
        if (kept_ > 0) return approach_generator(limit);
        if (++halvings > kMostHalvings || rate / kStepDown < kLowestRate)
          return end(Ended::kGenerator);
        rate /= kStepDown;
        continue;
      }
      if (last.verdict == ProbeVerdict::kKept) {
        if (missed_ > 0) return true;
        rate *= 2;
        if (rate >= limit) return approach_generator(limit);
        continue;
      }
      if (kept_ > 0) return true;
      if (++halvings > kMostHalvings || rate / 2 < kLowestRate) return end(Ended::kConverged);
      rate /= 2;
      // From far above the edge, what is completed is a better guess than many overloads.
      if (saturated_ > kLowestRate) rate = std::min(rate, saturated_ / kGeneratorBracket);
    }
  }

  // The generator cannot make `rate`: how much can it, and does the target fail before that?
  bool approach_generator(double limit) {
    Probe last;
    while (kept_ > 0 && limit / kept_ > kGeneratorBracket) {
      const double rate = middle(kept_, limit);
      if (!probe(rate, Depth::kUsual, last)) return false;
      if (last.verdict == ProbeVerdict::kMissed) return true;
      if (last.verdict == ProbeVerdict::kGeneratorLimited) limit = rate;
    }
    return end(Ended::kGenerator);
  }

  // Bisects, on a logarithmic scale, until the bracket is within the tolerance.
  bool narrow() {
    Probe last;
    for (int i = 0; i < kMostBetween && kept_ > 0 && missed_ > 0; ++i) {
      if (missed_ / kept_ <= 1 + options_.tolerance) return true;
      const Depth depth = missed_ / kept_ > kScoutBracket ? Depth::kScout : Depth::kUsual;
      if (!probe_surely(next_between(), depth, last)) return false;
      if (last.verdict == ProbeVerdict::kGeneratorLimited) return approach_generator(last.rate);
    }
    return true;
  }

  // The middle of the bracket, or a rate just beside what the overloaded target completed, when
  // that lies well inside: for a target that simply fills up the bracket is closed in two probes.
  double next_between() {
    const double rate = middle(kept_, missed_);
    const double guess = std::exchange(saturated_, 0.0);
    const double margin = 1 + options_.tolerance;
    const double below = guess / margin;
    const double above = guess * margin;
    if (below > kept_ * margin && below < missed_ / margin) {
      saturated_ = guess;
      return below;
    }
    if (above > kept_ && above < missed_ / margin) return above;
    return rate;
  }

  // Probes on both sides of the estimate in turn, as far from it as it is uncertain, until its
  // interval is within the tolerance.
  bool refine() {
    observer_.on_phase("repeating near the edge");
    bool above = options_.seed % 2 == 0;
    Probe last;
    int limited = 0;
    for (int i = 0; i < kMostAtEdge; ++i, above = !above) {
      const Edge edge = estimate_edge(trials());
      const bool sure = (edge.high - edge.low) / 2 <= options_.tolerance * edge.rate;
      if (i >= kLeastAtEdge && sure) return end(Ended::kConverged);
      const double distance = std::clamp(edge.spread, options_.tolerance / 2, 0.25);
      const double rate = edge.rate * std::exp(above ? distance : -distance);
      const Depth depth = is_blurred() ? Depth::kDeep : Depth::kUsual;
      if (!probe(std::clamp(rate, kLowestRate, kHighestRate), depth, last)) return false;
      if (last.verdict == ProbeVerdict::kGeneratorLimited && ++limited == 2)
        return end(Ended::kGenerator);
    }
    return end(Ended::kProbesUsed);
  }

  // Short probes see too little of a target's slowest requests: where a promise breaks before the
  // target is full, and where a rate was kept well above one that was missed.
  bool is_blurred() const {
    return firmly_missed_ > 0 &&
           (!was_full_ || result_.highest_kept > firmly_missed_ * (1 + options_.tolerance));
  }

  std::vector<Trial> trials() const {
    std::vector<Trial> out;
    for (const Probe& probe : result_.probes)
      if (probe.verdict == ProbeVerdict::kKept || probe.verdict == ProbeVerdict::kMissed)
        out.push_back({probe.rate, probe.verdict == ProbeVerdict::kKept ? TrialEnd::kKept
                                   : probe.hiccup                       ? TrialEnd::kHiccup
                                                                        : TrialEnd::kMissed});
    return out;
  }

  void conclude() {
    const bool missed = result_.lowest_missed > 0;
    if (result_.highest_kept == 0) {
      const bool judged = missed && result_.ended == Ended::kConverged;
      result_.outcome = judged ? Outcome::kNever : Outcome::kUnknown;
    } else if (!missed || result_.ended == Ended::kGenerator) {
      result_.outcome = Outcome::kAtLeast;
    } else {
      result_.outcome = Outcome::kCapacity;
      result_.capacity = estimate_edge(trials());
    }
    if (missed) tell_first_to_fail();
    if (result_.capacity && was_full_) result_.capacity->low /= 1 + kUnseenBacklog;
  }

  // The clause that most of the missed probes near the edge name; further up everything fails, so
  // the lowest of them speaks where none is near.
  void tell_first_to_fail() {
    const double edge = result_.capacity ? result_.capacity->rate : result_.lowest_missed;
    const double near = std::max(edge * kNearEdge, result_.lowest_missed);
    std::map<std::string, size_t> named;
    size_t most = 0;
    for (const Probe& probe : result_.probes) {
      if (probe.verdict != ProbeVerdict::kMissed || probe.rate > near) continue;
      if (++named[probe.clause] <= most) continue;
      most = named[probe.clause];
      result_.first_to_fail = probe.clause;
      result_.first_sentence = probe.why;
    }
  }

  Prober& prober_;
  const SearchOptions& options_;
  SearchObserver& observer_;
  const std::function<double()>& seconds_now_;
  const std::stop_token stop_;
  const double began_;
  double kept_ = 0;           // the bracket: the highest rate kept,
  double missed_ = 0;         // and the lowest missed; 0: none
  double firmly_missed_ = 0;  // the lowest missed without a hiccup; 0: none
  bool was_full_ = false;     // the target, then
  double saturated_ = 0;      // what an overloaded target completed; 0: unknown or used
  SearchResult result_;
};

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCapacity:
      return "capacity";
    case Outcome::kAtLeast:
      return "at_least";
    case Outcome::kNever:
      return "never";
    case Outcome::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view ended_name(Ended ended) {
  switch (ended) {
    case Ended::kConverged:
      return "converged";
    case Ended::kProbesUsed:
      return "probes_used";
    case Ended::kTimeUsed:
      return "time_used";
    case Ended::kGenerator:
      return "generator";
    case Ended::kInsufficient:
      return "insufficient";
    case Ended::kInterrupted:
      return "interrupted";
    case Ended::kFailed:
      return "failed";
  }
  return "failed";
}

ProbeRequest probe_at(double rate, const SearchOptions& options, Depth depth) {
  constexpr double kRequests = 1'000;
  constexpr double kScoutRequests = 100;
  constexpr double kShortest = 2;
  constexpr double kLongest = 10;
  ProbeRequest out;
  out.rate = rate;
  out.measure_s = std::clamp(kRequests / rate, kShortest, kLongest);
  if (depth == Depth::kScout)
    out.measure_s = std::clamp(kScoutRequests / rate, kShortest / 2, kLongest);
  if (depth == Depth::kDeep) out.measure_s = std::min(5 * out.measure_s, kLongest);
  if (options.probe_s > 0) out.measure_s = options.probe_s;
  out.warmup_s = std::clamp(out.measure_s / 4, 0.5, 2.0);
  return out;
}

SearchResult search(Prober& prober, const SearchOptions& options, SearchObserver& observer,
                    const std::function<double()>& seconds_now, std::stop_token stop) {
  return Search(prober, options, observer, seconds_now, std::move(stop)).run();
}

}  // namespace plumb::capacity
