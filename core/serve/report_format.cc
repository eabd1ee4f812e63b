#include "core/serve/report_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace plumb::serve {
namespace {

struct Form {
  ReportFormat format;
  std::string_view name;
  std::string_view media_type;
};

// In the order in which they are preferred among equals; those from kFirstByName on are not to be
// had by their media type, which says too little.
constexpr size_t kFirstByName = 5;
constexpr std::array<Form, 7> kForms = {{
    {ReportFormat::kJson, "json", "application/json"},
    {ReportFormat::kHtml, "html", "text/html"},
    {ReportFormat::kMarkdown, "md", "text/markdown"},
    {ReportFormat::kCsv, "csv", "text/csv"},
    {ReportFormat::kConsole, "console", "text/plain"},
    {ReportFormat::kFolded, "folded", "text/plain"},
    {ReportFormat::kSpeedscope, "speedscope", "application/json"},
}};

// One item of an Accept header.
struct Range {
  std::string type;
  double quality = 1;
};

Range parse_range(std::string_view item) {
  std::string text;
  for (const char c : item) {
    if (c != ' ' && c != '\t')
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  Range range{text.substr(0, text.find(';')), 1};
  const size_t q = text.find(";q=");
  if (q != std::string::npos) range.quality = std::strtod(text.c_str() + q + 3, nullptr);
  return range;
}

// How specifically the range names the type: 0 not at all, 3 exactly.
int specificity(const Range& range, std::string_view type) {
  if (range.type == type) return 3;
  if (range.type == std::string(type.substr(0, type.find('/') + 1)) + "*") return 2;
  return range.type == "*/*" ? 1 : 0;
}

}  // namespace

std::optional<ReportFormat> report_format_named(std::string_view name) {
  for (const Form& form : kForms) {
    if (form.name == name) return form.format;
  }
  return std::nullopt;
}

std::string report_media_type(ReportFormat format) {
  const auto* form =
      std::find_if(kForms.begin(), kForms.end(), [&](const Form& f) { return f.format == format; });
  std::string type(form->media_type);
  return type == "application/json" ? type : type + "; charset=utf-8";
}

std::optional<ReportFormat> report_format_accepted(std::string_view accept) {
  std::array<int, kFirstByName> specific{};
  std::array<double, kFirstByName> quality{};
  while (!accept.empty()) {
    const std::string_view item = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), item.size() + 1));
    const Range range = parse_range(item);
    for (size_t i = 0; i < kFirstByName; ++i) {
      const int how = specificity(range, kForms[i].media_type);
      if (how <= specific[i]) continue;
      specific[i] = how;
      quality[i] = range.quality;
    }
  }
  const auto best = std::max_element(quality.begin(), quality.end());
  if (*best <= 0) return std::nullopt;
  return kForms[static_cast<size_t>(best - quality.begin())].format;
}

}  // namespace plumb::serve
