#include "core/serve/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/serve/served_api_for_tests.h"

namespace plumb::serve {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kYaml = "application/yaml";
constexpr const char* kJson = "application/json";

// As the plan of the design wants it.
ApiOptions with_database_url() {
  ApiOptions options;
  options.policy.environment = {{"DATABASE_URL", "postgresql://localhost/x"}};
  return options;
}

// ---- plans ----

TEST(Api, ValidatesAPlanWithoutRunningIt) {
  ServedApi served;
  const json good = json_of(served.post("/api/v1/plans/validate", kYaml, kPlan));
  EXPECT_EQ(good["valid"], true);
  EXPECT_EQ(good["allowed"], true);
  EXPECT_EQ(good["plan"]["name"], "shop");
  EXPECT_EQ(good["origins"]["load.rate"], "plan:5");
  const json bad = json_of(served.post("/api/v1/plans/validate", kYaml, "load: {rate: fast}"));
  EXPECT_EQ(bad["valid"], false);
  EXPECT_FALSE(bad["errors"].empty());
  EXPECT_TRUE(served.runs.started().empty());
}

TEST(Api, SaysThatAValidPlanWouldNotBeAllowed) {
  ServedApi served({}, with_database_url());
  const json said = json_of(served.post("/api/v1/plans/validate", kYaml, plan::kShopPlan));
  ASSERT_EQ(said["valid"], true) << said;
  EXPECT_EQ(said["allowed"], false);
  EXPECT_THAT(said["refusal"], HasSubstr("--allow-start"));
}

TEST(Api, GivesEveryErrorOfAPlanWithItsPlace) {
  ServedApi served;
  const Reply reply = served.post("/api/v1/runs", kYaml,
                                  "target:\n  url: http://127.0.0.1:1\n"
                                  "load:\n  rate: fast\n  duratoin: 5s\n");
  expect_problem(reply, 422, "plan-invalid");
  const json errors = json_of(reply)["errors"];
  ASSERT_EQ(errors.size(), 2u) << errors;
  EXPECT_EQ(errors[0]["line"], 4);
  EXPECT_EQ(errors[0]["column"], 9);
  EXPECT_EQ(errors[0]["key"], "load.rate");
  EXPECT_EQ(errors[1]["line"], 5);
}

TEST(Api, DoesNotRunACommandThatAPlanNames) {
  ServedApi served({}, with_database_url());
  const Reply reply = served.post("/api/v1/runs", kYaml, plan::kShopPlan);
  expect_problem(reply, 403, "start-not-allowed");
  EXPECT_THAT(reply.body, HasSubstr("--allow-start"));
  EXPECT_TRUE(served.runs.started().empty());
}

TEST(Api, RunsACommandWhenTheDaemonAllowsIt) {
  ApiOptions options = with_database_url();
  options.policy.allow_start = true;
  ServedApi served({}, options);
  EXPECT_EQ(served.post("/api/v1/runs", kYaml, plan::kShopPlan).status, 202);
}

TEST(Api, DoesNotLoadAnotherMachine) {
  ServedApi served;
  const Reply reply = served.post("/api/v1/runs", kYaml,
                                  "target: {url: \"http://shop.example\"}\n"
                                  "load: {rate: 1/s}\nallow: [shop.example]\n");
  expect_problem(reply, 403, "host-not-allowed");
  EXPECT_THAT(reply.body, HasSubstr("--allow-host"));
}

TEST(Api, APlanSeesNoVariableOfTheDaemon) {
  ASSERT_EQ(setenv("PLUMB_LOAD_RATE", "999/s", 1), 0);
  ServedApi served;
  const Reply reply =
      served.post("/api/v1/runs", kYaml, std::string(kPlan) + "  bearer: ${HOME}\n");
  expect_problem(reply, 422, "plan-invalid");
  EXPECT_THAT(reply.body, HasSubstr("--env"));
  EXPECT_EQ(served.post("/api/v1/runs", kYaml, kPlan).status, 202);
  EXPECT_EQ(served.runs.started().at(0).load.rate, 50);
  unsetenv("PLUMB_LOAD_RATE");
}

// ---- runs ----

TEST(Api, StartsAPostedPlan) {
  ServedApi served;
  const Reply reply = served.post("/api/v1/runs", kYaml, kPlan);
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.headers.at("location"), run_path());
  const json body = json_of(reply);
  EXPECT_EQ(body["id"], kRunId);
  EXPECT_EQ(body["state"], "running");
  EXPECT_EQ(body["links"]["events"], run_path("/events"));
  ASSERT_EQ(served.runs.started().size(), 1u);
  EXPECT_EQ(served.runs.started()[0].run_dir, served.run_dir().string());
}

