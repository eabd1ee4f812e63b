#include <algorithm>
#include <map>

#include "core/base/number_text.h"
#include "core/report/json_read.h"
#include "core/report/load_text.h"
#include "core/report/plain_text.h"
#include "core/report/report.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kNarrowest = 60;
constexpr size_t kWidest = 200;
constexpr size_t kLayerColumns = 12;
constexpr size_t kNumberColumns = 8;
constexpr size_t kMostBar = 28;
constexpr size_t kMostMatrixRows = 18;
constexpr size_t kMostEndpoints = 15;
constexpr size_t kMostCauses = 3;
constexpr size_t kMostProfiles = 4;
constexpr size_t kMostFunctions = 10;     // of one profile
constexpr double kLeastFunction = 0.001;  // of the profile
constexpr size_t kMostAdvice = 2;         // of one cause
constexpr double kSmallestPart = 0.05;    // ms; smaller ones are named without their figure

enum class Ink { kBold, kSoft, kRed, kYellow, kGreen };

std::string upper(std::string word) {
  for (char& c : word)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return word;
}

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

class Console {
 public:
  Console(const json& report, const ConsoleOptions& options)
      : report_(report),
        options_(options),
        width_(std::clamp<size_t>(options.width > 0 ? static_cast<size_t>(options.width) : 0,
                                  kNarrowest, kWidest)) {}

  std::string text_of() {
    head();
    verdict();
    failures();
    endpoints();
    ledger();
    matrix();
    advice();
    profiles();
    objectives();
    remarks();
    paths();
    return std::move(out_);
  }

 private:
  std::string painted(const std::string& words, Ink ink) const {
    if (!options_.color || words.empty()) return words;
    static const std::map<Ink, const char*> kCodes = {{Ink::kBold, "1"},
                                                      {Ink::kSoft, "2"},
                                                      {Ink::kRed, "1;31"},
                                                      {Ink::kYellow, "1;33"},
                                                      {Ink::kGreen, "1;32"}};
    return std::string("\x1b[") + kCodes.at(ink) + "m" + words + "\x1b[0m";
  }

  void line(std::string words = {}) {
    while (!words.empty() && words.back() == ' ') words.pop_back();
    out_ += words + "\n";
  }

  // `first` and then `words`, further lines indented as far as `first` is wide.
  void hanging(const std::string& first, const std::string& words, Ink ink = Ink::kBold,
               bool paint = false) {
    const size_t indent = columns_of(first);
    bool head = true;
    for (const std::string& part : wrap(words, width_ > indent ? width_ - indent : 20)) {
      const std::string before = head && paint ? painted(first, ink) : first;
      line((head ? before : std::string(indent, ' ')) + part);
      head = false;
    }
  }

  void head() {
    const json& run = member(report_, "run");
    const std::string id = text(run, "id");
    std::string words;
    for (const std::string& part : {text(run, "name"), id.empty() ? id : "run " + id,
                                    window_text(report_), load_text(report_)})
      if (!part.empty()) words += (words.empty() ? "" : "   ") + part;
    line(painted(cut(words, width_), Ink::kBold));
    line(requests());
    spikes();
    line();
  }

  void spikes() {
    for (const std::string& sentence : spike_sentences(report_)) line(cut(sentence, width_));
  }

