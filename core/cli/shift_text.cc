#include "core/cli/shift_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/base/json_text.h"
#include "core/base/number_text.h"
#include "core/cli/terminal.h"
#include "core/report/csv_text.h"
#include "core/report/markdown_text.h"
#include "core/report/plain_text.h"

namespace plumb::cli {
namespace {

using imports::MetricTable;
using imports::Shift;
using imports::ShiftReport;

// Six digits, as many as mean something in a median.
std::string figure(double value) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.6g", value);
  return out.data();
}

// As the table has its times: 2026-11-21T13:38:59Z, or seconds since its start.
std::string moment(const MetricTable& table, int64_t time_ns) {
  if (table.relative) return figure(static_cast<double>(time_ns) / 1e9) + " s";
  const auto seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> out{};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string span_text(const MetricTable& table, const imports::TimeSpan& span) {
  return moment(table, span.start_ns) + " to " + moment(table, span.end_ns);
}

std::string change_text(const Shift& shift) {
  if (shift.normal == 0) return shift.abnormal == 0 ? "none" : "from 0";
  const double change = (shift.abnormal - shift.normal) / std::fabs(shift.normal) * 100;
  if (std::fabs(change) >= 1e5) return change > 0 ? "> 1,000x" : "< -1,000x";
  return (change > 0 ? "+" : "") + grouped(change, std::fabs(change) < 10 ? 1 : 0) + "%";
}

std::string score_text(const Shift& shift) {
  return (shift.score > 0 ? "+" : "") + grouped(shift.score, std::fabs(shift.score) < 100 ? 1 : 0);
}

const char* direction(const Shift& shift) {
  return shift.score > 0 ? "up" : shift.score < 0 ? "down" : "same";
}

// Those that moved, at most `top`.
std::vector<const Shift*> leading(const ShiftReport& report, size_t top) {
  std::vector<const Shift*> out;
  for (const Shift& shift : report.shifts)
    if (shift.score != 0 && out.size() < top) out.push_back(&shift);
  return out;
}

std::string counted(size_t count, const std::string& thing) {
  return grouped(static_cast<double>(count)) + " " + thing + (count == 1 ? "" : "s");
}

std::vector<std::string> remarks(const ShiftReport& report, const MetricTable& table) {
  std::vector<std::string> out;
  out.push_back(grouped(static_cast<double>(report.beyond_chance)) + " of " +
                grouped(static_cast<double>(report.shifts.size())) +
                " metrics moved further than chance would move them (Benjamini-Hochberg, at most "
                "5% of those marked * falsely). Moving together is no proof of cause: take the "
                "order as where to look first.");
  if (report.too_few > 0)
    out.push_back("Left out, with fewer than three numbers in one of the windows: " +
                  counted(report.too_few, "metric") + ".");
  if (table.stride > 1)
    out.push_back("The file is too large to be held whole: one in " +
                  grouped(static_cast<double>(table.stride)) + " rows was used.");
  if (table.words > 0)
    out.push_back(
        "Taken as missing, for a word instead of a number: " + counted(table.words, "cell") + ".");
  return out;
}

const std::vector<std::string> kHeading = {"",       "METRIC",   "SHIFT",  "",
                                           "NORMAL", "ABNORMAL", "CHANGE", "BEGAN"};

std::vector<std::string> row_of(const Shift& shift, const MetricTable& table) {
  return {shift.beyond_chance ? "*" : " ",
          shift.metric,
          score_text(shift),
          direction(shift),
          figure(shift.normal),
          figure(shift.abnormal),
          change_text(shift),
          shift.began_ns ? moment(table, *shift.began_ns) : "–"};
}

std::string title(const MetricTable& table, const imports::TimeSpan& normal,
                  const imports::TimeSpan& abnormal, const ShiftTextOptions& options) {
  return options.file + ": normal " + span_text(table, normal) + ", abnormal " +
         span_text(table, abnormal);
}

std::string shift_console(const ShiftReport& report, const MetricTable& table,
                          const std::string& heading, size_t top) {
  std::string out = report::one_line(heading) + "\n\n";
  std::vector<std::vector<std::string>> rows = {kHeading};
  for (const Shift* shift : leading(report, top)) rows.push_back(row_of(*shift, table));
  out += rows.size() > 1 ? aligned(rows) : "No metric moved.\n";
  out += "\nSHIFT counts spreads of the normal window (robust, by medians).\n";
  for (const std::string& remark : remarks(report, table)) out += remark + "\n";
  return out;
}

std::string shift_markdown(const ShiftReport& report, const MetricTable& table,
                           const std::string& heading, size_t top) {
  std::string out = "# What shifted\n\n" + report::markdown_text(heading) + "\n\n";
  out +=
      "| | Metric | Shift | | Normal | Abnormal | Change | Began |\n"
      "|---|---|---:|---|---:|---:|---:|---|\n";
  for (const Shift* shift : leading(report, top)) {
    std::vector<std::string> cells = row_of(*shift, table);
    for (std::string& cell : cells) cell = report::markdown_cell(cell);
    out += report::markdown_row(cells);
  }
  for (const std::string& remark : remarks(report, table))
    out += "\n" + report::markdown_text(remark) + "\n";
  return out;
}

std::string shift_csv(const ShiftReport& report, const MetricTable& table, size_t top) {
  std::string out =
      "metric,shift,direction,normal_median,abnormal_median,p,beyond_chance,began,normal_samples,"
      "abnormal_samples\n";
  for (const Shift* shift : leading(report, top))
    out += report::csv_field(report::one_line(shift->metric)) + "," + figure(shift->score) + "," +
           direction(*shift) + "," + figure(shift->normal) + "," + figure(shift->abnormal) + "," +
           figure(shift->p) + "," + (shift->beyond_chance ? "true" : "false") + "," +
           (shift->began_ns ? moment(table, *shift->began_ns) : "") + "," +
           std::to_string(shift->normal_samples) + "," + std::to_string(shift->abnormal_samples) +
           "\n";
  return out;
}

nlohmann::json span_json(const MetricTable& table, const imports::TimeSpan& span) {
  return {{"start", moment(table, span.start_ns)}, {"end", moment(table, span.end_ns)}};
}

std::string shift_json(const ShiftReport& report, const MetricTable& table,
                       const imports::TimeSpan& normal, const imports::TimeSpan& abnormal,
                       const ShiftTextOptions& options) {
  nlohmann::json shifts = nlohmann::json::array();
  for (const Shift* shift : leading(report, options.top))
    shifts.push_back({{"metric", shift->metric},
                      {"shift", shift->score},
                      {"direction", direction(*shift)},
                      {"normal_median", shift->normal},
                      {"abnormal_median", shift->abnormal},
                      {"p", shift->p},
                      {"beyond_chance", shift->beyond_chance},
                      {"began", shift->began_ns ? nlohmann::json(moment(table, *shift->began_ns))
                                                : nlohmann::json()},
                      {"normal_samples", shift->normal_samples},
                      {"abnormal_samples", shift->abnormal_samples}});
  return json_text({{"file", options.file},
                    {"normal", span_json(table, normal)},
                    {"abnormal", span_json(table, abnormal)},
                    {"rows", table.rows_read},
                    {"metrics", table.names.size()},
                    {"compared", report.shifts.size()},
                    {"too_few_samples", report.too_few},
                    {"beyond_chance", report.beyond_chance},
                    {"shifts", std::move(shifts)},
                    {"notes", remarks(report, table)}},
                   2) +
         "\n";
}

}  // namespace

const std::vector<std::string>& shift_formats() {
  static const std::vector<std::string> formats = {"console", "json", "csv", "md"};
  return formats;
}

std::string shift_text(const ShiftReport& report, const MetricTable& table,
                       const imports::TimeSpan& normal, const imports::TimeSpan& abnormal,
                       const ShiftTextOptions& options) {
  if (options.format == "json") return shift_json(report, table, normal, abnormal, options);
  if (options.format == "csv") return shift_csv(report, table, options.top);
  const std::string heading = title(table, normal, abnormal, options);
  if (options.format == "md") return shift_markdown(report, table, heading, options.top);
  return shift_console(report, table, heading, options.top);
}

}  // namespace plumb::cli