TEST(Api, SetsValuesOverAPlanInJson) {
  ServedApi served;
  const json body = {{"plan", kPlan}, {"set", {{"load.rate", "70/s"}, {"load.seed", 9}}}};
  EXPECT_EQ(served.post("/api/v1/runs", kJson, body.dump()).status, 202);
  EXPECT_EQ(served.runs.started().at(0).load.rate, 70);
  EXPECT_EQ(served.runs.started().at(0).load.seed, 9u);
}

TEST(Api, NamesTheRunThatIsInTheWay) {
  ServedApi served;
  served.runs.begin();
  const Reply reply = served.post("/api/v1/runs", kYaml, kPlan);
  expect_problem(reply, 409, "run-in-progress");
  EXPECT_EQ(json_of(reply)["id"], kRunId);
}

TEST(Api, ListsRunsInPages) {
  ServedApi served;
  for (int i = 0; i < 5; ++i) {
    make_run_file(served.run_dir(), "20261120T10451" + std::to_string(i) + "Z-7f3a");
  }
  const json page = json_of(served.get("/api/v1/runs?limit=2&offset=1"));
  EXPECT_EQ(page["total"], 5);
  ASSERT_EQ(page["runs"].size(), 2u);
  EXPECT_EQ(page["runs"][0]["id"], "20261120T104513Z-7f3a");
  EXPECT_EQ(page["runs"][0]["state"], "finished");
  EXPECT_EQ(page["runs"][0]["started"], "2026-11-20T10:45:12Z");
  EXPECT_TRUE(json_of(served.get("/api/v1/runs?offset=99"))["runs"].empty());
  for (const char* query : {"?limit=0", "?limit=201", "?limit=x", "?offset=-1", "?limit="}) {
    expect_problem(served.get(std::string("/api/v1/runs") + query), 400, "bad-query");
  }
}

TEST(Api, ListsALiveRunThatHasNoFileYetAndAFileThatIsBroken) {
  ServedApi served;
  std::ofstream(served.run_dir() / (std::string(kOtherRunId) + ".plumb")) << "no database";
  served.runs.begin();
  const json rows = json_of(served.get("/api/v1/runs"))["runs"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["state"], "running");
  EXPECT_EQ(rows[1]["state"], "unreadable");
  EXPECT_FALSE(rows[1]["message"].get<std::string>().empty());
}

TEST(Api, ShowsALiveRunAndThenItsEnd) {
  ServedApi served;
  served.runs.begin();
  served.runs.set_numbers({{"stage", "steady"}, {"requests", 12}});
  json run = json_of(served.get(run_path()));
  EXPECT_EQ(run["state"], "running");
  EXPECT_EQ(run["live"]["requests"], 12);
  EXPECT_EQ(ask(served.port, "POST", run_path("/stop")).status, 202);
  EXPECT_EQ(json_of(served.get(run_path()))["state"], "stopping");

  make_run_file(served.run_dir(), kRunId, store::RunState::kInterrupted);
  served.runs.end({store::RunState::kInterrupted, ""});
  run = json_of(served.get(run_path()));
  EXPECT_EQ(run["state"], "interrupted");
  EXPECT_TRUE(run.contains("verdict"));
  EXPECT_TRUE(run.contains("exit_code"));
  EXPECT_FALSE(run.contains("live"));
}

