// Runs the plumb that was built, as a user would. No plugins are needed: the tests bring manifests
// of their own where a plan must be valid.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/compare/simulated_run_for_tests.h"
#include "core/host/manifest.h"
#include "core/session/temporary_directory_for_tests.h"
#include "core/store/run_file.h"

namespace plumb::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Ran {
  int exit_code = -1;
  std::string out;
  std::string err;
};

class CommandLine : public ::testing::Test {
 protected:
  CommandLine() {
    // A plumb of its own, away from the plugins that the build put beside the real one.
    directory_.write("bin/none", "");
    std::filesystem::copy_file(std::string(PLUMB_BINARY_DIR) + "/bin/plumb",
                               directory_.path() / "bin/plumb");
    const host::Manifest load = manifest_of("http_load", PLUMB_ROLE_LOAD, "Makes load.");
    host::Manifest sampler = manifest_of("pg_stats", PLUMB_ROLE_SAMPLER, "Watches PostgreSQL.");
    host::OptionInfo dsn;
    dsn.key = "dsn";
    dsn.required = true;
    dsn.secret = true;
    dsn.help = "Where it is.";
    host::OptionInfo budget;
    budget.key = "budget";
    budget.type = PLUMB_OPTION_NUMBER;
    budget.unit = "ratio";
    sampler.options = {dsn, budget};
    for (const host::Manifest& manifest : {load, sampler}) {
      directory_.write("plugins/" + manifest.name + ".plugin.json", host::manifest_json(manifest));
      directory_.write("plugins/" + manifest.file, "");
    }
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory_.path() / "plugins"))
      std::filesystem::permissions(entry.path(), std::filesystem::perms(0644));
    std::filesystem::permissions(directory_.path() / "plugins", std::filesystem::perms(0755));
  }

  static host::Manifest manifest_of(const std::string& name, uint32_t role,
                                    const std::string& summary) {
    host::Manifest out;
    out.name = name;
    out.version = "1.2.0";
    out.role = role;
    out.summary = summary;
    out.file = name + ".so";
    out.default_interval_ns = 1'000'000'000;
    return out;
  }
  // `arguments` as a shell would take them; `environment` as NAME=value words before it.
  Ran plumb(const std::string& arguments, const std::string& environment = "") {
    const std::string out = (directory_.path() / "out").string();
    const std::string err = (directory_.path() / "err").string();
    const std::string command = "cd '" + directory_.path().string() +
                                "' && env PLUMB_PLUGIN_PATH='" +
                                (directory_.path() / "plugins").string() + "' " + environment +
                                " '" + (directory_.path() / "bin/plumb").string() + "' " +
                                arguments + " >'" + out + "' 2>'" + err + "' </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(out), text_of(err)};
  }
  static std::string text_of(const std::string& file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void write_plan(const std::string& more = "") {
    directory_.write("plan.yaml",
                     "target: {url: 'http://127.0.0.1:1'}\nload: {rate: 20/s}\n" + more);
  }

  TemporaryDirectory directory_;
};

TEST_F(CommandLine, AloneItTellsItsCommandsWithExamples) {
  const Ran ran = plumb("");
  EXPECT_EQ(ran.exit_code, 0);
  for (const char* word : {"run", "report", "runs", "import", "explain", "validate", "init",
                           "plugin", "doctor", "version", "completion", "Examples:"})
    EXPECT_THAT(ran.out, HasSubstr(word));
  EXPECT_THAT(ran.out, Not(HasSubstr("docs")));
  EXPECT_EQ(ran.err, "");
}

TEST_F(CommandLine, EveryCommandHasHelpWithAnExample) {
  for (const char* command : {"run",           "report",        "runs",
                              "compare",       "baseline",      "baseline set",
                              "baseline list", "baseline show", "baseline remove",
                              "trend",         "import",        "explain",
                              "validate",      "init",          "plugin",
                              "plugin list",   "plugin info",   "doctor",
                              "version",       "completion"}) {
    const Ran ran = plumb(std::string(command) + " --help");
    EXPECT_EQ(ran.exit_code, 0) << command;
    EXPECT_THAT(ran.out, HasSubstr(std::string("plumb ") + command)) << command;
    EXPECT_THAT(ran.out, HasSubstr("Examples:")) << command;
  }
}

