#include "core/report/comparison_words.h"

#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/compare/comparison_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr double kTellingLine = 0.01;  // of the larger mean
constexpr double kLeastChance = 0.001;

std::string in_points(const std::optional<double>& value, const std::string& unit, bool as_share) {
  if (!value) return "–";
  return as_share ? compare::signed_share(*value) : compare::signed_text(value, unit);
}

std::string short_id(const std::string& id) {
  const size_t dash = id.rfind('-');
  return cut(dash == std::string::npos ? id : id.substr(dash + 1), 60);
}

}  // namespace

bool is_share(const json& change) { return text(change, "unit") == "ratio"; }

bool is_verdict(const json& change, const char* verdict) {
  return text(change, "verdict") == verdict;
}

std::string verdict_words(const json& change) {
  if (!is_verdict(change, "insufficient_data")) return text(change, "verdict");
  // What was tested changed, and may be no doing of the service.
  return number(change, "q") ? "left open" : "not enough data";
}

ChangeWords change_words(const json& change, bool in_unit) {
  ChangeWords out;
  const std::string unit = text(change, "unit");
  out.name = text(change, "name");
  out.base = compare::figure_text(number(change, "base"), unit);
  out.run = compare::figure_text(number(change, "run"), unit);
  const bool as_share = !in_unit && !is_share(change) && member(change, "relative").is_object();
  const json& by = member(change, as_share ? "relative" : "difference");
  out.change = in_points(number(by, "value"), unit, as_share);
  out.interval = number(by, "low") ? in_points(number(by, "low"), unit, as_share) + " to " +
                                         in_points(number(by, "high"), unit, as_share)
                                   : "–";
  if (const auto q = number(change, "q"))
    out.chance = *q < kLeastChance ? "< 0.001" : grouped(*q, 3);
  out.verdict = verdict_words(change);
  out.reason = text(change, "reason");
  return out;
}

std::string compared_runs_text(const json& comparison) {
  const json& base = list(comparison, "base");
  std::string out = "run " + cut(text(member(comparison, "run"), "id"), 60) + " against ";
  const std::string name = text(comparison, "baseline");
  if (base.size() > 1) out += std::to_string(base.size()) + " runs";
  if (!name.empty())
    out += std::string(base.size() > 1 ? " (" : "") + "baseline " + cut(name, 70) +
           (base.size() > 1 ? ")" : "");
  if (base.size() > 1 || !name.empty()) out += base.size() > 1 ? ": " : ", run ";
  std::string ids;
  for (size_t i = 0; i < base.size() && i < 10; ++i)
    ids += (i == 0 ? "" : ", ") +
           (base.size() > 1 ? short_id(text(base[i], "id")) : cut(text(base[i], "id"), 60));
  if (base.size() == 1 && name.empty()) out += "run ";
  return out + ids + (base.size() > 10 ? ", …" : "");
}

std::string method_text(const json& comparison) {
  const json& run = member(comparison, "run");
  const json& method = member(comparison, "method");
  std::string out = grouped(number(run, "window_s").value_or(0)) + " s";
  if (number(run, "blocks").value_or(0) > 0)
    out += " in " + grouped(*number(run, "blocks")) + " blocks of " +
           grouped(number(run, "block_s").value_or(0)) + " s";
  const double tested = number(method, "tested").value_or(0);
  if (tested <= 0) return out;
  return out + "; " + grouped(tested) + " figures tested, at most " +
         grouped(number(method, "false_share").value_or(0) * 100) +
         "% of the changes told are chance";
}

std::vector<const json*> telling_queries(const json& comparison, size_t most) {
  std::vector<const json*> out;
  for (const json& query : list(comparison, "queries"))
    if (!is_verdict(query, "same") && out.size() < most) out.push_back(&query);
  return out;
}

double ledger_sum(const json& comparison, const char* side) {
  double sum = 0;
  for (const json& line : list(member(comparison, "ledger"), "lines"))
    sum += number(line, side).value_or(0);
  return sum;
}

std::vector<const json*> telling_lines(const json& comparison) {
  const double whole = std::max(ledger_sum(comparison, "base"), ledger_sum(comparison, "run"));
  std::vector<const json*> out;
  for (const json& line : list(member(comparison, "ledger"), "lines"))
    if (!is_verdict(line, "same") ||
        std::fabs(number(member(line, "difference"), "value").value_or(0)) >= kTellingLine * whole)
      out.push_back(&line);
  return out;
}

std::string environment_text(const json& difference) {
  const std::string base = cut(text(difference, "base"), 80);
  const std::string run = cut(text(difference, "run"), 80);
  return cut(text(difference, "key"), 80) + (run.empty() ? " is not there" : " is " + run) +
         (base.empty() ? " and was not there" : " and was " + base);
}

std::string flame_command(const json& comparison) {
  const json& base = list(comparison, "base");
  if (!flag(comparison, "stacks") || base.empty()) return {};
  return "plumb report " + short_id(text(member(comparison, "run"), "id")) + " --diff " +
         short_id(text(base[0], "id")) + " --format html -o difference.html";
}

}  // namespace plumb::report
