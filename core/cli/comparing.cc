#include "core/cli/comparing.h"

#include "core/base/json_text.h"
#include "core/report/comparison.h"

namespace plumb::cli {
const std::vector<std::string>& comparison_formats() {
  static const std::vector<std::string> formats = {"console", "json", "md", "html"};
  return formats;
}

std::string format_comparison(const nlohmann::json& comparison, const std::string& format,
                              const Terminal& terminal) {
  if (format == "json") return json_text(comparison, 2) + "\n";
  if (format == "md") return report::comparison_to_markdown(comparison);
  if (format == "html") return report::comparison_to_html(comparison);
  report::ConsoleOptions options;
  options.color = terminal.color_out;
  options.width = terminal.width;
  return report::comparison_to_console(comparison, options);
}

}  // namespace plumb::cli