TEST_F(CommandLine, UnknownWordsSuggestTheNearest) {
  Ran ran = plumb("rnu plan.yaml");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("there is no command 'rnu'. Did you mean 'run'?"));
  ran = plumb("plugin lst");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("Did you mean 'list'?"));
  ran = plumb("run plan.yaml --profil smoke");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("what is '--profil'? Did you mean '--profile'?"));
  EXPECT_EQ(plumb("run").exit_code, 2);
  EXPECT_EQ(plumb("run plan.yaml --format pdf").exit_code, 2);
  ran = plumb("plugin");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("Commands: list info"));
}

TEST_F(CommandLine, VersionIsAValue) {
  EXPECT_THAT(plumb("version").out, StartsWith("plumb "));
  EXPECT_TRUE(nlohmann::json::parse(plumb("version --format json").out).contains("plugin_abi"));
}

TEST_F(CommandLine, OutputThatCannotBeWrittenIsAFailure) {
  const Ran ran = plumb("version", "sh -c '\"$0\" \"$@\" >/dev/full'");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("No space left on device"));
}

TEST_F(CommandLine, AReportThatHasNowhereToGoIsSaidBeforeTheRun) {
  write_plan();
  const Ran ran = plumb("run plan.yaml -o missing/report.json");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("there is no directory missing"));
}

TEST_F(CommandLine, ValidatePrintsValuesWithTheirOrigin) {
  write_plan();
  const Ran ran = plumb("validate plan.yaml --print --set load.timeout=3s", "PLUMB_LOAD_WARMUP=4s");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("load.rate +20/s +plan:2\n"));
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("load.timeout +3s +--set\n"));
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("load.warmup +4s +PLUMB_LOAD_WARMUP\n"));
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("load.duration +10s +default\n"));
  EXPECT_THAT(plumb("validate plan.yaml --profile smoke --print").out,
              ::testing::ContainsRegex("load.users +1 +profile smoke\n"));
  write_plan("slos: [{preset: read, p95: 50ms}]\n");
  const std::string printed = plumb("validate plan.yaml --print").out;
  EXPECT_THAT(printed, ::testing::ContainsRegex("slos.0.p99 +500ms +preset read\n"));
  EXPECT_THAT(printed, Not(::testing::ContainsRegex("slos.0.p95 +200ms")));
}

TEST_F(CommandLine, ValidateHidesSecrets) {
  write_plan("plugins: {pg_stats: {dsn: \"${DSN}\"}}\n");
  for (const char* how : {"--print", "--format json"}) {
    const Ran ran = plumb(std::string("validate plan.yaml ") + how,
                          "DSN=postgresql://u:hunter22@127.0.0.1/shop");
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("hunter22")));
  }
}

TEST_F(CommandLine, ValidateAsksEachPluginAndConnectsToNothing) {
  const std::string build = PLUMB_BINARY_DIR;
  std::filesystem::create_symlink(build + "/bin/plumb-host", directory_.path() / "bin/plumb-host");
  const std::string shipped = "PLUMB_PLUGIN_PATH='" + build + "/lib/plumb/plugins'";
  write_plan("plugins:\n  prom_scrape: {url: \"ftp://127.0.0.1/\"}\n  pg_stats: {dsn: 5}\n");
  const Ran ran = plumb("validate plan.yaml", shipped);
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("plugin prom_scrape: url: \"ftp://127.0.0.1/\" is neither http"));
  EXPECT_THAT(ran.err, HasSubstr("plugin pg_stats: dsn is not a connection string"));
  write_plan("plugins: {pg_stats: {dsn: \"postgresql://u@127.0.0.1:1/nobody-listens\"}}\n");
  EXPECT_EQ(plumb("validate plan.yaml", shipped).exit_code, 0);
}

TEST_F(CommandLine, SharesOfPluginsAreWrittenAsSharesOfThePlan) {
  const std::string start = "plugins: {pg_stats: {dsn: \"dbname=shop\", budget: ";
  write_plan(start + "7%}}\n");
  EXPECT_THAT(plumb("validate plan.yaml --print").out,
              ::testing::ContainsRegex("plugins.pg_stats.budget +7% +plan:3"));
  write_plan(start + "500%}}\n");
  EXPECT_THAT(plumb("validate plan.yaml").err, HasSubstr("100% at most, got \"500%\""));
}