TEST(Api, TellsWhyARunNeverBegan) {
  ServedApi served;
  served.runs.begin();
  served.runs.end({store::RunState::kFailed, "the target does not answer"});
  const json run = json_of(served.get(run_path()));
  EXPECT_EQ(run["state"], "failed");
  EXPECT_EQ(run["message"], "the target does not answer");
}

TEST(Api, NoIdReachesOutOfTheRunDirectory) {
  ServedApi served;
  for (const char* id : {"..", "../x", "%2e%2e%2fx", "..%2f..%2fetc%2fpasswd", "x", "%00",
                         "20261120T104512Z-7F3A", "20261120T104512Z-7f3a.plumb"}) {
    for (const char* rest : {"", "/events", "/report"}) {
      const Reply reply = served.get("/api/v1/runs/" + std::string(id) + rest);
      EXPECT_EQ(reply.status, 404) << id << rest << reply.body;
    }
    EXPECT_EQ(ask(served.port, "DELETE", "/api/v1/runs/" + std::string(id)).status, 404) << id;
  }
}

TEST(Api, AnUnknownRunIsNotFound) {
  ServedApi served;
  for (const char* rest : {"", "/events", "/report"}) {
    expect_problem(served.get(run_path(rest)), 404, "not-found");
  }
  expect_problem(ask(served.port, "POST", run_path("/stop")), 404, "not-found");
  expect_problem(ask(served.port, "DELETE", run_path()), 404, "not-found");
}

TEST(Api, DeletesARunOnceItIsOver) {
  ServedApi served;
  make_run_file(served.run_dir(), kRunId);
  served.runs.begin();
  expect_problem(ask(served.port, "DELETE", run_path()), 409, "run-in-progress");
  served.runs.end({store::RunState::kFinished, ""});
  EXPECT_EQ(ask(served.port, "DELETE", run_path()).status, 204);
  EXPECT_EQ(ask(served.port, "DELETE", run_path()).status, 404);
  EXPECT_TRUE(std::filesystem::is_empty(served.run_dir()));
}

TEST(Api, ARunThatIsOverCannotBeStopped) {
  ServedApi served;
  make_run_file(served.run_dir(), kRunId);
  expect_problem(ask(served.port, "POST", run_path("/stop")), 409, "run-over");
}

TEST(Api, ARunOfEarlierIsToldInOneEvent) {
  ServedApi served;
  make_run_file(served.run_dir(), kOtherRunId);
  const std::string path = std::string("/api/v1/runs/") + kOtherRunId + "/events";
  const Reply reply = served.get(path);
  EXPECT_THAT(reply.body, HasSubstr("id: 9007199254740991\nevent: done\ndata: {"));
  EXPECT_THAT(reply.body, Not(HasSubstr("event: gap")));
  EXPECT_THAT(served.get(path, "Last-Event-ID: 17\r\n").body, HasSubstr("event: done"));
  EXPECT_EQ(served.get(path, "Last-Event-ID: 9007199254740991\r\n").status, 204);
}

// ---- reports ----

TEST(Api, GivesAReportInEveryForm) {
  ServedApi served;
  make_run_file(served.run_dir(), kRunId);
  const Reply json_reply = served.get(run_path("/report"));
  EXPECT_EQ(json_reply.status, 200) << json_reply.body;
  EXPECT_EQ(json_of(json_reply)["run"]["id"], kRunId);
  EXPECT_EQ(json_reply.headers.at("plumb-run-state"), "finished");
  for (const auto& [format, type] :
       std::map<std::string, std::string>{{"json", "application/json"},
                                          {"html", "text/html; charset=utf-8"},
                                          {"md", "text/markdown; charset=utf-8"},
                                          {"csv", "text/csv; charset=utf-8"},
                                          {"console", "text/plain; charset=utf-8"}}) {
    const Reply reply = served.get(run_path("/report?format=") + format);
    EXPECT_EQ(reply.status, 200) << format;
    EXPECT_EQ(reply.headers.at("content-type"), type);
    EXPECT_FALSE(reply.body.empty());
    const Reply accepted = served.get(run_path("/report"), "Accept: " + type + "\r\n");
    EXPECT_EQ(accepted.headers.at("content-type"), type);
  }
  expect_problem(served.get(run_path("/report?format=pdf")), 400, "bad-query");
  expect_problem(served.get(run_path("/report"), "Accept: image/png\r\n"), 406, "no-such-form");
}

