#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/report/comparison.h"
#include "core/report/comparison_words.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostLines = 8;
constexpr size_t kMostQueries = 6;
constexpr size_t kMostSurroundings = 8;
constexpr size_t kMostBar = 20;

struct Column {
  size_t width;  // 0: there is no room for it
  bool right;
};

class ComparisonConsole {
 public:
  ComparisonConsole(const json& comparison, const ConsoleOptions& options)
      : comparison_(comparison),
        options_(options),
        width_(static_cast<size_t>(std::clamp(options.width, 60, 200))) {}

  std::string text_of() {
    head();
    verdict();
    client();
    ledger();
    queries();
    surroundings();
    tail();
    return std::move(out_);
  }

 private:
  void line(const std::string& words = {}) { out_ += words + "\n"; }

  std::string painted(const std::string& words, const char* code) const {
    return options_.color ? "\x1b[" + std::string(code) + "m" + words + "\x1b[0m" : words;
  }

  void hanging(const std::string& first, const std::string& words, const char* code = nullptr) {
    const size_t indent = columns_of(first);
    bool head = true;
    for (const std::string& part : wrap(words, width_ - indent)) {
      line((head ? (code != nullptr ? painted(first, code) : first) : std::string(indent, ' ')) +
           part);
      head = false;
    }
  }

  static const char* code_of(const std::string& verdict) {
    if (verdict == "regressed" || verdict == "Threat") return "1;31";
    if (verdict == "improved" || verdict == "Stable") return "1;32";
    return "1;33";
  }

  void head() {
    for (const std::string& words :
         {text(member(comparison_, "run"), "name") + "   " + compared_runs_text(comparison_),
          "measured " + method_text(comparison_)})
      for (const std::string& part : wrap(words, width_)) line(part);
    line();
  }

