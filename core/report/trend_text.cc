#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "core/base/number_text.h"
#include "core/compare/comparison_text.h"
#include "core/report/csv_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/trend.h"
#include "core/report/trend_words.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr const char* kKeys[] = {"p50_s", "p95_s", "p99_s", "rate", "error_rate"};

std::string unit_of_metric(const std::string& metric) {
  if (metric == "rate") return "requests/s";
  return metric == "error_rate" ? "ratio" : "seconds";
}

}  // namespace

std::string minute_text(const json& run) {
  const auto started = number(run, "started_unix_ms");
  // Up to the year 9999; a forged document may hold anything.
  if (!started || *started < 0 || *started > 253402300799000.0) return "–";
  const auto seconds = static_cast<std::time_t>(*started / 1000);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "–";
  std::array<char, 32> out{};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M", &parts)};
}

std::string trend_change_text(const json& change) {
  const std::string metric = text(change, "metric");
  const std::string unit = unit_of_metric(metric);
  const auto before = number(change, "before");
  const auto after = number(change, "after");
  std::string out = metric == "error_rate" ? "error rate" : cut(metric, 30);
  if (!before || !after) return out;
  out += *after > *before ? " rose" : " fell";
  if (unit != "ratio" && *before > 0) out += " by " + ratio_text(std::fabs(*after / *before - 1));
  return out + ": " + compare::figure_text(before, unit) + " before, " +
         compare::figure_text(after, unit) + " after";
}

std::vector<const json*> changes_at(const json& trend, size_t index) {
  std::vector<const json*> out;
  for (const json& change : list(trend, "changes"))
    if (number(change, "index") == static_cast<double>(index)) out.push_back(&change);
  return out;
}

std::string run_figure(const json& run, const char* key) {
  const std::string_view name = key;
  const char* unit = name == "rate" ? "requests/s" : name == "error_rate" ? "ratio" : "seconds";
  return compare::figure_text(number(run, key), unit);
}

std::string run_verdict(const json& run) {
  if (!flag(run, "valid")) return "not valid";
  const std::string verdict = text(run, "verdict");
  return verdict.empty() ? "–" : verdict;
}

std::string trend_to_console(const json& trend, const ConsoleOptions& options, size_t most_runs) {
  const auto width = static_cast<size_t>(std::clamp(options.width, 60, 200));
  const auto painted = [&](const std::string& words, const char* code) {
    return options.color ? "\x1b[" + std::string(code) + "m" + words + "\x1b[0m" : words;
  };
  const json& runs = list(trend, "runs");
  std::string out = cut(text(trend, "plan"), width - 30) + "   " +
                    grouped(static_cast<double>(runs.size())) + " runs, " +
                    grouped(number(trend, "valid_runs").value_or(0)) + " of them valid\n\n";
  for (const std::string& part : wrap(text(trend, "conclusion"), width))
    out += painted(part, "1") + "\n";
  if (runs.empty()) return out;
  out += "\n  " + fill_right("Run", 22);
  for (const char* head : {"p50", "p95", "p99", "per s", "errors"}) out += fill_left(head, 10);
  out += "  Verdict\n";
  const size_t first = most_runs != 0 && runs.size() > most_runs ? runs.size() - most_runs : 0;
  if (first > 0) out += "  … " + grouped(static_cast<double>(first)) + " earlier runs\n";
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const json* change : changes_at(trend, i)) {
      const std::string words = cut(
          "  ── " + trend_change_text(*change) + (i < first ? ", with an earlier run" : ""), width);
      out += painted(words, flag(*change, "worse") ? "1;31" : "1;32") + "\n";
    }
    if (i < first) continue;
    const json& run = runs[i];
    std::string row = "  " + fill_right(cut_middle(text(run, "id"), 21), 22);
    for (const char* key : kKeys) {
      std::string figure = run_figure(run, key);
      if (std::string_view(key) == "rate" && figure.ends_with("/s"))
        figure.resize(figure.size() - 2);
      row += fill_left(figure, 10);
    }
    const std::string cause = text(run, "cause");
    out += cut(row + "  " + run_verdict(run) + (cause.empty() ? "" : ": " + cause), width) + "\n";
  }
  return out;
}

std::string trend_to_csv(const json& trend) {
  std::string out = "id,started,valid,verdict,cause,p50_s,p95_s,p99_s,rate,error_rate,changed\r\n";
  const json& runs = list(trend, "runs");
  for (size_t i = 0; i < runs.size(); ++i) {
    std::string changed;
    for (const json* change : changes_at(trend, i))
      changed += (changed.empty() ? "" : ";") + text(*change, "metric");
    out += csv_field(text(runs[i], "id")) + "," + csv_field(minute_text(runs[i])) + "," +
           (flag(runs[i], "valid") ? "1" : "0") + "," + csv_field(text(runs[i], "verdict")) + "," +
           csv_field(text(runs[i], "cause"));
    for (const char* key : kKeys) out += "," + csv_figure(number(runs[i], key));
    out += "," + csv_field(changed) + "\r\n";
  }
  return out;
}

}  // namespace plumb::report