  std::string requests() const {
    const auto value = [&](const std::string& name) { return fact_value(report_, name); };
    std::vector<std::string> parts;
    if (const auto count = value("requests.count")) {
      parts.push_back(grouped(*count) + " requests");
      if (const auto rate = value("requests.rate"))
        parts.push_back(value_text(*rate, "requests/s"));
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
    const std::string status = spaced(text(member(report_, "validity"), "status"));
    const std::string measurement = "measurement: " + (status.empty() ? "unknown" : status);
    const std::string wide = joined(parts, "   ");
    const std::string words =
        columns_of(wide) + 3 + columns_of(measurement) <= width_ ? wide : joined(parts, "  ");
    const size_t used = columns_of(words) + columns_of(measurement);
    if (used + 2 > width_) return words + "\n" + measurement;
    return words + std::string(width_ - used, ' ') + measurement;
  }

  static std::string joined(const std::vector<std::string>& parts, std::string_view between) {
    std::string out;
    for (const std::string& part : parts) out.append(out.empty() ? "" : between).append(part);
    return out;
  }

  void verdict() {
    const json& verdict = member(report_, "verdict");
    const std::string label = text(verdict, "label");
    const std::string first = upper(label.empty() ? "Inconclusive" : label) + "  ";
    const Ink ink = label == "Threat" ? Ink::kRed : label == "Stable" ? Ink::kGreen : Ink::kYellow;
    hanging(first, text(verdict, "conclusion"), ink, true);
    if (const std::string what_if = text(verdict, "what_if"); !what_if.empty())
      hanging(std::string(first.size(), ' '), what_if);
    line();
  }

  void failures() {
    constexpr size_t kMost = 3;
    std::vector<const json*> rows;
    for (const json& error : list(report_, "errors")) rows.push_back(&error);
    if (rows.empty() || fact_value(report_, "requests.failed").value_or(0) <= 0) return;
    std::stable_sort(rows.begin(), rows.end(), [](const json* a, const json* b) {
      return number(*a, "count").value_or(0) > number(*b, "count").value_or(0);
    });
    line(painted("Failed requests (of the whole run)", Ink::kBold));
    for (size_t i = 0; i < rows.size() && i < kMost; ++i) {
      const std::string example = text(*rows[i], "example");
      const auto count = number(*rows[i], "count");
      line(cut("  " + (count ? grouped(*count) : "–") + " × " + text(*rows[i], "endpoint") + ": " +
                   (example.empty() ? text(*rows[i], "status") : example),
               width_));
    }
    if (rows.size() > kMost)
      line("  and " + grouped(static_cast<double>(rows.size() - kMost)) + " more kinds");
    line();
  }

  // One by one where there is more than one, the busiest first.
  void endpoints() {
    std::vector<const json*> rows;
    for (const json& endpoint : list(report_, "endpoints")) rows.push_back(&endpoint);
    if (rows.size() < 2) return;
    std::stable_sort(rows.begin(), rows.end(), [](const json* a, const json* b) {
      return number(*a, "requests").value_or(0) > number(*b, "requests").value_or(0);
    });
    size_t name_width = columns_of("Endpoint");
    for (const json* row : rows)
      name_width = std::max(name_width, std::min<size_t>(columns_of(text(*row, "endpoint")),
                                                         width_ > 90 ? width_ - 66 : 24));
    static constexpr std::pair<const char*, const char*> kTimes[] = {{"mean_ms", "mean"},
                                                                     {"p50_ms", "p50"},
                                                                     {"p95_ms", "p95"},
                                                                     {"p99_ms", "p99"},
                                                                     {"max_ms", "max"}};
    const bool narrow = width_ < name_width + 64;
    std::string head = "  " + fill_right("Endpoint", name_width) + fill_left("requests", 11) +
                       fill_left("per s", 9) + fill_left("failed", 8);
    for (const auto& [key, title] : kTimes)
      if (!narrow || key[0] == 'p') head += fill_left(title, 8);
    line(painted("What the client saw, in ms", Ink::kBold));
    line(painted(head, Ink::kSoft));
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
      line(words);
    }
    if (rows.size() > kMostEndpoints)
      line("  … and " + grouped(static_cast<double>(rows.size() - kMostEndpoints)) + " more");
    line();
  }

  std::vector<LayerCost> layers() const {
    std::vector<LayerCost> out;
    for (const json& entry : list(report_, "ledger")) {
      const std::string layer = text(entry, "layer");
      const double ms = number(entry, "ms").value_or(0);
      auto found = std::find_if(out.begin(), out.end(),
                                [&](const LayerCost& c) { return c.layer == layer; });
      if (found == out.end()) found = out.insert(out.end(), LayerCost{layer, 0, {}});
      found->ms += ms;
      found->parts.emplace_back(text(entry, "label"), ms);
    }
    return out;
  }

