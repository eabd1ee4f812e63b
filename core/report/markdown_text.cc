#include "core/report/markdown_text.h"

#include <algorithm>

#include "core/report/plain_text.h"

namespace plumb::report {

std::string markdown_text(std::string_view untrusted, size_t longest) {
  const std::string text = cut(one_line(untrusted), longest);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view rest = std::string_view(text).substr(i);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '@' || (c == '#' && i + 1 < text.size() && text[i + 1] != ' ')) {
      // GitHub looks for mentions in what is rendered; an empty comment parts them.
      out += std::string(1, c) + "<!-- -->";
    } else if (rest.substr(0, 3) == "://") {
      out += ":<!-- -->//";
      i += 2;
    } else if (rest.substr(0, 4) == "www.") {
      out += "www<!-- -->.";
      i += 3;
    } else if (std::string_view("\\`*_[]|~$").find(c) != std::string_view::npos) {
      out += std::string("\\") + c;
    } else if (out.empty() && (c == '-' || c == '+' || c == '#' || c == '=')) {
      out += std::string("\\") + c;
    } else if ((c == '.' || c == ')') && !out.empty() && out.size() <= 9 &&
               std::all_of(out.begin(), out.end(), [](char d) { return d >= '0' && d <= '9'; })) {
      out += std::string("\\") + c;  // "1." would begin a list
    } else {
      out += c;
    }
  }
  return out;
}

std::string markdown_cell(std::string_view untrusted) { return markdown_text(untrusted, 200); }

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& one : cells) out += " " + one + " |";
  return out + "\n";
}

}  // namespace plumb::report
