#include <memory>

#include "core/cli/command.h"
#include "core/cli/shift_text.h"
#include "core/imports/metric_table.h"
#include "core/imports/shift.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

struct ExplainFlags {
  std::string file;
  std::string normal;
  std::string window;
  ShiftTextOptions text;
  std::string output;
};

ExitCode tell_why_not(const Status& status) {
  say(status.message());
  const bool wrong_input =
      status.code() == PLUMB_INVALID_ARGUMENT || status.code() == PLUMB_NOT_FOUND;
  return wrong_input ? ExitCode::kUsage : ExitCode::kFailed;
}

ExitCode explain(ExplainFlags& flags) {
  if (!has_place(flags.output, flags.file)) return ExitCode::kUsage;
  auto bytes = imports::open_bytes(flags.file);
  if (!bytes.is_ok()) return tell_why_not(bytes.status());
  const auto table = imports::read_metric_table(std::move(bytes).value(), flags.file);
  if (!table.is_ok()) return tell_why_not(table.status());
  const auto normal = imports::parse_span(flags.normal, *table);
  if (!normal.is_ok()) return tell_why_not(normal.status().with_context("--normal"));
  const auto abnormal = imports::parse_span(flags.window, *table);
  if (!abnormal.is_ok()) return tell_why_not(abnormal.status().with_context("--window"));
  const auto report = imports::rank_shifts(*table, *normal, *abnormal, flags.text.top);
  if (!report.is_ok()) return tell_why_not(report.status());
  flags.text.file = flags.file;
  const std::string text = shift_text(*report, *table, *normal, *abnormal, flags.text);
  return write_value(flags.output, text) ? ExitCode::kPassed : ExitCode::kFailed;
}

}  // namespace

void add_explain_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<ExplainFlags>();
  CLI::App* command = add_command(
      app, "explain", "Rank the metrics of a CSV by how far they shifted between two windows",
      "  plumb explain metrics.csv --normal 0..300 --window 300..420\n"
      "  plumb explain metrics.csv.gz --normal 5m..10m --window 12m..14m --format md\n"
      "  plumb explain metrics.csv --normal 2026-11-21T13:00:00Z..2026-11-21T13:20:00Z "
      "--window 2026-11-21T13:25:00Z..2026-11-21T13:35:00Z");
  command
      ->add_option("FILE", flags->file,
                   "A CSV of metrics, the time first (epoch, RFC 3339, or seconds)")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--normal", flags->normal,
                   "When all was well: times as in the file, or since its first row")
      ->required()
      ->type_name("FROM..TO");
  command->add_option("--window", flags->window, "When it was not")
      ->required()
      ->type_name("FROM..TO");
  command->add_option("--top", flags->text.top, "How many metrics are shown")
      ->check(CLI::Range(1, 100'000));
  command->add_option("--format", flags->text.format, "What is written to stdout or to -o")
      ->check(CLI::IsMember(shift_formats()));
  command->add_option("-o,--output", flags->output, "Write it to this file")->type_name("FILE");
  command->callback([flags, &shared] { shared.exit_code = explain(*flags); });
}

}  // namespace plumb::cli
