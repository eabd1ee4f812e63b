// The frame of a page: head with its content security policy, contents, main part, data and script.
#ifndef PLUMB_CORE_REPORT_HTML_DOCUMENT_H_
#define PLUMB_CORE_REPORT_HTML_DOCUMENT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace plumb::report {

struct HtmlDocument {
  std::string title;   // plain text
  std::string header;  // HTML, as is `main`
  std::string main;
  std::vector<std::pair<std::string, std::string>> contents;  // id and heading of each section
  nlohmann::json charts = nlohmann::json::array();            // what the script tells of charts
  std::string version;  // of the plumb that made what the page shows; plain text

  // The page. It loads nothing, and its policy allows its own style sheet and script alone.
  std::string html() const;
};

// What a page needs beside its sections, in bytes, and a little more.
size_t bytes_around_sections();

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_HTML_DOCUMENT_H_
