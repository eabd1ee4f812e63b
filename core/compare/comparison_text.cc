#include "core/compare/comparison_text.h"

#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"

namespace plumb::compare {
namespace {

constexpr double kThreatRelative = 0.2;
constexpr double kThreatErrors = 0.01;
constexpr size_t kLongestStatement = 60;

bool is_regressed(const Change& change) { return change.verdict == ChangeVerdict::kRegressed; }

bool is_threat(const Change& change) {
  if (!is_regressed(change)) return false;
  if (change.metric == "error_rate") return *change.difference >= kThreatErrors;
  return std::fabs(change.relative(change.difference).value_or(0)) >= kThreatRelative;
}

std::string short_statement(const std::string& statement) {
  if (statement.size() <= kLongestStatement) return statement;
  size_t end = kLongestStatement;
  // Not within a character.
  while (end > 0 && (static_cast<unsigned char>(statement[end]) & 0xc0U) == 0x80U) --end;
  return statement.substr(0, end) + "…";
}

// "p95 rose from 62.0 ms to 80.1 ms (+29%)"
std::string told(const Change& change) {
  std::string out = change_name(change) + (*change.difference > 0 ? " rose" : " fell") + " from " +
                    figure_text(change.base, change.unit) + " to " +
                    figure_text(change.run, change.unit);
  if (const auto share = change.relative(change.difference); share && change.unit != "ratio")
    out += " (" + signed_share(*share) + ")";
  return out;
}

// How much a reader cares: errors, then what most requests see, then throughput; all requests
// before one endpoint's.
int rank_of(const Change& change) {
  static const std::vector<std::string> order = {"error_rate", "p95", "p99",  "p50",
                                                 "mean",       "p90", "p999", "throughput"};
  const auto found = std::find(order.begin(), order.end(), change.metric);
  return static_cast<int>(found - order.begin()) + (change.subject.empty() ? 0 : 100) +
         (is_threat(change) ? 0 : 1000);
}

std::vector<const Change*> with_verdict(const std::vector<Change>& changes, ChangeVerdict verdict) {
  std::vector<const Change*> out;
  for (const Change& change : changes)
    if (change.verdict == verdict) out.push_back(&change);
  std::stable_sort(out.begin(), out.end(),
                   [](const Change* a, const Change* b) { return rank_of(*a) < rank_of(*b); });
  return out;
}

std::string counted(size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string line_name(const std::string& layer, const std::string& label) {
  return label.empty() ? layer : layer + ": " + label;
}

// What changed by more than chance, and yet was not told, is smaller than a change has to be.
std::string nothing_told(const std::vector<Change>& changes, const std::string& of,
                         const CompareOptions& options) {
  const bool small = std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
    return change.verdict == ChangeVerdict::kSame && change.q && *change.q <= options.false_share;
  });
  return of + " changed by " +
         (small ? "as much as counts as a change (" + ratio_text(options.least_relative) + " and " +
                      milliseconds_text(options.least_seconds * 1e3) + " ms)."
                : "more than chance explains.");
}

std::string layers_sentence(const Comparison& comparison) {
  if (comparison.responsible) {
    const Responsible& line = *comparison.responsible;
    const double mean = comparison.mean_difference_ms;
    return " The mean " + std::string(mean > 0 ? "rose" : "fell") + " by " +
           milliseconds_text(std::fabs(mean)) + " ms, of which " +
           signed_text(line.ms / 1e3, "seconds") + " is " + line_name(line.layer, line.label) + ".";
  }
  if (comparison.ledger.empty()) return "";
  return nothing_told(comparison.ledger, " No single layer's time", comparison.options);
}

std::string explanation_sentence(const Comparison& comparison) {
  if (!comparison.explanation) return "";
  const Explanation& cause = *comparison.explanation;
  const std::string base = milliseconds_text(cause.base_ms) + " ms";
  const std::string run = milliseconds_text(cause.run_ms) + " ms";
  if (cause.run_ms > cause.base_ms)
    return (cause.base_ms > 0 ? " Worse than the base's " + base + ": " : " New in the run: ") +
           cause.says;
  return (cause.run_ms > 0 ? " Down to " + run + " from the base's: " : " Gone since the base: ") +
         cause.says;
}

std::string query_sentence(const Comparison& comparison) {
  for (const Change& query : comparison.queries) {
    if (!query.changed()) continue;
    return " Query " + query.subject +
           (query.label.empty() ? "" : " (" + short_statement(query.label) + ")") + ": " +
           change_name(query) + " " + figure_text(query.base, query.unit) + " → " +
           figure_text(query.run, query.unit) + ".";
  }
  return "";
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

}  // namespace

std::string change_name(const Change& change) {
  std::string name = change.metric;
  if (name == "p999") name = "p99.9";
  if (name == "error_rate") name = "error rate";
  if (name == "calls_per_request") name = "calls per request";
  if (name == "time_per_call") name = "time of a call";
  if (name == "time_per_request") return line_name(change.layer, change.label);
  if (change.kind == Kind::kQuery) return name;
  return change.subject.empty() ? name : name + " of " + change.subject;
}

std::string figure_text(const std::optional<double>& value, const std::string& unit) {
  if (!value) return "–";
  if (unit == "calls") return grouped(*value, std::fabs(*value) < 10 ? 2 : 0);
  if (unit == "seconds" && std::fabs(*value) < 1) return milliseconds_text(*value * 1e3) + " ms";
  return value_text(*value, unit);
}

std::string signed_text(const std::optional<double>& value, const std::string& unit) {
  if (!value) return "–";
  std::string size = figure_text(std::fabs(*value), unit);
  // Of a share the difference is told in percentage points.
  if (unit == "ratio" && size.ends_with('%')) size.replace(size.size() - 1, 1, " pp");
  return (*value > 0 ? "+" : *value < 0 ? "-" : "") + size;
}

std::string signed_share(double share) {
  if (std::fabs(share) < 0.00005) return "0%";
  if (share >= 10) return "×" + grouped(1 + share, 0);
  return (share > 0 ? "+" : share < 0 ? "-" : "") + ratio_text(std::fabs(share));
}

std::string risk_label(const Comparison& comparison,
                       const std::vector<std::string>& newly_breached) {
  if (!comparison.insufficient.empty()) return "Inconclusive";
  if (!newly_breached.empty() ||
      std::any_of(comparison.client.begin(), comparison.client.end(), is_threat))
    return "Threat";
  if (!comparison.undecided.empty() && !comparison.regressed()) return "Inconclusive";
  const bool layer_worse =
      std::any_of(comparison.ledger.begin(), comparison.ledger.end(), is_regressed) &&
      comparison.mean_difference_ms > 0;
  return comparison.regressed() || layer_worse ? "Warning" : "Stable";
}

std::string conclusion_of(const Comparison& comparison,
                          const std::vector<std::string>& newly_breached) {
  if (!comparison.insufficient.empty())
    return "Nothing can be said: " + comparison.insufficient + ".";
  const auto worse = with_verdict(comparison.client, ChangeVerdict::kRegressed);
  const auto better = with_verdict(comparison.client, ChangeVerdict::kImproved);
  std::string out;
  if (worse.empty() && better.empty()) {
    out = nothing_told(comparison.client, "No figure that the client sees", comparison.options);
    if (std::any_of(comparison.ledger.begin(), comparison.ledger.end(),
                    [](const Change& line) { return line.changed(); }))
      out += layers_sentence(comparison);
  } else {
    const std::vector<const Change*>& first = worse.empty() ? better : worse;
    out = capitalised(told(*first.front()));
    if (first.size() > 1)
      out += ", and " + counted(first.size() - 1, "more figure is ", "more figures are ") +
             (worse.empty() ? "better" : "worse");
    if (!worse.empty() && !better.empty())
      out += "; " + told(*better.front()) +
             (better.size() > 1 ? ", among others that are better" : "");
    out += "." + layers_sentence(comparison) + explanation_sentence(comparison);
  }
  out += query_sentence(comparison);
  if (!comparison.undecided.empty())
    out += " " + capitalised(comparison.undecided) + ": run it again.";
  if (!newly_breached.empty())
    out += " " + newly_breached.front() + " was met, and is breached now.";
  return out;
}

}  // namespace plumb::compare
