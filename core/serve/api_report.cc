// The report of a run, in the form that is asked for.
#include "core/report/report.h"

#include <utility>

#include "core/base/json_text.h"
#include "core/profile/export.h"
#include "core/serve/api.h"
#include "core/serve/report_format.h"

namespace plumb::serve {
namespace {

using nlohmann::json;

std::string rendered(const json& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::kJson:
      return json_text(report, 2) + "\n";
    case ReportFormat::kHtml:
      return report::to_html(report);
    case ReportFormat::kMarkdown:
      return report::to_markdown(report);
    case ReportFormat::kCsv:
      return report::to_csv(report);
    case ReportFormat::kConsole:
      return report::to_console(report, {});
    case ReportFormat::kFolded:
    case ReportFormat::kSpeedscope:
      break;
  }
  return {};
}

bool is_profile(ReportFormat format) {
  return format == ReportFormat::kFolded || format == ReportFormat::kSpeedscope;
}

Response bad_report_query(const std::string& detail) {
  return to_response({400, "bad-query", "The query is not what is taken here", detail});
}

// Of a run that goes on the report says that its file was cut off, for nothing else can be seen
// from the file. Here more is known.
void label_as_live(json& report) {
  json notes =
      json::array({"The run still goes on: this report rests on what it has measured until now."});
  for (const json& note : report["notes"]) {
    const bool cut_off =
        note.is_string() && note.get_ref<const std::string&>().rfind("The run was cut off", 0) == 0;
    if (!cut_off) notes.push_back(note);
  }
  report["notes"] = std::move(notes);
}

Problem no_report_yet(const std::string& id) {
  Problem problem{409, "no-report-yet", "There is no report yet",
                  "Run " + id +
                      " has measured nothing yet. Try again once its steady stage has "
                      "begun."};
  problem.extra["links"] = run_links(id);
  return problem;
}

}  // namespace

Response Api::run_report(const Call& call) {
  const RequestHead& head = call.request.head;
  const std::string* accept = head.header("accept");
  const auto named = head.query("format");
  const auto format =
      named ? report_format_named(*named) : report_format_accepted(accept ? *accept : "*/*");
  if (!format && named) {
    return bad_report_query(
        "format is one of json, html, md, csv, console, folded and speedscope.");
  }
  if (!format) {
    return to_response({406, "no-such-form", "The report has no such form",
                        "A report comes as application/json, text/html, text/markdown, text/csv or "
                        "text/plain."});
  }

  const auto profile = head.query("profile");
  const auto whole = head.query("whole");
  if ((profile || whole) && !is_profile(*format))
    return bad_report_query("profile and whole go with format=folded and format=speedscope.");
  if (whole && *whole != "true" && *whole != "false")
    return bad_report_query("whole is true or false.");

  const bool live = is_live(call.id);
  const auto file = files_.file_of(call.id);
  if (!file.is_ok()) {
    return to_response(live ? no_report_yet(call.id) : problem_of(file.status()));
  }
  const auto run = store::read_run(*file);
  if (!run.is_ok()) return to_response(problem_of(run.status()));
  if (live && run->stages.empty()) return to_response(no_report_yet(call.id));

  Response response;
  if (is_profile(*format)) {
    auto text = profile::export_profiles(*run,
                                         *format == ReportFormat::kFolded
                                             ? profile::ExportFormat::kFolded
                                             : profile::ExportFormat::kSpeedscope,
                                         profile.value_or(""), whole.value_or("false") == "true");
    if (!text.is_ok()) return to_response(problem_of(text.status()));
    response.body = std::move(text).value();
  } else {
    auto report = report::build(*run);
    if (!report.is_ok()) return to_response(problem_of(report.status()));
    // The run is over for its file a moment before it is over for the daemon.
    const bool goes_on = live && run->state == store::RunState::kRunning;
    if (goes_on) label_as_live(*report);
    response.body = rendered(*report, *format);
  }
  response.content_type = report_media_type(*format);
  response.headers.emplace_back("Plumb-Run-State", std::string(store::run_state_name(run->state)));
  response.headers.emplace_back("Vary", "Accept");
  return response;
}

}  // namespace plumb::serve
