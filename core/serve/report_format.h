// In which form a report is wanted.
#ifndef PLUMB_CORE_SERVE_REPORT_FORMAT_H_
#define PLUMB_CORE_SERVE_REPORT_FORMAT_H_

#include <optional>
#include <string>
#include <string_view>

namespace plumb::serve {

enum class ReportFormat { kJson, kHtml, kMarkdown, kCsv, kConsole, kFolded, kSpeedscope };

// "json", "html", "md", "csv", "console"; of stack profiles "folded" and "speedscope".
std::optional<ReportFormat> report_format_named(std::string_view name);
std::string report_media_type(ReportFormat format);
// The form that an Accept header asks for most, JSON among equals; nullopt when it takes none.
// Stack profiles come by name only.
std::optional<ReportFormat> report_format_accepted(std::string_view accept);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_REPORT_FORMAT_H_
