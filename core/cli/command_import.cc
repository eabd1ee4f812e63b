#include <chrono>
#include <filesystem>
#include <memory>
#include <random>

#include "core/base/atomic_file.h"
#include "core/base/number_text.h"
#include "core/cli/command.h"
#include "core/cli/plan_problems.h"
#include "core/cli/report_format.h"
#include "core/imports/import.h"
#include "core/plan/quantity.h"
#include "core/plan/target_url.h"
#include "core/report/report.h"
#include "core/session/kept_plan.h"
#include "core/session/run_id.h"
#include "core/session/run_rules.h"
#include "core/session/session.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

struct ImportFlags {
  std::string file;
  std::string format;
  std::string name;
  std::string url;
  std::string plan;
  std::vector<std::string> map;
  std::string steady;
  bool lenient = false;
  std::string run_dir = default_run_dir();
  std::string report = "console";
  std::string output;
  bool no_html = false;
};

int64_t file_unix_ms(const std::filesystem::path& file) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(file, error);
  if (error) return 0;
  const auto since_epoch = std::chrono::file_clock::to_sys(written).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

// time=ts,duration=latency_ms
bool read_map(const std::vector<std::string>& given, std::map<std::string, std::string>& fields) {
  for (const std::string& one : given) {
    const size_t equals = one.find('=');
    const std::string role = one.substr(0, equals);
    const bool known = role == "time" || role == "start" || role == "duration" ||
                       role == "status" || role == "method" || role == "path" || role == "endpoint";
    if (equals == std::string::npos || equals + 1 == one.size() || !known) {
      say("--map takes ROLE=FIELD with the roles time (of the request's end), start, duration, "
          "status, method, path and endpoint, such as --map time=ts,duration=latency_ms; not '" +
          one + "'");
      return false;
    }
    fields[role] = one.substr(equals + 1);
  }
  return true;
}

// 10s..60s
bool read_steady(const std::string& text, std::optional<std::pair<double, double>>& steady) {
  if (text.empty()) return true;
  const size_t dots = text.find("..");
  const auto from = plan::parse_duration(text.substr(0, dots));
  const auto to =
      dots == std::string::npos ? std::nullopt : plan::parse_duration(text.substr(dots + 2));
  if (!from || !to || *to <= *from) {
    say("--steady takes FROM..TO since the first request, such as 30s..5m; not '" + text + "'");
    return false;
  }
  steady = {std::chrono::duration<double>(*from).count(),
            std::chrono::duration<double>(*to).count()};
  return true;
}

// http://127.0.0.1:8080/orders, without what may be secret: user, password and query.
bool read_url(const std::string& given, std::string& url) {
  if (given.empty()) return true;
  const size_t scheme = given.find("://");
  const size_t path =
      scheme == std::string::npos ? given.size() : given.find_first_of("/?#", scheme + 3);
  const auto target = plan::parse_target_url(given.substr(0, path));
  if (!target.is_ok()) {
    say("--url: " + target.status().message());
    return false;
  }
  url = target->url;
  if (path < given.size()) url += given.substr(path, given.find_first_of("?#", path) - path);
  return true;
}

// Of the plan, its objectives and its rules count; its load is not what was sent.
bool read_judging_plan(const ImportFlags& flags, const engine::Catalog& catalog, plan::Plan& plan) {
  if (flags.plan.empty()) return true;
  const plan::Outcome outcome = read_plan(flags.plan, {}, catalog);
  tell(outcome, catalog);
  if (!outcome.ok()) return false;
  plan = outcome.plan;
  return true;
}

store::RunHeader header_of(const ImportFlags& flags, const plan::Plan& plan,
                           const engine::Catalog& catalog, const std::string& id) {
  store::RunHeader header;
  header.id = id;
  header.name = !flags.name.empty()  ? flags.name
                : !plan.name.empty() ? plan.name
                                     : std::filesystem::path(flags.file).stem().string();
  header.plan = {{"name", header.name}, {"imported_from", flags.file}};
  if (!flags.plan.empty()) header.plan["slos"] = session::kept_plan(plan)["slos"];
  // Where the load ran is not known; this machine's processors would be a wrong answer.
  header.environment = nlohmann::json::object();
  header.rules = session::collect_rules(plan, catalog).files;
  return header;
}

std::string new_run_id() {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  return session::make_run_id(now.count(), static_cast<uint16_t>(std::random_device()() & 0xffffU));
}

