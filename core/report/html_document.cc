#include "core/report/html_document.h"

#include "core/report/assets.h"
#include "core/report/html_text.h"

namespace plumb::report {
namespace {

std::string contents_html(const std::vector<std::pair<std::string, std::string>>& contents) {
  std::string out = "<nav aria-label=\"Sections\"><ul>";
  for (const auto& [id, heading] : contents)
    out += "<li><a href=\"#" + id + "\">" + escape(heading) + "</a></li>";
  return out + "</ul></nav>\n";
}

std::string head_html(const std::string& title) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '";
  out.append(kStyleSheetHash).append("'; script-src '").append(kScriptHash);
  out += "'; img-src data:; base-uri 'none'; form-action 'none'\">\n";
  out +=
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n";
  out += "<title>" + escape(title) + " – plumb</title>\n<style>";
  return out.append(kStyleSheet) + "</style>\n</head>\n";
}

}  // namespace

std::string HtmlDocument::html() const {
  std::string out = head_html(title);
  out += "<body>\n";
  if (!contents.empty())
    out += "<a class=\"skip\" href=\"#" + contents[0].first + "\">Skip to the " +
           escape(contents[0].second) + "</a>\n";
  out += header + "<div class=\"page\">\n" + contents_html(contents) + "<main>\n" + main +
         "</main>\n</div>\n";
  out += "<footer><p>plumb " + shortened(version, 30) +
         " · this page is complete in itself and loads nothing</p></footer>\n";
  out += "<script type=\"application/json\" id=\"data\">" + script_safe({{"charts", charts}}) +
         "</script>\n<script>";
  return out.append(kScript) + "</script>\n</body>\n</html>\n";
}

size_t bytes_around_sections() { return kStyleSheet.size() + kScript.size() + 4096; }

}  // namespace plumb::report