TEST_F(CommandLine, AWrongPlanGivesAllItsProblemsAndCodeTwo) {
  write_plan("plugins: {pg_stat: {}}\nslo: []\n");
  for (const char* command : {"validate plan.yaml", "run plan.yaml"}) {
    const Ran ran = plumb(command);
    EXPECT_EQ(ran.exit_code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, HasSubstr("plan.yaml:3:11: there is no plugin \"pg_stat\""));
    EXPECT_THAT(ran.err, HasSubstr("plan.yaml:4:1: unknown key \"slo\""));
  }
  const auto json = nlohmann::json::parse(plumb("validate plan.yaml --format json").out);
  EXPECT_EQ(json["valid"], false);
  ASSERT_EQ(json["problems"].size(), 2u);
  EXPECT_EQ(json["problems"][0]["line"], 3);
  EXPECT_EQ(plumb("validate nowhere.yaml").exit_code, 2);
  EXPECT_EQ(plumb("validate plan.yaml --set load.rate").exit_code, 2);
}

TEST_F(CommandLine, ARunThatCannotBeginLeavesNoRunFile) {
  write_plan();
  const Ran ran = plumb("run plan.yaml --run-dir kept");
  EXPECT_NE(ran.exit_code, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err, "");
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() / "kept"));
}

TEST_F(CommandLine, InitWritesAPlanThatIsValidAndNeverOverwrites) {
  Ran ran = plumb("init http://localhost:9000 -o my.yaml --database postgres --rate 70/s");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "");
  const std::string text = text_of((directory_.path() / "my.yaml").string());
  EXPECT_THAT(text, HasSubstr("process: {port: 9000}"));
  EXPECT_THAT(text, HasSubstr("rate: 70/s"));
  EXPECT_THAT(text, HasSubstr("${DATABASE_URL}"));
  ran = plumb("init -o my.yaml");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--force"));
  EXPECT_EQ(text_of((directory_.path() / "my.yaml").string()), text);
  EXPECT_EQ(plumb("init -o my.yaml --force").exit_code, 0);
  EXPECT_EQ(plumb("init ftp://x -o other.yaml").exit_code, 2);
  EXPECT_THAT(plumb("init -o -").out, HasSubstr("target:"));
}

TEST_F(CommandLine, PluginsAreListedWithoutLoadingThem) {
  EXPECT_THAT(plumb("plugin list").out,
              HasSubstr("pg_stats   sampler  1.2.0    Watches PostgreSQL."));
  EXPECT_THAT(plumb("plugin info pg_stats").out, HasSubstr("Where it is. (secret)"));
  EXPECT_EQ(nlohmann::json::parse(plumb("plugin list --format json").out).size(), 2u);
  const Ran ran = plumb("plugin info pg_stast");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("pg_stats"));
}

TEST_F(CommandLine, RunsThatAreNotThereAreSaidToBeSo) {
  EXPECT_EQ(plumb("runs").exit_code, 0);
  EXPECT_EQ(plumb("runs --format json").out, "[]\n");
  const Ran ran = plumb("report last");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("there are no runs in runs"));
  directory_.write("runs/20261120T104512Z-7f3a.plumb", "no database");
  EXPECT_EQ(plumb("report last").exit_code, 1);
  EXPECT_THAT(plumb("runs").out, HasSubstr("unreadable"));
}

