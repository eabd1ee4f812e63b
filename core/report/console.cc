#include "core/report/console_page.h"
#include "core/report/json_read.h"
#include "core/report/load_text.h"
#include "core/report/plain_text.h"
#include "core/report/report.h"

namespace plumb::report {
namespace {

using nlohmann::json;

void print_paths(ConsolePage& page, const json& report, const ConsoleOptions& options) {
  const std::string id = text(member(report, "run"), "id");
  if (id.empty()) return;
  const size_t dash = id.rfind('-');
  const std::string name = dash == std::string::npos ? id : id.substr(dash + 1);
  const std::string command = "plumb report " + name + " --format html   (or json, md, csv)";
  page.line(options.report_path.empty()
                ? command
                : "Report: " + one_line(options.report_path) + "     " + command);
}

}  // namespace

std::string to_console(const json& report, const ConsoleOptions& options) {
  ConsolePage page(options);
  print_head(page, report);
  print_verdict(page, report);
  print_events(page, report);
  print_failures(page, report);
  print_endpoints(page, report);
  print_stages(page, report);
  if (is_judged(report)) print_ledger(page, report);
  print_changes(page, report);
  print_matrix(page, report);
  print_advice(page, report);
  print_capacity(page, report);
  print_profiles(page, report);
  print_objectives(page, report);
  print_remarks(page, report);
  print_paths(page, report, options);
  return page.take();
}

}  // namespace plumb::report