  void verdict() {
    const json& verdict = member(comparison_, "verdict");
    std::string label = text(verdict, "label");
    std::string first = label.empty() ? "INCONCLUSIVE" : label;
    std::transform(first.begin(), first.end(), first.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    hanging(first + "  ", text(verdict, "conclusion"), code_of(label));
    line();
  }

  // A row of columns, the verdict in its colour at the end.
  void row(const std::vector<std::string>& cells, const std::vector<Column>& columns,
           const std::string& verdict) {
    std::string out = "  ";
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].width == 0) continue;
      out += (columns[i].right ? fill_left(cells[i], columns[i].width)
                               : fill_right(cells[i], columns[i].width)) +
             "  ";
    }
    const bool plain = verdict.empty() || verdict == "same" || verdict == "not enough data" ||
                       verdict == "left open" || verdict == "verdict";
    out += plain ? verdict : painted(verdict, code_of(verdict));
    while (out.back() == ' ') out.pop_back();
    line(out);
  }

  void client() {
    const json& rows = list(comparison_, "client");
    if (rows.empty()) return;
    const std::vector<Column> columns = {
        {is_narrow() ? 14U : 22U, false}, {is_narrow() ? 0U : 10U, true}, {10, true}, {8, true},
        {is_wide() ? 20U : 0U, true},     {is_wide() ? 7U : 0U, true}};
    line(painted("What the client saw", "1"));
    row({"", "base", "run", "change", "95% interval", "q"}, columns, "verdict");
    std::string subject;
    for (const json& change : rows) {
      if (const std::string now = text(change, "subject"); now != subject) {
        subject = now;
        // Endpoints that are as they were would bury the others.
        if (!any_told(rows, subject)) {
          line("  " + cut(subject, width_ - 14) + ": the same");
          continue;
        }
      } else if (!subject.empty() && !any_told(rows, subject)) {
        continue;
      }
      const ChangeWords words = change_words(change, false);
      row({cut_middle(words.name, columns[0].width), words.base, words.run, words.change,
           words.interval, words.chance},
          columns, words.verdict);
    }
    reasons(rows);
    line();
  }

  bool is_narrow() const { return width_ < 80; }
  bool is_wide() const { return width_ >= 92; }

  static bool any_told(const json& rows, const std::string& subject) {
    return std::any_of(rows.begin(), rows.end(), [&](const json& row) {
      return text(row, "subject") == subject &&
             (is_verdict(row, "regressed") || is_verdict(row, "improved"));
    });
  }

  void reasons(const json& rows) {
    std::vector<std::string> told;
    for (const json& row : rows) {
      const std::string reason = text(row, "reason");
      if (reason.empty() || told.size() >= 3 ||
          std::find(told.begin(), told.end(), reason) != told.end())
        continue;
      told.push_back(reason);
      hanging("  " + verdict_words(row) + ": ", reason);
    }
  }

  void ledger() {
    const json& lines = list(member(comparison_, "ledger"), "lines");
    const auto difference = number(member(comparison_, "ledger"), "difference_ms");
    if (lines.empty() || !difference) return;
    line(painted("Where the mean's " + signed_ms(*difference) + " ms comes from, in ms per request",
                 "1"));
    const std::vector<const json*> shown = telling_lines(comparison_);
    if (shown.empty()) {
      line("  No layer's time changed by as much as 1% of the mean.");
      line();
      return;
    }
    const size_t figure = is_narrow() ? 0 : 8;
    const std::vector<Column> columns = {
        {11, false}, {is_wide() ? 38U : 21U, false}, {figure, true}, {figure, true}, {8, true}};
    row({"layer", "", "base", "run", "change"}, columns, "verdict");
    double largest = 0;
    for (const json* one : shown) largest = std::max(largest, std::fabs(change_of(*one)));
    for (size_t i = 0; i < shown.size() && i < kMostLines; ++i) {
      const json& one = *shown[i];
      const double by = change_of(one);
      const std::string verdict = verdict_words(one);
      const auto length =
          static_cast<size_t>(std::lround(static_cast<double>(kMostBar) * std::fabs(by) / largest));
      std::string bar;
      if (width_ >= 116)
        for (size_t j = 0; j < length; ++j) bar += by > 0 ? "█" : "░";
      row({text(one, "layer"), text(one, "label"), ms_of(one, "base"), ms_of(one, "run"),
           signed_ms(by)},
          columns, bar.empty() ? verdict : fill_right(verdict, 10) + bar);
    }
    row({"", "sum of all lines", milliseconds_text(ledger_sum(comparison_, "base") * 1e3),
         milliseconds_text(ledger_sum(comparison_, "run") * 1e3), signed_ms(*difference)},
        columns, "");
    line();
  }

  static double change_of(const json& row) {
    return number(member(row, "difference"), "value").value_or(0) * 1e3;
  }
  static std::string ms_of(const json& row, const char* side) {
    const auto value = number(row, side);
    return value ? milliseconds_text(*value * 1e3) : "–";
  }
  static std::string signed_ms(double ms) {
    return (ms > 0 ? "+" : ms < 0 ? "-" : "") + milliseconds_text(std::fabs(ms));
  }

  void queries() {
    const std::vector<const json*> rows = telling_queries(comparison_, kMostQueries);
    if (rows.empty()) return;
    line(painted("Queries", "1"));
    for (const json* query : rows) {
      const ChangeWords words = change_words(*query, false);
      hanging("  " + fill_right(text(*query, "subject"), 18) + "  ",
              words.name + ": " + words.base + " → " + words.run +
                  (words.reason.empty() ? " (" + words.change + ", " + words.verdict + ")"
                                        : " (" + words.reason + ")"));
      line("    " + cut(text(*query, "label"), width_ - 4));
    }
    line();
  }

  void surroundings() {
    const json& rows = list(comparison_, "environment");
    if (rows.empty()) return;
    line(painted("What differs beside the service", "1"));
    size_t shown = 0;
    for (const json& row : rows) {
      if (++shown > kMostSurroundings) break;
      const std::string weight = text(row, "weight");
      const bool heavy = weight != "note";
      hanging(heavy ? "  WARNING  " : "           ", environment_text(row),
              heavy ? "1;33" : nullptr);
    }
    if (rows.size() > kMostSurroundings)
      line("  … and " + std::to_string(rows.size() - kMostSurroundings) + " more");
    line();
  }

  void tail() {
    for (const std::string& note : texts(comparison_, "notes")) hanging("Note: ", note);
    if (const std::string command = flame_command(comparison_); !command.empty())
      line("Which functions: " + command);
  }

  const json& comparison_;
  const ConsoleOptions& options_;
  const size_t width_;
  std::string out_;
};

}  // namespace

std::string comparison_to_console(const json& comparison, const ConsoleOptions& options) {
  return ComparisonConsole(comparison, options).text_of();
}

}  // namespace plumb::report
