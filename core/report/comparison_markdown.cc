#include <cmath>

#include "core/base/number_text.h"
#include "core/report/comparison.h"
#include "core/report/comparison_words.h"
#include "core/report/json_read.h"
#include "core/report/markdown_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostCommentRows = 100;

std::string folded(const std::string& summary, const std::string& body) {
  return "<details><summary>" + summary + "</summary>\n\n" + body + "\n</details>\n\n";
}

bool is_told(const json& row) {
  return is_verdict(row, "regressed") || is_verdict(row, "improved");
}

std::string emphasised(const ChangeWords& words, const json& row) {
  return is_told(row) ? "**" + words.verdict + "**" : markdown_cell(words.verdict);
}

std::string client_row(const json& row) {
  const ChangeWords words = change_words(row, false);
  return markdown_row({markdown_cell(words.name), markdown_cell(words.base),
                       markdown_cell(words.run), markdown_cell(words.change),
                       markdown_cell(words.interval), emphasised(words, row)});
}

constexpr const char* kClientHead =
    "| What the client saw | Base | Run | Change | 95% interval | |\n|---|--:|--:|--:|--:|---|\n";

std::string client(const json& comparison) {
  const json& rows = list(comparison, "client");
  if (rows.empty()) return {};
  std::string told;
  std::string rest;
  size_t shown = 0;
  for (const json& row : rows) {
    if (++shown > kMostCommentRows) break;
    const bool shown_first = is_told(row) || text(row, "subject").empty();
    (shown_first ? told : rest) += client_row(row);
  }
  std::string out = kClientHead + told + "\n";
  if (!rest.empty()) out += folded("Endpoints whose figures are the same", kClientHead + rest);
  return out;
}

std::string ledger(const json& comparison) {
  const auto rows = telling_lines(comparison);
  if (rows.empty()) return {};
  std::string out =
      "| Layer | For | Base, ms | Run, ms | Change, ms | 95% interval | |\n"
      "|---|---|--:|--:|--:|--:|---|\n";
  for (const json* row : rows) {
    const ChangeWords words = change_words(*row, true);
    out += markdown_row({markdown_cell(text(*row, "layer")), markdown_cell(text(*row, "label")),
                         markdown_cell(words.base), markdown_cell(words.run),
                         markdown_cell(words.change), markdown_cell(words.interval),
                         emphasised(words, *row)});
  }
  return folded("Which layer it came from", out);
}

std::string queries(const json& comparison) {
  const auto rows = telling_queries(comparison, kMostCommentRows);
  if (rows.empty()) return {};
  std::string out = "| Query | Statement | Figure | Base | Run | |\n|---|---|---|--:|--:|---|\n";
  for (const json* row : rows) {
    const ChangeWords words = change_words(*row, false);
    out += markdown_row(
        {markdown_cell(text(*row, "subject")), markdown_cell(text(*row, "label")),
         markdown_cell(words.name), markdown_cell(words.base), markdown_cell(words.run),
         words.reason.empty() ? emphasised(words, *row) : markdown_cell(words.reason)});
  }
  return folded("Queries", out);
}

std::string surroundings(const json& comparison) {
  std::string warnings;
  std::string notes;
  for (const json& row : list(comparison, "environment"))
    (text(row, "weight") == "note" ? notes : warnings) +=
        "- " + markdown_text(environment_text(row)) + "\n";
  std::string out;
  if (!warnings.empty()) out += "The runs differ beside the service:\n\n" + warnings + "\n";
  if (!notes.empty()) out += folded("What else differs", notes);
  return out;
}

}  // namespace

std::string comparison_to_markdown(const json& comparison) {
  const json& verdict = member(comparison, "verdict");
  std::string out = "## " + markdown_text(text(member(comparison, "run"), "name"), 120) + ": " +
                    markdown_text(text(verdict, "label"), 30) + "\n\n";
  out += "**" + markdown_text(text(verdict, "conclusion"), 1200) + "**\n\n";
  out += client(comparison) + ledger(comparison) + queries(comparison) + surroundings(comparison);
  for (const std::string& note : texts(comparison, "notes"))
    out += "- " + markdown_text(note) + "\n";
  out += markdown_text(compared_runs_text(comparison)) + "; measured " +
         markdown_text(method_text(comparison)) + ".\n";
  return out;
}

}  // namespace plumb::report