  void ledger() {
    const json& summary = member(report_, "ledger_summary");
    const auto total = number(summary, "total_ms");
    const std::vector<LayerCost> costs = layers();
    if (!total || *total <= 0 || costs.empty()) return;
    line(painted("Where each request's " + milliseconds_text(*total) + " ms goes", Ink::kBold));
    const size_t fixed = 2 + kLayerColumns + kNumberColumns + 2 + kMostBar;
    const size_t room = width_ > fixed + 16 ? width_ - fixed : 16;
    for (const LayerCost& cost : costs) {
      std::string words = "  " + fill_right(cost.layer, kLayerColumns) +
                          fill_right(cost.told(room), room) +
                          fill_left(milliseconds_text(cost.ms), kNumberColumns);
      if (cost.layer != "unexplained") {
        line(words + "  " + bar_of(cost.ms / *total, kMostBar));
        continue;
      }
      std::string closes;
      if (const auto share = number(summary, "closes")) closes = "closes " + ratio_text(*share);
      line(words + fill_left(closes, 2 + kMostBar));
    }
    if (number(summary, "overlap_ms").value_or(0) > 0.05 * *total)
      hanging("  ", "The layers' lines were " + milliseconds_text(*number(summary, "overlap_ms")) +
                        " ms longer than the client waited; they are shown in proportion.");
    if (const std::string note = text(summary, "note"); !note.empty()) hanging("  ", note + ".");
    line();
  }

