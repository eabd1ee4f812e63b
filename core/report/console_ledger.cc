#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/number_text.h"
#include "core/report/console_page.h"
#include "core/report/json_read.h"
#include "core/report/matrix_row.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kLayerColumns = 12;
constexpr size_t kNumberColumns = 8;
constexpr size_t kMostBar = 28;
constexpr size_t kMostMatrixRows = 9;
constexpr size_t kLeastMetric = 25;   // before names of metrics are cut
constexpr size_t kColumnsAfter = 30;  // cost, answer, and a word of evidence
constexpr size_t kMostProfiles = 3;
constexpr size_t kMostFunctions = 5;  // of one profile
constexpr size_t kMostWaits = 3;
constexpr double kLeastFunction = 0.001;  // of the profile
constexpr double kSmallestPart = 0.05;    // ms; smaller ones are named without their figure

std::string bar_of(double share, size_t columns) {
  std::string out;
  const auto blocks =
      static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(columns) + 0.5);
  for (size_t i = 0; i < blocks; ++i) out += "█";
  return out;
}

// Lines of one layer, added up.
struct LayerCost {
  std::string layer;
  double ms = 0;
  std::vector<std::pair<std::string, double>> parts;  // label and ms

  // "CPU 0.8 · runnable, waiting for a CPU 0.2", as many parts as fit, the largest first; the
  // figure is left out where there is one part.
  std::string told(size_t columns) const {
    std::vector<std::pair<std::string, double>> sorted = parts;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string out;
    for (size_t i = 0; i < sorted.size(); ++i) {
      const auto& [label, cost] = sorted[i];
      if (label.empty()) continue;
      std::string part = out.empty() ? label : " · " + label;
      if (cost >= kSmallestPart && sorted.size() > 1) part += " " + milliseconds_text(cost);
      const size_t reserve = i + 1 < sorted.size() ? 4 : 0;
      if (!out.empty() && columns_of(out) + columns_of(part) + reserve > columns)
        return out + " · …";
      out += part;
    }
    return out;
  }
};

std::vector<LayerCost> layers_of(const json& report) {
  std::vector<LayerCost> out;
  for (const json& entry : list(report, "ledger")) {
    const std::string layer = text(entry, "layer");
    const double ms = number(entry, "ms").value_or(0);
    auto found =
        std::find_if(out.begin(), out.end(), [&](const LayerCost& c) { return c.layer == layer; });
    if (found == out.end()) found = out.insert(out.end(), LayerCost{layer, 0, {}});
    found->ms += ms;
    found->parts.emplace_back(text(entry, "label"), ms);
  }
  return out;
}

// Whole ids only: half of one would be another's.
std::string fitting(const std::vector<std::string>& ids, size_t columns) {
  std::string out;
  for (const std::string& id : ids) {
    const std::string next = (out.empty() ? "" : " ") + id;
    const size_t reserve = &id == &ids.back() ? 0 : 2;
    if (columns_of(out) + columns_of(next) + reserve > columns)
      return out.empty() ? (columns_of(id) <= columns ? id : out) : out + " …";
    out += next;
  }
  return out;
}

// The bottleneck before all, then broken limits, then by cost.
double weight_of(const json& row) {
  if (flag(row, "bottleneck")) return 1e300;
  if (row_state(row) == "exceeded") return 1e200;
  return number(row, "cost_ms").value_or(-1);
}

std::vector<const json*> most_telling(const json& rows) {
  std::vector<std::pair<double, size_t>> ranked;
  for (size_t i = 0; i < rows.size(); ++i) ranked.emplace_back(weight_of(rows[i]), i);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (ranked.size() > kMostMatrixRows) ranked.resize(kMostMatrixRows);
  std::sort(ranked.begin(), ranked.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<const json*> out;
  for (const auto& [cost, index] : ranked) out.push_back(&rows[index]);
  return out;
}

}  // namespace

void print_ledger(ConsolePage& page, const json& report) {
  const json& summary = member(report, "ledger_summary");
  const auto total = number(summary, "total_ms");
  const std::vector<LayerCost> costs = layers_of(report);
  if (!total || *total <= 0 || costs.empty()) return;
  page.line(
      page.painted("Where each request's " + milliseconds_text(*total) + " ms goes", Ink::kBold));
  const size_t fixed = 2 + kLayerColumns + kNumberColumns + 2 + kMostBar;
  const size_t room = page.width() > fixed + 16 ? page.width() - fixed : 16;
  for (const LayerCost& cost : costs) {
    std::string words = "  " + fill_right(cost.layer, kLayerColumns) +
                        fill_right(cost.told(room), room) +
                        fill_left(milliseconds_text(cost.ms), kNumberColumns);
    if (cost.layer != "unexplained") {
      page.line(words + "  " + bar_of(cost.ms / *total, kMostBar));
      continue;
    }
    std::string closes;
    if (const auto share = number(summary, "closes")) closes = "closes " + ratio_text(*share);
    page.line(words + fill_left(closes, 2 + kMostBar));
  }
  if (number(summary, "overlap_ms").value_or(0) > 0.05 * *total)
    page.hanging("  ", "The layers' lines were " +
                           milliseconds_text(*number(summary, "overlap_ms")) +
                           " ms longer than the client waited; they are shown in proportion.");
  if (const std::string note = text(summary, "note"); !note.empty()) page.hanging("  ", note + ".");
  page.line();
}

