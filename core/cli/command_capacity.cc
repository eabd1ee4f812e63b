#include <chrono>
#include <filesystem>
#include <memory>
#include <random>

#include "core/base/atomic_file.h"
#include "core/base/clock.h"
#include "core/base/json_text.h"
#include "core/capacity/report.h"
#include "core/capacity/search.h"
#include "core/capacity/session_prober.h"
#include "core/capacity/stress.h"
#include "core/cli/capacity_progress.h"
#include "core/cli/command.h"
#include "core/cli/interrupt.h"
#include "core/cli/plan_problems.h"
#include "core/plan/quantity.h"
#include "core/session/run_id.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

struct CapacityFlags {
  std::string plan;
  PlanFlags values;
  std::string from;
  std::string tolerance = "2%";
  std::string probe_time;
  std::string max_time = "10m";
  std::optional<uint64_t> seed;
  bool stress = false;
  bool with_plugins = false;
  bool keep_probes = false;
  std::string format = "console";
  std::string output;
  bool quiet = false;
};

double steady_seconds() { return static_cast<double>(monotonic_ns()) / 1e9; }

bool refuse(const std::string& flag, const std::string& expected) {
  say(flag + " takes " + expected);
  return false;
}

bool read_seconds(const std::string& flag, const std::string& text, double least, double& out) {
  const auto duration = plan::parse_duration(text);
  if (!duration || std::chrono::duration<double>(*duration).count() < least)
    return refuse(flag, "a time of at least " + plan::format_number(least) + "s, such as 30s");
  out = std::chrono::duration<double>(*duration).count();
  return true;
}

// False, said, when a value is none.
bool read_flags(const CapacityFlags& flags, const plan::Plan& plan, capacity::SearchOptions& out) {
  if (!flags.from.empty()) {
    const auto rate = plan::parse_rate(flags.from);
    if (!rate || *rate <= 0) return refuse("--from", "a rate such as 100/s");
    out.from = *rate;
  }
  const auto tolerance = plan::parse_ratio(flags.tolerance);
  if (!tolerance || *tolerance < 0.005 || *tolerance > 0.5)
    return refuse("--tolerance", "a share from 0.5% to 50%");
  out.tolerance = *tolerance;
  if (!flags.probe_time.empty() &&
      !read_seconds("--probe-time", flags.probe_time, 0.5, out.probe_s))
    return false;
  out.seed = flags.seed.value_or(plan.load.seed);
  return read_seconds("--max-time", flags.max_time, 5, out.most_s);
}

capacity::Report new_report(const plan::Plan& plan, const capacity::SearchOptions& options) {
  capacity::Report out;
  out.started_unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  std::random_device random;
  out.id = session::make_run_id(out.started_unix_ms, static_cast<uint16_t>(random() & 0xffffU));
  out.name = plan.name;
  out.url = plan.target.url;
  out.options = options;
  return out;
}

// Searches, and climbs on when asked to. What goes wrong is in the report.
void measure(const plan::Plan& plan, const engine::Catalog& catalog, const CapacityFlags& flags,
             CapacityProgress& progress, capacity::Report& report) {
  const Interrupt interrupt(
      [&] { progress.tell("ending the search; press Ctrl-C again to leave at once"); });
  capacity::ProberOptions options;
  options.id = report.id;
  options.with_plugins = flags.with_plugins;
  options.keep_probes = flags.keep_probes;
  options.log = [&](uint32_t level, const std::string& message) {
    if (level >= PLUMB_WARNING) progress.tell(message);
  };
  const double began = steady_seconds();
  const auto prober = capacity::SessionProber::start(plan, catalog, options, interrupt.token());
  if (!prober.is_ok()) {
    report.search.ended = capacity::Ended::kInterrupted;
    if (interrupt.token().stop_requested()) return;
    report.search.ended = capacity::Ended::kFailed;
    report.search.failure = prober.status();
    return;
  }
  capacity::Prober& probes = **prober;
  report.search =
      capacity::search(probes, report.options, progress, &steady_seconds, interrupt.token());
  report.promises = (*prober)->promises();
  if (!flags.stress || report.search.outcome != capacity::Outcome::kCapacity) return;
  const double left = report.options.most_s - (steady_seconds() - began);
  report.stress = capacity::stress(probes, report.search, left, report.options, progress,
                                   &steady_seconds, interrupt.token());
}