// Builds the report, and leaves it beside the run file as `plumb run` does.
ExitCode report_import(const ImportFlags& flags, const std::filesystem::path& run_file,
                       const Terminal& terminal) {
  const auto data = store::read_run(run_file);
  const auto report = data.is_ok() ? report::build(*data) : Result<nlohmann::json>(data.status());
  if (!report.is_ok()) {
    say(report.status().message());
    return ExitCode::kFailed;
  }
  const Status summary =
      store::put_document(run_file, session::kSummaryDocument, session::summary_of(*report));
  if (!summary.is_ok()) say(summary.message());
  std::string html;
  if (!flags.no_html) {
    auto page = run_file;
    page.replace_extension(".html");
    const Status written = write_file_atomically(page, report::to_html(*report));
    if (written.is_ok())
      html = page.string();
    else
      say(written.message());
  }
  if (!write_value(flags.output, format_report(*report, flags.report, terminal, html)))
    return ExitCode::kFailed;
  return session::exit_code_of(*report);
}

ExitCode import_run(const ImportFlags& flags, const Terminal& terminal) {
  imports::ImportOptions options;
  if (!has_place(flags.output, flags.file) || !read_map(flags.map, options.reader.fields) ||
      !read_steady(flags.steady, options.steady) || !read_url(flags.url, options.reader.url))
    return ExitCode::kUsage;
  const engine::Catalog catalog = installed_catalog();
  plan::Plan plan;
  if (!read_judging_plan(flags, catalog, plan)) return ExitCode::kUsage;
  options.format = flags.format;
  options.lenient = flags.lenient;
  options.file_unix_ms = file_unix_ms(flags.file);
  const std::string id = new_run_id();
  const auto run_file = std::filesystem::path(flags.run_dir) / (id + ".plumb");
  const auto imported =
      imports::import_file(flags.file, options, run_file, header_of(flags, plan, catalog, id));
  if (!imported.is_ok()) {
    say(imported.status().message());
    const bool wrong_input = imported.status().code() == PLUMB_INVALID_ARGUMENT ||
                             imported.status().code() == PLUMB_NOT_FOUND;
    return wrong_input ? ExitCode::kUsage : ExitCode::kFailed;
  }
  const std::string what = imported->requests == 0
                               ? "a summary"
                               : grouped(static_cast<double>(imported->requests)) + " requests";
  say("run " + id + ": " + what + " read as " + std::string(imported->format->title));
  return report_import(flags, run_file, terminal);
}

}  // namespace

void add_import_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<ImportFlags>();
  CLI::App* command = add_command(
      app, "import", "Make a run of what another load generator or a server wrote",
      "  plumb import k6.ndjson.gz\n"
      "  plumb import result.jtl --plan plan.yaml      hold it against the plan's objectives\n"
      "  plumb import shop_stats_history.csv --name shop\n"
      "  plumb import wrk.txt --url http://127.0.0.1:8080/orders\n"
      "  plumb import access.log --map time=ts,duration=took:ms,status=code\n"
      "\nExit codes are those of plumb run; 2 where the file cannot be read as what it is.");
  command->add_option("FILE", flags->file, "What was written; may be compressed (gzip, zstd)")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--format", flags->format,
                   "The file's format; otherwise it is recognised from its content")
      ->check(CLI::IsMember(imports::format_names()));
  command->add_option("--name", flags->name, "What the run is called; otherwise as the file is")
      ->type_name("NAME");
  command->add_option("--url", flags->url, "The target, for formats that do not name it")
      ->type_name("URL");
  command->add_option("--plan", flags->plan, "Take objectives and rules of this plan")
      ->type_name("FILE");
  command
      ->add_option("--map", flags->map,
                   "Fields of an access log: time, start, duration, status, method, path, endpoint")
      ->type_name("ROLE=FIELD")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--steady", flags->steady, "What is judged, since the first request")
      ->type_name("FROM..TO");
  command->add_flag("--lenient", flags->lenient, "Leave out lines that cannot be read");
  command->add_option("--run-dir", flags->run_dir, "Where run files and reports are kept")
      ->type_name("DIR");
  command->add_option("--report", flags->report, "What is written to stdout or to -o")
      ->check(CLI::IsMember(report_formats()));
  command->add_option("-o,--output", flags->output, "Write the report to this file")
      ->type_name("FILE");
  command->add_flag("--no-html", flags->no_html, "Write no HTML report beside the run file");
  command->callback([flags, &shared] { shared.exit_code = import_run(*flags, shared.terminal()); });
}

}  // namespace plumb::cli