// A kept run with a profile: 2 s on main;`hot` and 1 s on main;poll in its steady stage.
void write_profiled_run(const std::filesystem::path& directory, const std::string& id,
                        const std::string& hot) {
  constexpr int64_t kSecond = 1'000'000'000;
  store::RunHeader header;
  header.id = id;
  header.name = "shop";
  header.started_ns = kSecond;
  header.plan = nlohmann::json::object();
  header.environment = nlohmann::json::object();
  auto writer = store::RunWriter::create(directory / (id + ".plumb"), header);
  ASSERT_TRUE(writer.is_ok()) << writer.status().message();
  (*writer)->on_stage({PLUMB_STAGE_WARMUP, "warm-up", kSecond, 2 * kSecond});
  (*writer)->on_stage({PLUMB_STAGE_STEADY, "steady", 2 * kSecond, 12 * kSecond});
  const auto emit = [&](const char* profile, int64_t start_ns, int64_t end_ns,
                        std::vector<FoldedStack> stacks) {
    (*writer)->on_stacks({"stack_profile", profile, "seconds", "", PLUMB_LAYER_APP, start_ns,
                          end_ns, std::move(stacks)});
  };
  emit("on_cpu", kSecond, 2 * kSecond, {{"main;warm", 4}});
  emit("on_cpu", 2 * kSecond, 12 * kSecond, {{"main;" + hot, 2}, {"main;poll", 1}});
  emit("off_cpu", 2 * kSecond, 12 * kSecond, {{"main;wait", 7}});
  ASSERT_TRUE((*writer)->finish(store::RunState::kFinished).is_ok());
}

TEST_F(CommandLine, RunsTellHowManyRequestsFailed) {
  const std::string id = "20261120T104512Z-7f3a";
  write_profiled_run(directory_.path() / "runs", id, "hot");
  ASSERT_TRUE(store::put_document(directory_.path() / "runs" / (id + ".plumb"), "summary",
                                  {{"requests", 1234}, {"failed", 56}, {"verdict", "Stable"}})
                  .is_ok());
  const std::string out = plumb("runs").out;
  EXPECT_THAT(out, ::testing::ContainsRegex("REQUESTS +ERRORS +P95"));
  EXPECT_THAT(out, ::testing::ContainsRegex("1,234 +56 +– "));
}

TEST_F(CommandLine, ProfilesAreExportedForOtherTools) {
  write_profiled_run(directory_.path() / "runs", "20261120T104512Z-7f3a", "hot");
  Ran ran = plumb("report last --format folded");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "main;hot 2000000\nmain;poll 1000000\n");
  EXPECT_EQ(plumb("report last --format folded --profile off_cpu").out, "main;wait 7000000\n");
  EXPECT_THAT(plumb("report last --format folded --whole").out, HasSubstr("main;warm 4000000\n"));
  ran = plumb("report last --format speedscope -o profile.json");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const auto file = nlohmann::json::parse(text_of((directory_.path() / "profile.json").string()));
  EXPECT_EQ(file["profiles"].size(), 2u);
}

TEST_F(CommandLine, ProfilesThatAreNotThereAreSaidToBeSo) {
  write_profiled_run(directory_.path() / "runs", "20261120T104512Z-7f3a", "hot");
  Ran ran = plumb("report last --format folded --profile heap");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("It has: on_cpu (of stack_profile), off_cpu"));
  ran = plumb("report last --whole");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("go with --format folded"));
  ran = plumb("report last --diff last --format csv");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--diff gives console, json, html or folded"));
  ran = plumb("report last --diff nowhere");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--diff: "));
}

TEST_F(CommandLine, ProfilesOfTwoRunsAreCompared) {
  write_profiled_run(directory_.path() / "runs", "20261119T104512Z-1a2b", "slow");
  write_profiled_run(directory_.path() / "runs", "20261120T104512Z-7f3a", "fast");
  Ran ran = plumb("report last --diff 1a2b");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("of each second"));
  EXPECT_LT(ran.out.find("fast"), ran.out.find("slow"));
  EXPECT_EQ(plumb("report last --diff 1a2b --format folded").out,
            "main;fast 0 2000000\nmain;poll 1000000 1000000\nmain;slow 2000000 0\n");
  const auto json = nlohmann::json::parse(plumb("report last --diff 1a2b --format json").out);
  EXPECT_EQ(json["gained"][0]["name"], "fast");
  EXPECT_EQ(json["lost"][0]["name"], "slow");
  EXPECT_THAT(plumb("report last --diff 1a2b --format html").out,
              HasSubstr("Differential flame graph"));
}