void print_changes(ConsolePage& page, const json& report) {
  constexpr size_t kMost = 6;
  const json& changes = list(report, "changes");
  if (changes.empty()) return;
  page.line(page.painted("What changed under the same load", Ink::kBold));
  for (size_t i = 0; i < changes.size() && i < kMost; ++i)
    page.hanging("  ", text(changes[i], "sentence"));
  if (changes.size() > kMost)
    page.line("  … and " + grouped(static_cast<double>(changes.size() - kMost)) +
              " more, in the other formats");
  page.line();
}

void print_matrix(ConsolePage& page, const json& report) {
  const json& rows = list(report, "matrix");
  if (rows.empty()) return;
  const std::vector<const json*> shown = most_telling(rows);
  struct Column {
    const char* key;
    const char* title;
    size_t widest;
    bool right;
  };
  static constexpr Column kColumns[] = {{"component", "Component", 20, false},
                                        {"metric", "Metric", 36, false},
                                        {"expected", "Expected", 10, true},
                                        {"actual", "Actual", 11, true}};
  static constexpr size_t kMetric = 1;
  std::vector<size_t> widths;
  size_t wanted = 2 + kColumnsAfter;
  for (const Column& column : kColumns) {
    size_t width = columns_of(column.title);
    for (const json* row : shown)
      width = std::max(width, std::min(column.widest, columns_of(text(*row, column.key))));
    widths.push_back(width);
    wanted += width + 2;
  }
  // Names go before the numbers of facts, which the other formats have in full.
  const size_t spare = widths[kMetric] - std::min(widths[kMetric], kLeastMetric);
  if (wanted > page.width()) widths[kMetric] -= std::min(spare, wanted - page.width());
  std::string head = "  ";
  for (size_t i = 0; i < widths.size(); ++i)
    head += (kColumns[i].right ? fill_left(kColumns[i].title, widths[i])
                               : fill_right(kColumns[i].title, widths[i])) +
            "  ";
  page.line(page.painted("Bottleneck matrix", Ink::kBold));
  page.line(page.painted(head + "Cost ms  Bottleneck?  Evidence", Ink::kSoft));
  for (const json* row : shown) {
    std::string words = "  ";
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string value = cut_middle(text(*row, kColumns[i].key), widths[i]);
      words +=
          (kColumns[i].right ? fill_left(value, widths[i]) : fill_right(value, widths[i])) + "  ";
    }
    const auto cost = number(*row, "cost_ms");
    const bool hit = flag(*row, "bottleneck");
    words += fill_left(cost ? milliseconds_text(*cost) : "–", 7) + "  ";
    words += fill_right(" " + row_answer(*row), 12) + " ";
    const size_t used = columns_of(words);
    words += fitting(texts(*row, "evidence"), page.width() > used ? page.width() - used : 0);
    while (words.back() == ' ') words.pop_back();
    page.line(hit ? page.painted(words, Ink::kBold) : words);
  }
  if (shown.size() < rows.size())
    page.line("  … and " + grouped(static_cast<double>(rows.size() - shown.size())) +
              " more, in the other formats");
  page.line();
}

namespace {

std::string profile_head(const json& profile, double whole) {
  const std::string unit = text(profile, "unit");
  std::string out = "Profile " + text(profile, "name") + ": " + value_text(whole, unit);
  if (const auto each = number(profile, "per_request"))
    out += ", " + value_text(*each, unit) + " of each request";
  return out;
}

// Functions by what was spent in them: the program's own, where an interpreter runs it.
void print_functions(ConsolePage& page, const json& profile, double whole) {
  const bool own = !list(profile, "by_own").empty();
  page.line(page.painted(
      own ? "     self   total  own function, with what runs it" : "     self   total  function",
      Ink::kSoft));
  size_t functions = 0;
  for (const json& function : list(profile, own ? "by_own" : "by_self")) {
    if (++functions > kMostFunctions || number(function, "self") < kLeastFunction * whole) break;
    const auto share = [&](const char* key) {
      return ratio_text(number(function, key).value_or(0) / whole);
    };
    page.line(cut("  " + fill_left(share("self"), 7) + fill_left(share("total"), 8) + "  " +
                      text(function, "name"),
                  page.width()));
  }
}

void print_waits(ConsolePage& page, const json& profile, double whole) {
  page.line(page.painted("    share  waiting in, called by", Ink::kSoft));
  size_t shown = 0;
  std::string idle;
  for (const json& wait : list(profile, "waits")) {
    const double weight = number(wait, "weight").value_or(0);
    const std::string share = ratio_text(weight / whole);
    const std::string function = text(wait, "function");
    if (weight < kLeastFunction * whole) continue;
    if (flag(wait, "idle")) {
      idle += (idle.empty() ? "" : ", ") + function + " " + share;
      continue;
    }
    if (++shown > kMostWaits) continue;
    const std::string caller = text(wait, "caller");
    page.line(
        cut("  " + fill_left(share, 7) + "  " + function + (caller.empty() ? "" : "  ←  " + caller),
            page.width()));
  }
  if (!idle.empty()) page.line(cut("  waiting for work: " + idle, page.width()));
}

}  // namespace

void print_profiles(ConsolePage& page, const json& report) {
  size_t shown = 0;
  for (const json& profile : list(report, "profiles")) {
    const double whole = number(profile, "total").value_or(0);
    if (!(whole > 0) || ++shown > kMostProfiles) continue;
    page.line(page.painted(cut(profile_head(profile, whole), page.width()), Ink::kBold));
    if (list(profile, "waits").empty())
      print_functions(page, profile, whole);
    else
      print_waits(page, profile, whole);
    page.line();
  }
}

}  // namespace plumb::report