  void matrix() {
    const json& rows = list(report_, "matrix");
    if (rows.empty()) return;
    const std::vector<const json*> shown = most_telling(rows);
    struct Column {
      const char* key;
      const char* title;
      size_t widest;
      bool right;
    };
    static constexpr Column kColumns[] = {{"component", "Component", 20, false},
                                          {"metric", "Metric", 25, false},
                                          {"expected", "Expected", 10, true},
                                          {"actual", "Actual", 11, true}};
    std::string head = "  ";
    std::vector<size_t> widths;
    for (const Column& column : kColumns) {
      size_t width = columns_of(column.title);
      for (const json* row : shown)
        width = std::max(width, std::min(column.widest, columns_of(text(*row, column.key))));
      widths.push_back(width);
      head +=
          (column.right ? fill_left(column.title, width) : fill_right(column.title, width)) + "  ";
    }
    line(painted("Bottleneck matrix", Ink::kBold));
    line(painted(head + "Cost ms  Bottleneck?  Evidence", Ink::kSoft));
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
      words += fill_right(hit ? " YES" : " no", 12) + " ";
      const size_t used = columns_of(words);
      words += fitting(texts(*row, "evidence"), width_ > used ? width_ - used : 0);
      while (words.back() == ' ') words.pop_back();
      line(hit ? painted(words, Ink::kBold) : words);
    }
    if (shown.size() < rows.size())
      line("  … and " + grouped(static_cast<double>(rows.size() - shown.size())) +
           " more rows that found nothing");
    line();
  }

  // Whole ids only: half of one would be another's.
  static std::string fitting(const std::vector<std::string>& ids, size_t columns) {
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

  static std::vector<const json*> most_telling(const json& rows) {
    std::vector<std::pair<double, size_t>> ranked;
    for (size_t i = 0; i < rows.size(); ++i)
      ranked.emplace_back(
          flag(rows[i], "bottleneck") ? 1e300 : number(rows[i], "cost_ms").value_or(0), i);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    if (ranked.size() > kMostMatrixRows) ranked.resize(kMostMatrixRows);
    std::sort(ranked.begin(), ranked.end(),
              [](const auto& a, const auto& b) { return a.second < b.second; });
    std::vector<const json*> out;
    for (const auto& [cost, index] : ranked) out.push_back(&rows[index]);
    return out;
  }

  void advice() {
    size_t causes = 0;
    size_t count = 0;
    for (const json& finding : list(report_, "findings")) {
      if (!text(finding, "because_of").empty() || causes >= kMostCauses) continue;
      const std::vector<std::string> lines = texts(finding, "advice");
      if (lines.empty()) continue;
      if (causes++ == 0) line(painted("What to do", Ink::kBold));
      for (size_t i = 0; i < lines.size() && i < kMostAdvice; ++i) {
        const auto after = number(finding, "latency_without_ms");
        const std::string expected =
            i == 0 && after ? "   expected mean ≈ " + milliseconds_text(*after) + " ms" : "";
        advice_lines("  " + std::to_string(++count) + "  ", lines[i], expected);
      }
      if (const std::string check = text(finding, "check"); !check.empty())
        hanging("     check: ", check);
    }
    if (causes != 0) line();
  }

  // What to expect stands at the right end of the first line.
  void advice_lines(const std::string& first, const std::string& words,
                    const std::string& expected) {
    const size_t indent = columns_of(first);
    const size_t side = columns_of(expected);
    std::vector<std::string> parts = wrap(words, width_ - indent - side);
    for (size_t i = 0; i < parts.size(); ++i) {
      if (i != 0) {
        line(std::string(indent, ' ') + parts[i]);
      } else if (side == 0) {
        line(first + parts[i]);
      } else {
        line(first + fill_right(parts[i], width_ - indent - side) + expected);
      }
    }
  }

  void profiles() {
    size_t shown = 0;
    for (const json& profile : list(report_, "profiles")) {
      const double whole = number(profile, "total").value_or(0);
      if (!(whole > 0) || ++shown > kMostProfiles) continue;
      const std::string unit = text(profile, "unit");
      std::string head = "Profile " + text(profile, "name") + ": " + value_text(whole, unit);
      if (const auto each = number(profile, "per_request"))
        head += ", " + value_text(*each, unit) + " of each request";
      line(painted(cut(head, width_), Ink::kBold));
      line(painted("     self   total  function", Ink::kSoft));
      size_t functions = 0;
      for (const json& function : list(profile, "by_self")) {
        if (++functions > kMostFunctions || number(function, "self") < kLeastFunction * whole)
          break;
        const auto share = [&](const char* key) {
          return ratio_text(number(function, key).value_or(0) / whole);
        };
        line(cut("  " + fill_left(share("self"), 7) + fill_left(share("total"), 8) + "  " +
                     text(function, "name"),
                 width_));
      }
      line();
    }
  }

  void objectives() {
    const json& slos = list(report_, "slos");
    if (slos.empty()) return;
    size_t met = 0;
    for (const json& slo : slos) met += flag(slo, "met") ? 1 : 0;
    line(painted(
        "Objectives: " + std::to_string(met) + " of " + std::to_string(slos.size()) + " met",
        Ink::kBold));
    size_t shown = 0;
    for (const json& slo : slos)
      if (!flag(slo, "met") && ++shown <= 6)
        hanging("  BREACHED  ", text(slo, "sentence"), Ink::kRed, true);
    if (shown > 6) line("  … and " + std::to_string(shown - 6) + " more");
    line();
  }

  void remarks() {
    size_t shown = 0;
    for (const PluginHealth& plugin : plugins_not_ok(report_)) {
      if (++shown > 6) break;
      std::string words = plugin.plugin +
                          (plugin.health == "dark" ? " went dark " : " saw only part from ") +
                          plugin.since;
      if (!plugin.message.empty()) words += ": " + plugin.message;
      hanging("Not seen: ", words, Ink::kYellow, true);
    }
    const std::string conclusion = text(member(report_, "verdict"), "conclusion");
    for (const json& check : list(member(report_, "validity"), "checks")) {
      const std::string sentence = text(check, "sentence");
      // Said above: by the verdict of a run that is not valid, or by the lines on what went dark.
      if (flag(check, "passed") || sentence == conclusion) continue;
      if (text(check, "name") != "signals-complete" && ++shown <= 10)
        hanging("Doubt: ", sentence, Ink::kYellow, true);
    }
    for (const std::string& note : texts(report_, "notes"))
      if (++shown <= 12) hanging("Note: ", note);
    if (shown != 0) line();
  }

  void paths() {
    const std::string id = text(member(report_, "run"), "id");
    if (id.empty()) return;
    const size_t dash = id.rfind('-');
    const std::string name = dash == std::string::npos ? id : id.substr(dash + 1);
    const std::string command = "plumb report " + name + " --format json|md|csv|html";
    line(options_.report_path.empty()
             ? command
             : "Report: " + one_line(options_.report_path) + "     " + command);
  }

  const json& report_;
  const ConsoleOptions& options_;
  const size_t width_;
  std::string out_;
};

}  // namespace

std::string to_console(const json& report, const ConsoleOptions& options) {
  return Console(report, options).text_of();
}

}  // namespace plumb::report