// A run file as a run would have left it.
void write_simulated_run(const std::filesystem::path& directory,
                         const plumb::testing::SimulatedService& service, uint64_t seed) {
  const store::RunData run = plumb::testing::simulated_run(service, seed);
  auto writer = store::RunWriter::create(directory / (run.header.id + ".plumb"), run.header);
  ASSERT_TRUE(writer.is_ok()) << writer.status().message();
  for (const StageSpan& stage : run.stages) (*writer)->on_stage(stage);
  for (const store::SeriesData& series : run.series) {
    (*writer)->on_series(series.info);
    std::vector<Sample> samples;
    for (size_t i = 0; i < series.times_ns.size(); ++i)
      samples.push_back({series.info.id, series.times_ns[i], series.values[i]});
    (*writer)->on_samples(samples);
    for (const HistogramRecord& record : series.histograms) (*writer)->on_histogram(record);
  }
  ASSERT_TRUE((*writer)->finish(store::RunState::kFinished).is_ok());
}

class ComparedRuns : public CommandLine {
 protected:
  ComparedRuns() {
    write_simulated_run(directory_.path() / "runs", service_, 1);
    write_simulated_run(directory_.path() / "runs", service_, 2);
    plumb::testing::SimulatedService slower = service_;
    slower.slower = 1.5;
    write_simulated_run(directory_.path() / "runs", slower, 3);
  }

  plumb::testing::SimulatedService service_;
};

TEST_F(ComparedRuns, TheExitCodeTellsARegressionFromNone) {
  Ran ran = plumb("compare 0001 0002");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("STABLE"));
  ran = plumb("compare 0001 0002 0003");
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("against 2 runs: 0001, 0002"));
  EXPECT_EQ(plumb("compare last --against 0001 --against 0002").out, ran.out);
  EXPECT_EQ(plumb("compare 0001 last --least 80%").exit_code, 0);
}

TEST_F(ComparedRuns, AReportReplacesNoRunFileAndNotWhatIsRead) {
  const std::string other = "runs/20261120T104512Z-0002.plumb";
  for (const std::string& command :
       {"report 0001 --format json -o " + other, "compare 0001 0003 -o " + other,
        "trend --format csv -o " + other, "import k6.ndjson -o " + other}) {
    const Ran ran = plumb(command);
    EXPECT_EQ(ran.exit_code, 2) << command;
    EXPECT_THAT(ran.err, HasSubstr("-o " + other + ": a run file or a database is there"));
  }
  EXPECT_EQ(plumb("report 0002").exit_code, 0);
  const std::string table = "t,a\n0,1\n1,1\n2,1\n3,2\n4,2\n5,2\n";
  directory_.write("m.csv", table);
  const Ran ran = plumb("explain m.csv --normal 0..2 --window 3..5 -o ./m.csv");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("-o ./m.csv: it is what is read"));
  EXPECT_EQ(text_of((directory_.path() / "m.csv").string()), table);
}

TEST_F(ComparedRuns, ARunIsNotItsOwnBaseAndNotTwiceInOne) {
  EXPECT_THAT(plumb("compare 0001 0001").err, HasSubstr("is to be held against"));
  EXPECT_THAT(plumb("compare 0001 0001 0003").err, HasSubstr("is in the base twice"));
  const Ran ran = plumb("baseline set 0001 0001");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("0001 is named twice"));
}

TEST_F(ComparedRuns, ARunFileThatCannotBeReadIsAFailureAndNoMisuse) {
  directory_.write("bad.plumb", "no run at all");
  EXPECT_EQ(plumb("compare 0001 bad.plumb").exit_code, 1);
  EXPECT_EQ(plumb("compare bad.plumb 0001").exit_code, 1);
  EXPECT_EQ(plumb("compare bad.plumb").exit_code, 1);
}

TEST_F(ComparedRuns, AChangeThatIsTooSmallToCountIsNotCalledChance) {
  const Ran ran = plumb("compare 0001 0002 0003 --least-time 1s");
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.out, HasSubstr("changed by as much as counts as a change (5.0% and"));
  EXPECT_THAT(plumb("compare 0001 0002").out, HasSubstr("by more than chance explains"));
}

TEST_F(ComparedRuns, ARunThatIsTooShortIsNotEnoughData) {
  service_.seconds = 20;
  write_simulated_run(directory_.path() / "runs", service_, 4);
  const Ran ran = plumb("compare 0001 last");
  EXPECT_EQ(ran.exit_code, 5);
  EXPECT_THAT(ran.out, HasSubstr("at least 30 s are needed"));
  EXPECT_EQ(plumb("baseline set last").exit_code, 5);
}

