#include <algorithm>
#include <set>

#include "core/base/number_text.h"
#include "core/report/json_read.h"
#include "core/report/load_text.h"
#include "core/report/markdown_text.h"
#include "core/report/matrix_row.h"
#include "core/report/plain_text.h"
#include "core/report/remarks.h"
#include "core/report/report.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostMarkdownRows = 60;
constexpr size_t kLongestCheck = 4000;  // bytes; a command is shown whole or not at all

// A fence longer than any row of backticks in the text.
std::string fenced(const std::string& text, const std::string& indent) {
  size_t longest = 0;
  size_t row = 0;
  for (const char c : text) {
    row = c == '`' ? row + 1 : 0;
    longest = std::max(longest, row);
  }
  const std::string fence(std::max<size_t>(3, longest + 1), '`');
  std::string out = indent + fence + "text\n" + indent;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out + "\n" + indent + fence + "\n";
}

std::string evidence(const json& entry) {
  std::string out;
  for (const std::string& id : texts(entry, "evidence"))
    out += (out.empty() ? "" : " ") + markdown_cell(id);
  return out;
}

std::string ms(const std::optional<double>& value) {
  return value ? milliseconds_text(*value) : "–";
}

std::string more(size_t shown, size_t all) {
  return shown < all
             ? "\n" + grouped(static_cast<double>(all - shown)) + " more are in report.json.\n"
             : "";
}

std::string head(const json& report) {
  const json& run = member(report, "run");
  const json& verdict = member(report, "verdict");
  std::string out = "# " + markdown_text(text(run, "name"), 120) + ": " +
                    markdown_text(text(verdict, "label"), 30) + "\n\n";
  out += "**" + markdown_text(text(verdict, "conclusion")) + "**\n\n";
  if (const std::string what_if = text(verdict, "what_if"); !what_if.empty())
    out += markdown_text(what_if) + "\n\n";
  out += "Run " + markdown_text(text(run, "id"), 80) + ", " + markdown_text(window_text(report));
  if (const std::string load = load_text(report); !load.empty()) out += ", " + markdown_text(load);
  out += ". Measurement: " + markdown_text(spaced(text(member(report, "validity"), "status")), 40) +
         ".\n\n";
  for (const std::string& spike : spike_sentences(report))
    out += "- " + markdown_text(spike) + "\n";
  for (const json& check : list(member(report, "validity"), "checks"))
    if (!flag(check, "passed") && text(check, "name") != "signals-complete")
      out += "- " + markdown_text(text(check, "sentence")) + "\n";
  for (const std::string& event : event_sentences(report))
    out += "- " + markdown_text("Event at " + event) + "\n";
  for (const Unseen& unseen : unseen_stretches(report))
    out += "- " + markdown_text("Not seen: " + unseen.sentence()) + "\n";
  for (const std::string& note : texts(report, "notes")) out += "- " + markdown_text(note) + "\n";
  if (const std::string cost = watching_sentence(report); !cost.empty())
    out += "- " + markdown_text(cost) + "\n";
  return out + "\n";
}

std::string interval(const json& line) {
  const auto low = number(line, "low_ms");
  const auto high = number(line, "high_ms");
  return low && high ? ms(low) + "–" + ms(high) : "–";
}

std::string ledger(const json& report) {
  const json& entries = list(report, "ledger");
  const auto total = number(member(report, "ledger_summary"), "total_ms");
  if (entries.empty() || !total || !is_judged(report)) return {};
  std::string out = "## Where each request's " + ms(total) + " ms goes\n\n";
  out += "| Layer | For | ms | 95% | Share | Evidence |\n|---|---|--:|--:|--:|---|\n";
  for (size_t i = 0; i < entries.size() && i < kMostMarkdownRows; ++i) {
    const auto share = number(entries[i], "share");
    out += markdown_row({markdown_cell(text(entries[i], "layer")),
                         markdown_cell(text(entries[i], "label")), ms(number(entries[i], "ms")),
                         interval(entries[i]), share ? ratio_text(*share) : "–",
                         evidence(entries[i])});
  }
  return out + "\n";
}

std::string changes(const json& report) {
  const json& entries = list(report, "changes");
  if (entries.empty()) return {};
  std::string out = "## What changed under the same load\n\n";
  for (size_t i = 0; i < entries.size() && i < kMostMarkdownRows; ++i)
    out += "- " + markdown_text(text(entries[i], "sentence")) + " (" + evidence(entries[i]) + ")\n";
  return out + more(kMostMarkdownRows, entries.size()) + "\n";
}

