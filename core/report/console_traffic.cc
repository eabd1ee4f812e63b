#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/number_text.h"
#include "core/report/console_page.h"
#include "core/report/json_read.h"
#include "core/report/load_text.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostEndpoints = 15;
constexpr size_t kMostStages = 15;

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) out.append(out.empty() ? "" : between).append(part);
  return out;
}

std::string totals_line(const ConsolePage& page, const json& report) {
  const auto value = [&](const std::string& name) { return fact_value(report, name); };
  std::vector<std::string> parts;
  if (const auto count = value("requests.count")) {
    parts.push_back(grouped(*count) + " requests");
    if (const auto rate = value("requests.rate")) parts.push_back(value_text(*rate, "requests/s"));
    for (const std::string name : {"p50", "p95", "p99"})
      if (const auto seconds = value("latency." + name))
        parts.push_back(name + " " + short_seconds(*seconds));
    if (const auto failed = value("requests.failed")) {
      parts.push_back("errors " + grouped(*failed));
      if (const auto ratio = value("requests.error_rate"); ratio && *ratio > 0)
        parts.back() += " (" + ratio_text(*ratio) + ")";
    }
  } else {
    parts.emplace_back("no requests were counted");
  }
  const std::string status = spaced(text(member(report, "validity"), "status"));
  const std::string measurement = "measurement: " + (status.empty() ? "unknown" : status);
  const std::string wide = joined(parts, "   ");
  const std::string words =
      columns_of(wide) + 3 + columns_of(measurement) <= page.width() ? wide : joined(parts, "  ");
  const size_t used = columns_of(words) + columns_of(measurement);
  if (used + 2 > page.width()) return words + "\n" + measurement;
  return words + std::string(page.width() - used, ' ') + measurement;
}

}  // namespace

void print_head(ConsolePage& page, const json& report) {
  const json& run = member(report, "run");
  const std::string id = text(run, "id");
  std::string words;
  for (const std::string& part :
       {text(run, "name"), id.empty() ? id : "run " + id, window_text(report), load_text(report)})
    if (!part.empty()) words += (words.empty() ? "" : "   ") + part;
  page.line(page.painted(cut(words, page.width()), Ink::kBold));
  page.line(totals_line(page, report));
  for (const std::string& sentence : spike_sentences(report))
    page.line(cut(sentence, page.width()));
  page.line();
}

void print_failures(ConsolePage& page, const json& report) {
  constexpr size_t kMost = 3;
  std::vector<const json*> rows;
  for (const json& error : list(report, "errors")) rows.push_back(&error);
  if (rows.empty() || fact_value(report, "requests.failed").value_or(0) <= 0) return;
  std::stable_sort(rows.begin(), rows.end(), [](const json* a, const json* b) {
    return number(*a, "count").value_or(0) > number(*b, "count").value_or(0);
  });
  page.line(page.painted("Failed requests (of the whole run)", Ink::kBold));
  for (size_t i = 0; i < rows.size() && i < kMost; ++i) {
    const std::string example = text(*rows[i], "example");
    const auto count = number(*rows[i], "count");
    page.line(cut("  " + (count ? grouped(*count) : "–") + " × " + text(*rows[i], "endpoint") +
                      ": " + (example.empty() ? text(*rows[i], "status") : example),
                  page.width()));
  }
  if (rows.size() > kMost)
    page.line("  and " + grouped(static_cast<double>(rows.size() - kMost)) + " more kinds");
  page.line();
}

// One by one where there is more than one, the busiest first.
void print_endpoints(ConsolePage& page, const json& report) {
  std::vector<const json*> rows;
  for (const json& endpoint : list(report, "endpoints")) rows.push_back(&endpoint);
  if (rows.size() < 2) return;
  std::stable_sort(rows.begin(), rows.end(), [](const json* a, const json* b) {
    return number(*a, "requests").value_or(0) > number(*b, "requests").value_or(0);
  });
  size_t name_width = columns_of("Endpoint");
  for (const json* row : rows)
    name_width = std::max(name_width, std::min<size_t>(columns_of(text(*row, "endpoint")),
                                                       page.width() > 90 ? page.width() - 66 : 24));
  static constexpr std::pair<const char*, const char*> kTimes[] = {{"mean_ms", "mean"},
                                                                   {"p50_ms", "p50"},
                                                                   {"p95_ms", "p95"},
                                                                   {"p99_ms", "p99"},
                                                                   {"max_ms", "max"}};
  const bool narrow = page.width() < name_width + 64;
  std::string head = "  " + fill_right("Endpoint", name_width) + fill_left("requests", 11) +
                     fill_left("per s", 9) + fill_left("failed", 8);
  for (const auto& [key, title] : kTimes)
    if (!narrow || key[0] == 'p') head += fill_left(title, 8);
  page.line(page.painted("What the client saw, in ms", Ink::kBold));
  page.line(page.painted(head, Ink::kSoft));
  for (size_t i = 0; i < rows.size() && i < kMostEndpoints; ++i) {
    const json& row = *rows[i];
    const auto count = [&](const char* key) {
      const auto value = number(row, key);
      return value ? grouped(*value) : std::string("–");
    };
    const auto rate = number(row, "rate");
    std::string words = "  " + fill_right(text(row, "endpoint"), name_width) +
                        fill_left(count("requests"), 11) +
                        fill_left(rate ? grouped(*rate, *rate < 100 ? 1 : 0) : "–", 9) +
                        fill_left(count("failed"), 8);
    for (const auto& [key, title] : kTimes) {
      const auto ms = number(row, key);
      if (!narrow || key[0] == 'p') words += fill_left(ms ? milliseconds_text(*ms) : "–", 8);
    }
    page.line(words);
  }
  if (rows.size() > kMostEndpoints)
    page.line("  … and " + grouped(static_cast<double>(rows.size() - kMostEndpoints)) + " more");
  page.line();
}

void print_stages(ConsolePage& page, const json& report) {
  const json& stages = list(report, "stages");
  if (stages.empty()) return;
  size_t name_width = columns_of("Stage");
  for (const json& stage : stages)
    name_width = std::max(name_width, std::min<size_t>(columns_of(text(stage, "name")), 20));
  page.line(page.painted("Stage by stage", Ink::kBold));
  page.line(page.painted("  " + fill_right("Stage", name_width) + fill_left("per s", 9) +
                             fill_left("failed", 9) + fill_left("p95 ms", 9) +
                             fill_left("mean ms", 9) + "  Bottleneck",
                         Ink::kSoft));
  for (size_t i = 0; i < stages.size() && i < kMostStages; ++i) {
    const json& stage = stages[i];
    const auto ms = [&](const char* key) {
      const auto value = number(stage, key);
      return value ? milliseconds_text(*value) : std::string("–");
    };
    const double rate = number(stage, "rate").value_or(0);
    const json& verdict = member(stage, "verdict");
    const std::string cause = text(member(verdict, "bottleneck"), "cause");
    page.line(cut("  " + fill_right(cut_middle(text(stage, "name"), name_width), name_width) +
                      fill_left(grouped(rate, rate < 100 ? 1 : 0), 9) +
                      fill_left(ratio_text(number(stage, "error_rate").value_or(0)), 9) +
                      fill_left(ms("p95_ms"), 9) + fill_left(ms("total_ms"), 9) + "  " +
                      (cause.empty() ? text(verdict, "label") : cause),
                  page.width()));
  }
  if (stages.size() > kMostStages)
    page.line("  … and " + grouped(static_cast<double>(stages.size() - kMostStages)) + " more");
  page.line();
}

}  // namespace plumb::report