TEST_F(ComparedRuns, EveryFormatIsWritten) {
  for (const char* format : {"console", "json", "md", "html"}) {
    const Ran ran = plumb(std::string("compare 0001 0003 -o out.file --format ") + format);
    EXPECT_EQ(ran.exit_code, 4) << format << ran.err;
    EXPECT_FALSE(text_of((directory_.path() / "out.file").string()).empty()) << format;
  }
}

TEST_F(ComparedRuns, ABaselineStandsInForTheBaseAndOutlivesItsRuns) {
  Ran ran = plumb("compare last");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("there is no baseline default of plan shop"));
  ran = plumb("baseline set 0001 0002");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  std::filesystem::remove(directory_.path() / "runs/20261120T104512Z-0001.plumb");
  ran = plumb("baseline list");
  EXPECT_THAT(ran.out, HasSubstr("shop  default  20261120T104512Z-0001 20261120T104512Z-0002  "
                                 "(run file deleted, its copy is kept)"));
  ran = plumb("compare last");
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("against 2 runs (baseline default): 0001, 0002"));
  EXPECT_THAT(plumb("baseline show --format json").out, HasSubstr("\"run_file_kept\": false"));
  EXPECT_THAT(plumb("baseline set 0003").err,
              HasSubstr("is 20261120T104512Z-0003, in place of 20261120T104512Z-0001, 2026"));
  EXPECT_EQ(plumb("baseline remove").exit_code, 0);
  EXPECT_EQ(plumb("baseline show").exit_code, 2);
}

TEST_F(ComparedRuns, AGateThatIsNotThereIsSaidBeforeTheLoad) {
  write_plan("name: shop\n");
  Ran ran = plumb("run plan.yaml --baseline relase");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("there is no baseline relase of plan shop"));
  EXPECT_EQ(plumb("baseline set 0001 --name release").exit_code, 0);
  EXPECT_THAT(plumb("run plan.yaml --baseline relase").err, HasSubstr("Did you mean 'release'?"));
  ran = plumb("run plan.yaml --baseline ../x");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("is no name of a baseline"));
}

TEST_F(ComparedRuns, TheTrendIsOfThePlanThatIsNamedOrRanLast) {
  Ran ran = plumb("trend");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("shop   3 runs, 3 of them valid"));
  ran = plumb("trend shpo");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("Did you mean 'shop'?"));
  EXPECT_THAT(plumb("trend shop --format csv").out, StartsWith("id,started,valid,"));
}

TEST_F(CommandLine, AnImportedRunIsReportedOnLikeAnyOther) {
  const std::string fixtures = std::string(PLUMB_SOURCE_DIR) + "/core/imports/testdata/";
  const std::string runs = " --run-dir '" + (directory_.path() / "imported").string() + "'";
  const Ran ran = plumb("import " + fixtures + "k6.ndjson --name shop --report json" + runs);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("48 requests read as k6 JSON"));
  const auto imported = nlohmann::json::parse(ran.out);
  EXPECT_EQ(imported["run"]["name"], "shop");
  EXPECT_EQ(imported["validity"]["status"], "valid");
  EXPECT_EQ(nlohmann::json::parse(plumb("report last --format json" + runs).out), imported);
  EXPECT_THAT(plumb("runs" + runs).out, HasSubstr("shop"));
}

TEST_F(CommandLine, AnImportIsHeldAgainstThePlansObjectives) {
  const std::string fixtures = std::string(PLUMB_SOURCE_DIR) + "/core/imports/testdata/";
  directory_.write("slo.yaml",
                   "name: shop\ntarget: {url: 'http://127.0.0.1:1'}\nload: {users: 1}\n"
                   "slos: [{p99: 50ms}, {p95: 50ms}]\n");
  const std::string rest = " --plan '" + (directory_.path() / "slo.yaml").string() +
                           "' --run-dir '" + (directory_.path() / "imported").string() + "'";
  const Ran kept = plumb("import " + fixtures + "k6.csv" + rest);
  EXPECT_EQ(kept.exit_code, 0) << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("Objectives: 2 of 2 met"));
  // wrk's p99 is longer, and its p95 is not known.
  const Ran breached = plumb("import " + fixtures + "wrk_latency.txt" + rest);
  EXPECT_EQ(breached.exit_code, 3) << breached.err;
  EXPECT_THAT(breached.out, HasSubstr("could not be evaluated"));
}