std::string stages(const json& report) {
  const json& rows = list(report, "stages");
  if (rows.empty()) return {};
  std::string out =
      "## Stages\n\n| Stage | Rate | Failed | p95, ms | mean, ms | Bottleneck |\n"
      "|---|--:|--:|--:|--:|---|\n";
  for (size_t i = 0; i < rows.size() && i < kMostMarkdownRows; ++i) {
    const json& verdict = member(rows[i], "verdict");
    const std::string cause = text(member(verdict, "bottleneck"), "cause");
    const auto told = [&](const char* key, const char* unit) {
      const auto value = number(rows[i], key);
      return value ? value_text(*value, unit) : std::string("–");
    };
    out += markdown_row({markdown_cell(text(rows[i], "name")), told("rate", "requests/s"),
                         told("error_rate", "ratio"), ms(number(rows[i], "p95_ms")),
                         ms(number(rows[i], "total_ms")),
                         markdown_cell(cause.empty() ? text(verdict, "label") : cause)});
  }
  return out + more(kMostMarkdownRows, rows.size()) + "\n";
}

std::string matrix(const json& report) {
  const json& rows = list(report, "matrix");
  if (rows.empty()) return {};
  std::string out =
      "## Bottleneck matrix\n\n"
      "| Component | Metric | Test | Expected | Actual | Cost, ms/request | Bottleneck? | Evidence "
      "|\n"
      "|---|---|---|--:|--:|--:|---|---|\n";
  for (size_t i = 0; i < rows.size() && i < kMostMarkdownRows; ++i)
    out += markdown_row(
        {markdown_cell(text(rows[i], "component")), markdown_cell(text(rows[i], "metric")),
         markdown_cell(text(rows[i], "test")), markdown_cell(text(rows[i], "expected")),
         markdown_cell(text(rows[i], "actual")), ms(number(rows[i], "cost_ms")),
         flag(rows[i], "bottleneck") ? "**YES**" : row_answer(rows[i]), evidence(rows[i])});
  return out + more(kMostMarkdownRows, rows.size()) + "\n";
}

std::string todo(const json& report) {
  std::string out;
  size_t count = 0;
  for (const json& finding : list(report, "findings")) {
    if (!text(finding, "because_of").empty() || count >= 10) continue;
    out += std::to_string(++count) + ". **" + markdown_text(text(finding, "cause"), 60) + "**, " +
           ms(number(finding, "cost_ms")) +
           " ms of each request: " + markdown_text(text(finding, "says"));
    if (const std::string after = text(finding, "after"); !after.empty())
      out += " It stands out once " + markdown_text(after, 60) + " is gone.";
    out += "\n";
    for (const std::string& advice : texts(finding, "advice"))
      out += "   - " + markdown_text(advice) + "\n";
    if (const std::string check = multiline(finding, "check"); !check.empty())
      out += "\n" +
             (check.size() > kLongestCheck ? "   The command to check it is in report.json.\n"
                                           : fenced(check, "   ")) +
             "\n";
  }
  return out.empty() ? out : "## What to do\n\n" + out + "\n";
}

std::string endpoints(const json& report) {
  const json& rows = list(report, "endpoints");
  if (rows.empty()) return {};
  std::string out =
      "## Endpoints\n\n| Endpoint | Requests | Rate | Failed | p50 ms | p95 ms | p99 ms | max ms "
      "|\n"
      "|---|--:|--:|--:|--:|--:|--:|--:|\n";
  const auto told = [](const json& entry, const char* key, const char* unit) {
    const auto value = number(entry, key);
    return value ? value_text(*value, unit) : std::string("–");
  };
  for (size_t i = 0; i < rows.size() && i < kMostMarkdownRows; ++i)
    out += markdown_row({markdown_cell(text(rows[i], "endpoint")),
                         told(rows[i], "requests", "requests"), told(rows[i], "rate", "requests/s"),
                         told(rows[i], "failed", "requests"), ms(number(rows[i], "p50_ms")),
                         ms(number(rows[i], "p95_ms")), ms(number(rows[i], "p99_ms")),
                         ms(number(rows[i], "max_ms"))});
  return out + more(kMostMarkdownRows, rows.size()) + "\n";
}