TEST(Api, GivesStackProfilesForOtherTools) {
  ServedApi served;
  store::RunHeader header;
  header.id = kRunId;
  header.started_ns = 1'000'000'000;
  header.plan = json::object();
  header.environment = json::object();
  const auto writer =
      store::RunWriter::create(served.run_dir() / (std::string(kRunId) + ".plumb"), header);
  ASSERT_TRUE(writer.is_ok());
  (*writer)->on_stage({PLUMB_STAGE_STEADY, "steady", 2'000'000'000, 4'000'000'000});
  (*writer)->on_stacks({"stack_profile",
                        "on_cpu",
                        "seconds",
                        "",
                        PLUMB_LAYER_APP,
                        1'000'000'000,
                        3'000'000'000,
                        {{"main;hot", 1}}});
  ASSERT_TRUE((*writer)->finish(store::RunState::kFinished).is_ok());
  const Reply folded = served.get(run_path("/report?format=folded"));
  EXPECT_EQ(folded.status, 200) << folded.body;
  EXPECT_EQ(folded.headers.at("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(folded.body, "main;hot 500000\n");
  EXPECT_EQ(served.get(run_path("/report?format=folded&whole=true&profile=on_cpu")).body,
            "main;hot 1000000\n");
  const Reply speedscope = served.get(run_path("/report?format=speedscope"));
  EXPECT_EQ(speedscope.headers.at("content-type"), "application/json");
  EXPECT_EQ(json_of(speedscope)["profiles"][0]["name"], "on_cpu");
  expect_problem(served.get(run_path("/report?format=folded&profile=heap")), 404, "not-found");
  expect_problem(served.get(run_path("/report?format=folded&whole=maybe")), 400, "bad-query");
  expect_problem(served.get(run_path("/report?format=html&whole=true")), 400, "bad-query");
}

TEST(Api, ARunWithoutProfilesHasNoneToGive) {
  ServedApi served;
  make_run_file(served.run_dir(), kRunId);
  const Reply reply = served.get(run_path("/report?format=folded"));
  expect_problem(reply, 404, "not-found");
  EXPECT_THAT(reply.body, HasSubstr("has no stack profile"));
}

TEST(Api, ThePageKeepsItsOwnContentPolicy) {
  ServedApi served;
  make_run_file(served.run_dir(), kRunId);
  const Reply reply = served.get(run_path("/report?format=html"));
  EXPECT_EQ(reply.headers.at("content-security-policy"), "frame-ancestors 'none'");
  EXPECT_EQ(reply.headers.at("x-frame-options"), "DENY");
  EXPECT_THAT(reply.body, HasSubstr("Content-Security-Policy"));
}

TEST(Api, ARunWithoutStagesHasNoReportYet) {
  ServedApi served;
  served.runs.begin();
  expect_problem(served.get(run_path("/report")), 409, "no-report-yet");
}

TEST(Api, AReportOfALiveRunSaysSo) {
  ServedApi served;
  store::RunHeader header;
  header.id = kRunId;
  header.started_ns = 1'000'000'000;
  header.plan = json::object();
  header.environment = json::object();
  const auto writer =
      store::RunWriter::create(served.run_dir() / (std::string(kRunId) + ".plumb"), header);
  ASSERT_TRUE(writer.is_ok());
  (*writer)->on_stage({PLUMB_STAGE_STEADY, "steady", 1'000'000'000, 11'000'000'000});
  ASSERT_TRUE((*writer)->flush().is_ok());
  served.runs.begin();
  const Reply reply = served.get(run_path("/report"));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.headers.at("plumb-run-state"), "running");
  EXPECT_THAT(reply.body, HasSubstr("still goes on"));
  EXPECT_THAT(reply.body, Not(HasSubstr("cut off")));
}

}  // namespace
}  // namespace plumb::serve
