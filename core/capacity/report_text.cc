#include <algorithm>
#include <array>

#include "core/base/number_text.h"
#include "core/capacity/report.h"

namespace plumb::capacity {
namespace {

// A rate with the digits that its size deserves.
std::string rate_text(double rate) { return grouped(rate, rate < 10 ? 2 : rate < 100 ? 1 : 0); }

std::string ms_or_dash(const std::optional<double>& seconds) {
  return seconds ? milliseconds_text(*seconds * 1e3) : "–";
}

std::string verdict_text(const Probe& probe) {
  switch (probe.verdict) {
    case ProbeVerdict::kKept:
      return "kept";
    case ProbeVerdict::kMissed:
      return "missed: " + probe.clause;
    case ProbeVerdict::kGeneratorLimited:
      return "not valid: the generator was the limit";
    case ProbeVerdict::kInsufficient:
      return "not valid: too few requests";
  }
  return "";
}

size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

using Row = std::array<std::string, 8>;

Row row_of(const Probe& probe) {
  return {rate_text(probe.rate),         rate_text(probe.completed), ms_or_dash(probe.p50_s),
          ms_or_dash(probe.p95_s),       ms_or_dash(probe.p99_s),    ratio_text(probe.error_rate),
          seconds_text(probe.measure_s), verdict_text(probe)};
}

// Numbers to the right, the verdict to the left.
std::string table_of(std::vector<Probe> probes) {
  std::stable_sort(probes.begin(), probes.end(),
                   [](const Probe& a, const Probe& b) { return a.rate < b.rate; });
  std::vector<Row> rows = {
      {"rate/s", "ended/s", "p50 ms", "p95 ms", "p99 ms", "errors", "measured", "verdict"}};
  for (const Probe& probe : probes) rows.push_back(row_of(probe));
  std::array<size_t, 8> widths{};
  for (const Row& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  std::string out;
  for (const Row& row : rows) {
    out += " ";
    for (size_t i = 0; i + 1 < row.size(); ++i)
      out += " " + std::string(widths[i] - columns(row[i]) + (i > 0 ? 1 : 0), ' ') + row[i];
    out += "  " + row.back() + "\n";
  }
  return out;
}

std::string promise_text(const plan::Slo& slo) {
  return slo.metric + (slo.endpoint.empty() ? "" : " of " + slo.endpoint) +
         (slo.at_least ? " >= " : " <= ") + slo.written;
}

class Text {
 public:
  explicit Text(const Report& report) : report_(report), search_(report.search) {}

  std::string text_of() {
    head();
    conclusion();
    how_it_ended();
    promises();
    if (!search_.probes.empty()) out_ += "\nProbes\n" + table_of(search_.probes);
    if (report_.stress) breaking_point(*report_.stress);
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }

  void head() {
    line(report_.name + "   capacity search " + report_.id + "   " + report_.url);
    line(grouped(static_cast<double>(search_.probes.size())) + " probes in " +
         seconds_text(search_.seconds) + "\n");
  }

  void conclusion() {
    switch (search_.outcome) {
      case Outcome::kCapacity:
        line("CAPACITY  " + rate_text(search_.capacity->rate) + "/s   (95% interval " +
             rate_text(search_.capacity->low) + " to " + rate_text(search_.capacity->high) + "/s)");
        line("          First to fail above it: " + search_.first_to_fail + ". " +
             search_.first_sentence);
        return;
      case Outcome::kAtLeast:
        line("AT LEAST  " + rate_text(search_.highest_kept) + "/s");
        if (search_.ended == Ended::kGenerator) {
          line("          The generator was the limit, so this is no capacity of the target.");
          if (const Probe* limited = last_limited()) line("          " + limited->why);
        }
        return;
      case Outcome::kNever:
        line("BELOW     " + rate_text(search_.lowest_missed) + "/s");
        line("          Not even the lowest rate tried was kept: " + search_.first_sentence);
        return;
      case Outcome::kUnknown:
        line("UNKNOWN   No rate could be judged.");
        return;
    }
  }

  const Probe* last_limited() const {
    for (auto it = search_.probes.rbegin(); it != search_.probes.rend(); ++it)
      if (it->verdict == ProbeVerdict::kGeneratorLimited) return &*it;
    return nullptr;
  }

  void how_it_ended() {
    switch (search_.ended) {
      case Ended::kConverged:
      case Ended::kGenerator:
        return;
      case Ended::kProbesUsed:
        return line("          The edge is blurred: probes at one rate go either way.");
      case Ended::kTimeUsed:
        return line("          The time was used up; --max-time gives more.");
      case Ended::kInsufficient:
        return line("          The last probe had too few requests to judge it.");
      case Ended::kInterrupted:
        return line("          The search was interrupted; this is what was known by then.");
      case Ended::kFailed:
        return line("          The search ended early: " + search_.failure.message());
    }
  }

  void promises() {
    std::string told;
    for (const plan::Slo& slo : report_.promises)
      told += (told.empty() ? "" : " · ") + promise_text(slo);
    if (!told.empty()) line("\nPromised        " + told + " · no growing backlog");
    if (search_.baseline)
      line("One at a time   p50 " + seconds_text(search_.baseline->p50_s) + "   p99 " +
           seconds_text(search_.baseline->p99_s));
  }

  void breaking_point(const StressResult& stress) {
    line("\nBeyond the capacity");
    if (!stress.probes.empty()) out_ += table_of(stress.probes);
    line("  Peak: " + rate_text(stress.peak) + " answered per second, at " +
         rate_text(stress.peak_at) + "/s.");
    line("  " + breaking_sentence(stress));
    if (stress.recovery) line("  " + recovery_sentence(stress));
  }

  static std::string breaking_sentence(const StressResult& stress) {
    switch (stress.breaking) {
      case Breaking::kErrors:
        return "At " + rate_text(stress.broke_at) + "/s more than half of the requests failed.";
      case Breaking::kCollapse:
        return "At " + rate_text(stress.broke_at) +
               "/s it answered more than a tenth less than at its peak.";
      case Breaking::kGenerator:
        return "The generator could not make more load.";
      case Breaking::kNone:
        return "It did not break, up to ten times its capacity.";
      case Breaking::kStopped:
        return stress.failure.is_ok() ? "The climb was cut short."
                                      : "The climb was cut short: " + stress.failure.message();
    }
    return "";
  }

  static std::string recovery_sentence(const StressResult& stress) {
    const std::string rate = rate_text(stress.recovery_rate) + "/s";
    return stress.recovery->recovered
               ? "Recovery: at " + rate + " the promises were kept again " +
                     seconds_text(stress.recovery->seconds) + " after the overload ended."
               : "No recovery: at " + rate + " the promises were not kept within " +
                     seconds_text(stress.recovery->seconds) + ".";
  }

  const Report& report_;
  const SearchResult& search_;
  std::string out_;
};

}  // namespace

std::string to_console(const Report& report) { return Text(report).text_of(); }

std::string probe_line(const Probe& probe) {
  return rate_text(probe.rate) + "/s  " + verdict_text(probe) + "  p99 " + ms_or_dash(probe.p99_s) +
         " ms  errors " + ratio_text(probe.error_rate);
}

}  // namespace plumb::capacity
