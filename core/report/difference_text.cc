#include "core/report/difference_text.h"

#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/report/difference.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostListed = 10;

std::string run_name(const json& run) {
  const std::string id = text(run, "id");
  return cut(id.empty() ? text(run, "name") : id, 60);
}

double total_of(const json& difference, const char* side) {
  return number(member(difference, side), "total").value_or(0) * scale_in(difference, side);
}

void list_changes(const json& difference, const char* key, const std::string& title, size_t width,
                  std::string& out) {
  const json& rows = list(difference, key);
  if (rows.empty()) return;
  // A change is a share of the heavier of the two wholes, not of what the function was.
  out += title + ", by share of the whole\n";
  out += fill_left("of whole", 10) + fill_left("base", 11) + fill_left("run", 11) +
         "  function itself\n";
  size_t shown = 0;
  for (const json& row : rows) {
    if (++shown > kMostListed) break;
    const auto weight = [&](const char* side) {
      return fill_left(scaled_text(difference, number(row, side).value_or(0)), 11);
    };
    out += cut("  " + fill_left(change_text(number(row, "change").value_or(0)), 8) +
                   weight("base") + weight("run") + "  " + text(row, "name"),
               width) +
           "\n";
  }
  out += "\n";
}

}  // namespace

double scale_in(const json& difference, const char* side) {
  const auto scale = number(member(difference, "scale"), side);
  return scale && *scale > 0 ? *scale : 1;
}

std::string scaled_text(const json& difference, double weight) {
  const std::string unit = text(difference, "unit");
  const std::string basis = text(difference, "basis");
  if (basis == "share") return ratio_text(weight);
  if (basis == "second" && unit == "seconds") return seconds_text(weight) + "/s";
  if (basis == "request" && unit == "seconds") {
    // One unit for all of them: small ones stand beside large ones.
    const double whole = std::max(total_of(difference, "run"), total_of(difference, "base"));
    return whole < 0.01 ? grouped(weight * 1e6) + " µs" : seconds_text(weight);
  }
  return value_text(weight, unit) + (basis == "second" ? "/s" : "");
}

std::string basis_text(const json& difference) {
  const std::string basis = text(difference, "basis");
  if (basis == "request") return "of each request";
  return basis == "second" ? "of each second" : "of its profile";
}

std::string change_text(double change) {
  return (change > 0 ? "+" : change < 0 ? "-" : "") + ratio_text(std::fabs(change));
}

std::string difference_sentence(const json& difference) {
  const double run = total_of(difference, "run");
  const double base = total_of(difference, "base");
  std::string out = text(difference, "profile") + ": " + scaled_text(difference, run) + " " +
                    basis_text(difference) + " in run " + run_name(member(difference, "run")) +
                    ", " + scaled_text(difference, base) + " in its base " +
                    run_name(member(difference, "base"));
  if (text(difference, "basis") == "share" || !(base > 0)) return out + ".";
  const double change = run / base - 1;
  if (std::fabs(change) < 0.005) return out + ": the same.";
  return out + ": " + ratio_text(std::fabs(change)) + (change > 0 ? " more." : " less.");
}

std::string difference_to_console(const json& difference, const ConsoleOptions& options) {
  const auto width = static_cast<size_t>(std::clamp(options.width, 60, 200));
  std::string out;
  for (const std::string& line : wrap(difference_sentence(difference), width)) out += line + "\n";
  out += "\n";
  std::string lists;
  list_changes(difference, "gained", "Gained", width, lists);
  list_changes(difference, "lost", "Lost", width, lists);
  return out +
         (lists.empty() ? "No function gained or lost as much as 0.05% of the whole.\n" : lists);
}

}  // namespace plumb::report
