#include "core/plan/problems.h"

#include <algorithm>
#include <tuple>

namespace plumb::plan {

void Problems::add(Problem problem) {
  if (list_.size() < kMostProblems) list_.push_back(std::move(problem));
}

void Problems::at(Mark mark, std::string key, std::string message, std::string hint) {
  add({file_, mark.line, mark.column, std::move(key), std::move(message), std::move(hint)});
}

void Problems::at(const Node& node, std::string key, std::string message, std::string hint) {
  if (node.source.empty())
    at(node.mark, std::move(key), std::move(message), std::move(hint));
  else
    from(node.source, std::move(key), std::move(message), std::move(hint));
}

void Problems::from(std::string source, std::string key, std::string message, std::string hint) {
  add({std::move(source), 0, 0, std::move(key), std::move(message), std::move(hint)});
}

bool Problems::about(std::string_view prefix) const {
  return std::any_of(list_.begin(), list_.end(),
                     [&](const Problem& problem) { return problem.key.starts_with(prefix); });
}

std::vector<Problem> Problems::take() {
  const auto place = [this](const Problem& p) {
    return std::make_tuple(p.source != file_, p.line, p.column);
  };
  std::stable_sort(list_.begin(), list_.end(),
                   [&](const Problem& a, const Problem& b) { return place(a) < place(b); });
  return std::move(list_);
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLongest = 60;
  std::string out = "\"";
  size_t end = std::min(text.size(), kLongest);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) >> 6) == 2) --end;
  for (const char c : text.substr(0, end))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (end < text.size() ? "...\"" : "\"");
}

std::string Problem::text() const {
  std::string out = source;
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  if (!key.empty()) out += ": " + key;
  out += ": " + message;
  if (!hint.empty()) out += "\n    " + hint;
  return out;
}

std::string Outcome::text() const {
  std::string out;
  for (const Problem& problem : problems) {
    if (!out.empty()) out += '\n';
    out += problem.text();
  }
  return out;
}

}  // namespace plumb::plan