ExitCode capacity_search(const CapacityFlags& flags, const Terminal& terminal) {
  if (!has_place(flags.output, flags.plan)) return ExitCode::kUsage;
  std::vector<plan::Override> overrides;
  if (!to_overrides(flags.values, overrides)) return ExitCode::kUsage;
  const engine::Catalog catalog = installed_catalog();
  const plan::Outcome outcome = read_plan(flags.plan, std::move(overrides), catalog);
  tell(outcome, catalog);
  capacity::SearchOptions options;
  if (!outcome.ok() || !read_flags(flags, outcome.plan, options)) return ExitCode::kUsage;

  capacity::Report report = new_report(outcome.plan, options);
  CapacityProgress progress(terminal, flags.quiet);
  measure(outcome.plan, catalog, flags, progress, report);
  progress.clear();
  // Nothing was measured, so there is nothing to report on.
  if (report.search.probes.empty() && !report.search.failure.is_ok()) {
    say(report.search.failure.message());
    return report.search.failure.code() == PLUMB_INVALID_ARGUMENT ? ExitCode::kUsage
                                                                  : ExitCode::kFailed;
  }
  const std::string json = json_text(capacity::to_json(report), 2) + "\n";
  const auto file = std::filesystem::path(outcome.plan.run_dir) / (report.id + ".capacity.json");
  const Status kept = write_file_atomically(file, json);
  say(kept.is_ok() ? "kept as " + file.string() : kept.message());
  if (!write_value(flags.output, flags.format == "json" ? json : capacity::to_console(report)))
    return ExitCode::kFailed;
  return capacity::exit_code_of(report.search);
}

void add_search_flags(CLI::App& command, CapacityFlags& flags) {
  command
      .add_option("--from", flags.from,
                  "The first rate; what one user at a time gets, 10/s at least, unless given")
      ->type_name("RATE");
  command.add_option("--tolerance", flags.tolerance, "How exactly, to either side (2%)")
      ->type_name("SHARE");
  command
      .add_option("--probe-time", flags.probe_time,
                  "How long each probe measures; 1,000 requests, 2s to 10s, unless given")
      ->type_name("TIME");
  command
      .add_option("--max-time", flags.max_time,
                  "How long the whole may take, --stress included (10m)")
      ->type_name("TIME");
  command.add_option("--seed", flags.seed, "load.seed of the first probe; the next ones follow")
      ->type_name("N");
  command.add_flag("--stress", flags.stress,
                   "Go on above the capacity until it breaks, then see how fast it recovers");
  command.add_flag("--with-plugins", flags.with_plugins, "Keep the plan's samplers during probes");
  command.add_flag("--keep-probes", flags.keep_probes, "Keep each probe's run file");
}

}  // namespace

void add_capacity_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<CapacityFlags>();
  CLI::App* command = add_command(
      app, "capacity", "Find the highest rate that keeps a plan's SLOs",
      "  plumb capacity plan.yaml\n"
      "  plumb capacity plan.yaml --from 200/s --max-time 5m\n"
      "  plumb capacity plan.yaml --stress\n"
      "  plumb capacity plan.yaml --format json -o capacity.json\n"
      "\nRuns short open-model probes of the plan's requests at rising rates until one misses an "
      "SLO\n"
      "or leaves a growing backlog, then closes in on the edge and repeats near it. The result is "
      "a\n"
      "rate with a 95% interval. Without SLOs: at most 1% errors, and a p99 of ten times that of\n"
      "one user at a time.\n"
      "\nExit codes: 0 found; 1 failed to run; 2 usage or plan invalid; 3 not even the lowest "
      "rate\n"
      "kept the SLOs; 5 no valid result: the generator was the limit, the time was used up before\n"
      "an edge was seen, or the search was interrupted.");
  command->add_option("PLAN", flags->plan, "The plan's file")->required()->type_name("FILE");
  add_set_flag(*command, flags->values);
  add_search_flags(*command, *flags);
  command->add_option("--run-dir", flags->values.run_dir, "Where the result is kept")
      ->type_name("DIR");
  command->add_option("--format", flags->format, "What is written to stdout or to -o")
      ->check(CLI::IsMember({"console", "json"}));
  command->add_option("-o,--output", flags->output, "Write the result to this file")
      ->type_name("FILE");
  command->add_flag("-q,--quiet", flags->quiet, "Show no progress");
  command->callback(
      [flags, &shared] { shared.exit_code = capacity_search(*flags, shared.terminal()); });
}

}  // namespace plumb::cli
