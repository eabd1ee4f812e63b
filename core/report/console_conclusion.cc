#include <sstream>
#include <vector>

#include "core/base/number_text.h"
#include "core/report/console_page.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/remarks.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostCauses = 3;
constexpr size_t kMostAdvice = 2;  // of the first cause; of a further one, one
constexpr size_t kMostEventsTold = 4;

std::string upper(std::string word) {
  for (char& c : word)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return word;
}

// What to expect stands at the right end of the first line.
void advice_lines(ConsolePage& page, const std::string& first, const std::string& words,
                  const std::string& expected) {
  const size_t indent = columns_of(first);
  const size_t side = columns_of(expected);
  std::vector<std::string> parts = wrap(words, page.width() - indent - side);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) {
      page.line(std::string(indent, ' ') + parts[i]);
    } else if (side == 0) {
      page.line(first + parts[i]);
    } else {
      page.line(first + fill_right(parts[i], page.width() - indent - side) + expected);
    }
  }
}

// A command is to be copied: it is neither wrapped nor cut, so that no part of it stands on a line
// of its own.
void print_check(ConsolePage& page, const std::string& check) {
  std::string before = "     check: ";
  std::istringstream lines(check);
  for (std::string line; std::getline(lines, line);) {
    page.line(before + line);
    before = "            ";
  }
}

}  // namespace

void print_verdict(ConsolePage& page, const json& report) {
  const json& verdict = member(report, "verdict");
  const std::string label = text(verdict, "label");
  const std::string first = upper(label.empty() ? "Inconclusive" : label) + "  ";
  const Ink ink = label == "Threat" ? Ink::kRed : label == "Stable" ? Ink::kGreen : Ink::kYellow;
  page.hanging(first, text(verdict, "conclusion"), ink, true);
  if (const std::string what_if = text(verdict, "what_if"); !what_if.empty())
    page.hanging(std::string(first.size(), ' '), what_if);
  page.line();
}

void print_events(ConsolePage& page, const json& report) {
  const std::vector<std::string> events = event_sentences(report);
  if (events.empty()) return;
  for (size_t i = 0; i < events.size() && i < kMostEventsTold; ++i)
    page.hanging("Event at ", events[i], Ink::kYellow, true);
  if (events.size() > kMostEventsTold)
    page.line("  … and " + grouped(static_cast<double>(events.size() - kMostEventsTold)) +
              " more kinds of events");
  page.line();
}

void print_advice(ConsolePage& page, const json& report) {
  size_t causes = 0;
  size_t count = 0;
  for (const json& finding : list(report, "findings")) {
    if (!text(finding, "because_of").empty() || causes >= kMostCauses) continue;
    const std::vector<std::string> lines = texts(finding, "advice");
    if (lines.empty()) continue;
    if (causes++ == 0) page.line(page.painted("What to do", Ink::kBold));
    if (!text(finding, "after").empty()) page.hanging("  Next: ", text(finding, "says"));
    const size_t most = causes == 1 ? kMostAdvice : 1;
    const bool costs = number(finding, "cost_ms").value_or(0) > 0;
    for (size_t i = 0; i < lines.size() && i < most; ++i) {
      const auto after = number(finding, "latency_without_ms");
      const std::string expected =
          i == 0 && after && costs ? "   mean at best ≈ " + milliseconds_text(*after) + " ms" : "";
      advice_lines(page, "  " + std::to_string(++count) + "  ", lines[i], expected);
    }
    print_check(page, multiline(finding, "check"));
  }
  if (causes != 0) page.line();
}

// The law where there is one, and what fills up first.
void print_capacity(ConsolePage& page, const json& report) {
  const json& model = member(report, "capacity_model");
  const json& law = member(model, "law");
  std::string words;
  if (law.is_object()) {
    const json& peak = member(law, "peak_rate");
    words = "at most about " + value_text(number(peak, "value").value_or(0), "requests/s") + " (" +
            value_text(number(peak, "low").value_or(0), "requests/s") + " to " +
            value_text(number(peak, "high").value_or(0), "requests/s") + ")";
    if (const auto at = number(member(law, "peak_in_flight"), "value"))
      words += " with " + grouped(*at) + " requests in flight";
  }
  const json& resources = list(model, "resources");
  if (!resources.empty()) {
    const json& first = resources.front();
    words += (words.empty() ? "" : "; ") + text(first, "resource") + " would be full at about " +
             value_text(number(first, "full_at").value_or(0), "requests/s");
    if (flag(first, "extrapolated")) words += ", taken from this one level of load";
  }
  if (words.empty()) return;
  page.hanging("Capacity: ", words + ".", Ink::kBold, true);
  page.line();
}

void print_objectives(ConsolePage& page, const json& report) {
  const json& slos = list(report, "slos");
  if (slos.empty()) return;
  size_t met = 0;
  for (const json& slo : slos) met += flag(slo, "met") ? 1 : 0;
  page.line(page.painted(
      "Objectives: " + std::to_string(met) + " of " + std::to_string(slos.size()) + " met",
      Ink::kBold));
  size_t shown = 0;
  for (const json& slo : slos)
    if (!flag(slo, "met") && ++shown <= 6)
      page.hanging("  BREACHED  ", text(slo, "sentence"), Ink::kRed, true);
  if (shown > 6) page.line("  … and " + std::to_string(shown - 6) + " more");
  page.line();
}

void print_remarks(ConsolePage& page, const json& report) {
  size_t shown = 0;
  for (const Unseen& unseen : unseen_stretches(report)) {
    if (++shown > 6) break;
    page.hanging("Not seen: ", unseen.sentence(), Ink::kYellow, true);
  }
  const std::string conclusion = text(member(report, "verdict"), "conclusion");
  for (const json& check : list(member(report, "validity"), "checks")) {
    const std::string sentence = text(check, "sentence");
    // Said above: by the verdict of a run that is not valid, or by the lines on what went dark.
    if (flag(check, "passed") || sentence == conclusion) continue;
    if (text(check, "name") != "signals-complete" && ++shown <= 10)
      page.hanging("Doubt: ", sentence, Ink::kYellow, true);
  }
  for (const std::string& note : texts(report, "notes"))
    if (++shown <= 12) page.hanging("Note: ", note);
  if (const std::string cost = watching_sentence(report); !cost.empty()) {
    page.hanging("", cost);
    ++shown;
  }
  if (shown != 0) page.line();
}

}  // namespace plumb::report