std::string objectives(const json& report) {
  const json& rows = list(report, "slos");
  if (rows.empty()) return {};
  std::string out = "## Objectives\n\n| Result | Objective | Evidence |\n|---|---|---|\n";
  for (size_t i = 0; i < rows.size() && i < kMostMarkdownRows; ++i)
    out += markdown_row({flag(rows[i], "met") ? "met" : "**BREACHED**",
                         markdown_cell(text(rows[i], "sentence")), evidence(rows[i])});
  return out + more(kMostMarkdownRows, rows.size()) + "\n";
}

std::string errors(const json& report) {
  const json& rows = list(report, "errors");
  if (rows.empty()) return {};
  std::string out =
      "## Errors\n\n| Endpoint | Class | Status | Count | Example |\n|---|---|---|--:|---|\n";
  for (size_t i = 0; i < rows.size() && i < kMostMarkdownRows; ++i) {
    const auto count = number(rows[i], "count");
    out +=
        markdown_row({markdown_cell(text(rows[i], "endpoint")),
                      markdown_cell(text(rows[i], "class")), markdown_cell(text(rows[i], "status")),
                      count ? grouped(*count) : "–", markdown_cell(text(rows[i], "example"))});
  }
  return out + more(kMostMarkdownRows, rows.size()) + "\n";
}

std::string function_rows(const json& profile, double whole) {
  const bool own = !list(profile, "by_own").empty();
  std::string out = own ? "| Own function, with what runs it | Itself | With what it calls |\n"
                        : "| Function | Itself | With what it calls |\n";
  out += "|---|--:|--:|\n";
  size_t shown = 0;
  for (const json& function : list(profile, own ? "by_own" : "by_self")) {
    if (++shown > 10 || number(function, "self") < 0.001 * whole) break;
    const auto share = [&](const char* key) {
      return ratio_text(number(function, key).value_or(0) / whole);
    };
    out += markdown_row({markdown_cell(text(function, "name")), share("self"), share("total")});
  }
  return out;
}

std::string wait_rows(const json& profile, double whole) {
  std::string out = "| Waiting in | Called by | Share |\n|---|---|--:|\n";
  size_t shown = 0;
  for (const json& wait : list(profile, "waits")) {
    const double weight = number(wait, "weight").value_or(0);
    if (weight < 0.001 * whole || ++shown > 12) continue;
    out += markdown_row(
        {markdown_cell(text(wait, "function")) + (flag(wait, "idle") ? " (for work)" : ""),
         markdown_cell(text(wait, "caller")), ratio_text(weight / whole)});
  }
  return out;
}

std::string profiles(const json& report) {
  std::string out;
  size_t shown = 0;
  for (const json& profile : list(report, "profiles")) {
    const double whole = number(profile, "total").value_or(0);
    if (!(whole > 0) || ++shown > 4) continue;
    out += "## Profile " + markdown_text(text(profile, "name"), 60) + "\n\n" +
           markdown_cell(value_text(whole, text(profile, "unit")) + " in all") + "\n\n" +
           (list(profile, "waits").empty() ? function_rows(profile, whole)
                                           : wait_rows(profile, whole)) +
           "\n";
  }
  return out;
}

// The facts that the tables above name.
std::string facts(const json& report) {
  std::set<std::string> cited;
  for (const char* part : {"ledger", "changes", "matrix", "findings", "slos"})
    for (const json& entry : list(report, part))
      for (const std::string& id : texts(entry, "evidence")) cited.insert(id);
  std::string out;
  size_t shown = 0;
  for (const json& fact : list(report, "facts")) {
    if (cited.count(text(fact, "id")) == 0 || ++shown > 200) continue;
    std::string name = text(fact, "name");
    const json& labels = member(fact, "labels");
    if (labels.is_object())
      for (const auto& [key, value] : labels.items())
        if (value.is_string()) name += " " + key + "=" + value.get<std::string>();
    const auto value = number(fact, "value");
    out += markdown_row({markdown_cell(text(fact, "id")), markdown_cell(name),
                         value ? markdown_cell(value_text(*value, text(fact, "unit"))) : "–",
                         markdown_cell(text(fact, "source"))});
  }
  if (out.empty()) return out;
  return "<details><summary>Evidence</summary>\n\n| Fact | Name | Value | Source "
         "|\n|---|---|--:|---|\n" +
         out + "\n</details>\n";
}

}  // namespace

std::string to_markdown(const json& report) {
  return head(report) + todo(report) + ledger(report) + changes(report) + stages(report) +
         matrix(report) + endpoints(report) + profiles(report) + objectives(report) +
         errors(report) + facts(report);
}

}  // namespace plumb::report