TEST_F(CommandLine, WhatCannotBeImportedIsAUsageErrorAndLeavesNoRun) {
  directory_.write("bad.csv", "timeStamp,elapsed,label\n1763732400000,-4,a\n");
  const std::string runs = " --run-dir '" + (directory_.path() / "none").string() + "'";
  const Ran ran = plumb("import '" + (directory_.path() / "bad.csv").string() + "'" + runs);
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("bad.csv:2:15: elapsed is '-4'"));
  EXPECT_THAT(plumb("runs" + runs).err, HasSubstr("there are no runs"));
  EXPECT_EQ(plumb("import nowhere.csv" + runs).exit_code, 2);
  EXPECT_EQ(plumb("import nowhere.csv --map what=ever" + runs).exit_code, 2);
  for (const char* url : {"http://bob:hunter22@127.0.0.1:1/", "ftp://127.0.0.1", "not a url"}) {
    const Ran refused = plumb("import nowhere.csv --url '" + std::string(url) + "'" + runs);
    EXPECT_EQ(refused.exit_code, 2) << url;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("--url: "), Not(HasSubstr("hunter22"))));
  }
}

TEST_F(CommandLine, ExplainRanksWhatShifted) {
  std::string text = "t,steady,\"moved, a lot\"\n";
  for (int s = 0; s < 60; ++s)
    text += std::to_string(s) + "," + std::to_string(5 + s % 3) + "," +
            std::to_string((s < 40 ? 1 : 90) + s % 2) + "\n";
  directory_.write("metrics.csv", text);
  const std::string arguments = "explain '" + (directory_.path() / "metrics.csv").string() +
                                "' --normal 0..30 --window 40..59 --format ";
  EXPECT_THAT(plumb(arguments + "console").out, HasSubstr("*  moved, a lot"));
  EXPECT_THAT(plumb(arguments + "md").out, HasSubstr("| \\* | moved, a lot |"));
  EXPECT_THAT(plumb(arguments + "csv").out, HasSubstr("\n\"moved, a lot\","));
  const auto json = nlohmann::json::parse(plumb(arguments + "json").out);
  EXPECT_EQ(json["shifts"][0]["began"], "40 s");
  EXPECT_EQ(json["compared"], 2);
  EXPECT_EQ(plumb("explain /nowhere.csv --normal 0..1 --window 2..3").exit_code, 2);
}

TEST_F(CommandLine, DoctorSpeaksJsonToo) {
  const auto json = nlohmann::json::parse(plumb("doctor --format json").out);
  EXPECT_GE(json.size(), 9u);
  EXPECT_THAT(plumb("doctor").out, HasSubstr("plugins: http_load, pg_stats"));
}

TEST_F(CommandLine, BashCompletionOffersWhatTheTreeHas) {
  const Ran script = plumb("completion bash");
  ASSERT_EQ(script.exit_code, 0);
  directory_.write("complete.bash", script.out +
                                        "try() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1));"
                                        " COMPREPLY=(); _plumb; echo \"${COMPREPLY[*]}\"; }\n"
                                        "try plumb val\ntry plumb plugin in\ntry plumb run --form\n"
                                        "try plumb run --format j\ntry plumb completion z\n");
  std::array<char, 256> line{};
  const std::string command = "bash '" + (directory_.path() / "complete.bash").string() + "'";
  FILE* bash = ::popen(command.c_str(), "r");
  ASSERT_NE(bash, nullptr);
  std::string said;
  while (std::fgets(line.data(), line.size(), bash) != nullptr) said += line.data();
  EXPECT_EQ(::pclose(bash), 0);
  EXPECT_EQ(said, "validate\ninfo\n--format\njson\nzsh\n");
}

TEST_F(CommandLine, TheReferenceOfPlansIsTheFileInDocs) {
  EXPECT_EQ(plumb("docs plan").out, text_of(std::string(PLUMB_SOURCE_DIR) + "/docs/plan.md"));
}

}  // namespace
}  // namespace plumb::cli
