#include "core/cli/report_format.h"

#include "core/base/json_text.h"
#include "core/report/report.h"

namespace plumb::cli {

const std::vector<std::string>& report_formats() {
  static const std::vector<std::string> formats = {"console", "json", "md", "html", "csv"};
  return formats;
}

std::string format_report(const nlohmann::json& report, const std::string& format,
                          const Terminal& terminal, const std::string& html_file) {
  if (format == "json") return json_text(report, 2) + "\n";
  if (format == "md") return report::to_markdown(report);
  if (format == "html") return report::to_html(report);
  if (format == "csv") return report::to_csv(report);
  report::ConsoleOptions options;
  options.color = terminal.color_out;
  options.width = terminal.width;
  options.report_path = html_file;
  return report::to_console(report, options);
}

}  // namespace plumb::cli
