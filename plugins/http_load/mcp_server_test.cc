// MCP against servers made with the protocol's official SDKs: tests/mcp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plugins/http_load/emitter.h"
#include "plugins/http_load/mcp_discovery.h"
#include "plugins/http_load/mcp_workload.h"
#include "plugins/http_load/plugin_run.h"
#include "plugins/http_load/workload_player.h"

extern char** environ;

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::filesystem::path kDirectory = std::filesystem::path(PLUMB_SOURCE_DIR) / "tests/mcp";

// The server as a process, from construction to destruction.
class McpServer {
 public:
  explicit McpServer(const std::vector<std::string>& options,
                     const std::string& script = "server.mjs") {
    int input[2], output[2];
    if (pipe(input) != 0 || pipe(output) != 0) return;
    std::vector<std::string> words = {"node", (kDirectory / script).string()};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    for (const int fd : {input[0], input[1], output[0], output[1]})
      posix_spawn_file_actions_addclose(&actions, fd);
    if (posix_spawnp(&pid_, "node", &actions, nullptr, arguments.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    std::string line;
    for (char c = 0; pid_ > 0 && read(output[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(output[0]);
    is_supported_ = line != "unsupported";
    const size_t space = line.find(' ');
    if (is_supported_) {
      EXPECT_NE(space, std::string::npos) << "node " << script << " did not start: " << line;
    }
    if (space != std::string::npos) url_ = "http://127.0.0.1:" + line.substr(space + 1);
  }
  ~McpServer() {
    ::close(input_);
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  McpServer(const McpServer&) = delete;
  McpServer& operator=(const McpServer&) = delete;

  // Whether this machine's node can run it.
  bool is_supported() const { return is_supported_; }
  const std::string& url() const { return url_; }
  // What it has seen.
  json counts() const {
    MonotonicClock clock;
    StopFlag stop;
    auto plan = rpc_plan(url_, {{"requests", {{{"name", "counts"}, {"path", "/counts"}}}}});
    auto transport = Http1Transport::open(*plan, clock, stop);
    struct Body final : AnswerSink, CompletionHandler {
      void on_answer(int) override {}
      void on_header(std::string_view, std::string_view) override {}
      bool on_body(std::string_view bytes, int64_t) override {
        text.append(bytes);
        return true;
      }
      void on_completion(Completion&) override { done = true; }
      std::string text;
      bool done = false;
    } body;
    (*transport)->start({.intended_ns = clock.now_ns(), .sink = &body});
    while (!body.done) (*transport)->poll(clock.now_ns() + 100'000'000, body);
    return json::parse(body.text);
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  bool is_supported_ = true;
  std::string url_;
};

class McpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kDirectory / "node_modules/.installed-package-lock.json"))
      GTEST_SKIP() << "the SDK's packages are missing: run scripts/install-node-packages";
  }

  // Discovers, and plays `iterations` with `users` users.
  void play(const McpServer& server, const json& load, int users, uint64_t iterations) {
    auto parsed = rpc_plan(server.url(), load, users);
    ASSERT_TRUE(parsed.is_ok()) << parsed.status().message();
    plan = std::move(parsed).value();
    const Status found = discover_mcp(plan, clock, stop);
    ASSERT_TRUE(found.is_ok()) << found.message();
    workload.emplace(plan, 0);
    player.emplace(plan, *workload);
    player->play(iterations);
  }
  Status discovered(const McpServer& server, const json& load) {
    auto parsed = rpc_plan(server.url(), load);
    return parsed.is_ok() ? discover_mcp(*parsed, clock, stop) : parsed.status();
  }
  int share(const std::string& endpoint) const {
    const auto counts = player->counts();
    const auto at = counts.find(endpoint);
    return at == counts.end() ? 0 : at->second;
  }

  MonotonicClock clock;
  StopFlag stop;
  LoadPlan plan;
  std::optional<McpWorkload> workload;
  std::optional<WorkloadPlayer> player;
};

const json kDefaultMix = {{"protocol", "mcp"}};

TEST_F(McpServerTest, TheDefaultMixIsOfTheFirstToolsByName) {
  const McpServer server({});
  play(server, kDefaultMix, 4, 1'000);
  // Three standard deviations of a thousand choices.
  EXPECT_NEAR(share("tools/call failing"), 400, 47);
  EXPECT_NEAR(share("tools/call fast"), 300, 44);
  EXPECT_NEAR(share("tools/call slow"), 200, 38);
  EXPECT_NEAR(share("tools/list"), 100, 29);
  EXPECT_EQ(share("initialize"), 4) << "one session for each user";
  EXPECT_EQ(share("notifications/initialized"), 4);
  EXPECT_EQ(player->first("notifications/initialized").status, 202);
  EXPECT_EQ(player->connections, 4u) << "streams end by themselves, and connections are kept";

  const json seen = server.counts();
  EXPECT_EQ(seen["initialize"], 5) << "with that of the discovery";
  EXPECT_EQ(seen["deleted"], 1) << "which has ended its session";
  for (const char* tool : {"failing", "fast", "slow"})
    EXPECT_EQ(seen["tools"][tool], share(std::string("tools/call ") + tool));
}

TEST_F(McpServerTest, OnlyTheToolThatFailsFails) {
  const McpServer server({});
  play(server, kDefaultMix, 2, 200);
  for (const auto& one : player->done) {
    const bool fails = one.endpoint == "tools/call failing";
    EXPECT_EQ(one.error, fails ? ErrorClass::kTool : ErrorClass::kNone)
        << one.endpoint << " " << one.detail;
    if (fails) {
      EXPECT_EQ(one.detail, "the tool says: out of paper");
    }
  }
}

TEST_F(McpServerTest, TimesTheFirstEventOfAStream) {
  const McpServer server({"--answers", "sse"});
  play(server, {{"protocol", "mcp"}, {"mcp", {{"tools", {"slow", "fast"}}}}}, 1, 100);
  int64_t longest_work_ns = 0;  // of the slow tool, after it has said that it begins
  int64_t longest_wait_ns = 0;
  for (const auto& one : player->done) {
    if (!one.endpoint.starts_with("tools/call")) continue;
    ASSERT_GT(one.first_event_ns, one.times.sent_ns) << one.endpoint;
    ASSERT_LE(one.first_event_ns, one.times.finished_ns);
    if (one.endpoint != "tools/call slow") continue;
    longest_work_ns = std::max(longest_work_ns, one.times.finished_ns - one.first_event_ns);
    longest_wait_ns = std::max(longest_wait_ns, one.times.phases()[kWait]);
  }
  EXPECT_GT(longest_wait_ns, 4'000'000) << "its work counts as waiting, not as receiving";
  EXPECT_GT(longest_work_ns, 3'000'000) << "the event came before the work, not with the answer";
}

TEST_F(McpServerTest, ReadsPlainJsonAnswers) {
  const McpServer server({"--answers", "json"});
  play(server, kDefaultMix, 2, 200);
  EXPECT_GT(share("tools/call fast"), 0);
  for (const auto& one : player->done) {
    EXPECT_EQ(one.first_event_ns, 0) << "no stream, no event";
    EXPECT_EQ(one.error == ErrorClass::kNone, one.endpoint != "tools/call failing") << one.detail;
  }
}

TEST_F(McpServerTest, AServerWithoutSessionsIsSpokenToWithoutThem) {
  const McpServer server({"--stateless"});
  play(server, {{"protocol", "mcp"}, {"mcp", {{"session", "never"}, {"tools", {"fast"}}}}}, 2, 100);
  EXPECT_THAT(player->counts(), ElementsAre(Pair("tools/call fast", testing::Gt(70)),
                                            Pair("tools/list", testing::_)));
  EXPECT_EQ(plan.rpc.dialect.revision, "2025-11-25") << "this SDK does not know the later one";
  for (const auto& one : player->done) EXPECT_EQ(one.error, ErrorClass::kNone) << one.detail;
  EXPECT_EQ(server.counts()["initialize"], 0);
  // The same server takes a greeting too, and gives no session for it.
  play(server, kDefaultMix, 2, 50);
  EXPECT_EQ(share("initialize"), 2);
  EXPECT_THAT(discovered(server, {{"protocol", "mcp"}, {"mcp", {{"session", "always"}}}}).message(),
              HasSubstr("gives no session: set it to auto"));
}

TEST_F(McpServerTest, AUserWhoseSessionIsGoneBeginsAnother) {
  const McpServer server({"--session-calls", "10"});
  play(server, {{"protocol", "mcp"}, {"mcp", {{"tools", {"fast"}}}}}, 1, 100);
  const auto lost = std::count_if(player->done.begin(), player->done.end(),
                                  [](const auto& one) { return one.status == 404; });
  EXPECT_GE(lost, 5);
  EXPECT_EQ(share("initialize"), lost + 1);
  for (const auto& one : player->done)
    if (one.status == 404) {
      EXPECT_EQ(one.error, ErrorClass::kRpc);
      EXPECT_EQ(one.detail, "error -32001: Session not found");
    }
}

TEST_F(McpServerTest, AsksForWhatThePlanNames) {
  const McpServer server({});
  play(server,
       {{"protocol", "mcp"},
        {"requests",
         {{{"tool", "fast"}, {"arguments", {{"word", "hello"}, {"mode", "b"}}}, {"weight", 3}},
          {{"resource", "test://note"}},
          {{"prompt", "greet"}},
          {{"list", "prompts"}},
          {{"list", "resources"}, {"name", "what there is"}}}}},
       1, 200);
  EXPECT_THAT(
      player->counts(),
      ElementsAre(Pair("initialize", 1), Pair("notifications/initialized", 1),
                  Pair("prompts/get greet", testing::Gt(10)), Pair("prompts/list", testing::Gt(10)),
                  Pair("resources/read test://note", testing::Gt(10)),
                  Pair("tools/call fast", testing::Gt(60)),
                  Pair("what there is", testing::Gt(10))));
  for (const auto& one : player->done) EXPECT_EQ(one.error, ErrorClass::kNone) << one.detail;
}

TEST_F(McpServerTest, SaysWhatIsWrongBeforeTheLoad) {
  const McpServer server({});
  const auto message = [&](const json& load) { return discovered(server, load).message(); };
  EXPECT_THAT(message({{"protocol", "mcp"}, {"requests", {{{"tool", "fats"}}}}}),
              HasSubstr("load.requests[0].tool: the MCP server at " + server.url() +
                        "/mcp has no tool 'fats'. Did you mean 'fast'?"));
  EXPECT_THAT(message({{"protocol", "mcp"}, {"requests", {{{"prompt", "greets"}}}}}),
              HasSubstr("no prompt 'greets'. Did you mean 'greet'?"));
  EXPECT_THAT(message({{"protocol", "mcp"}, {"mcp", {{"tools", {"fasts"}}}}}),
              HasSubstr("load.mcp.tools: the MCP server"));
  EXPECT_THAT(message({{"protocol", "mcp"}, {"mcp", {{"path", "/other"}}}}),
              HasSubstr("/other answers initialize with HTTP 404, error -32001: No such path"));
}

TEST_F(McpServerTest, ArgumentsThatTheServerRefusesAreFailuresOfTheTool) {
  const McpServer server({});
  play(server,
       {{"protocol", "mcp"}, {"requests", {{{"tool", "fast"}, {"arguments", {{"word", 7}}}}}}}, 1,
       5);
  EXPECT_EQ(player->first("tools/call fast").error, ErrorClass::kTool);
  EXPECT_THAT(player->first("tools/call fast").detail, HasSubstr("word"));
}

TEST_F(McpServerTest, EmitsTheFirstEventAndATableOfTheTools) {
  const McpServer server({});
  auto parsed = rpc_plan(server.url(), kDefaultMix, 2);
  plan = std::move(parsed).value();
  ASSERT_TRUE(discover_mcp(plan, clock, stop).is_ok());
  CollectingHost host;
  const int64_t start_ns = clock.now_ns();
  const std::vector<Stage> stages = {
      {PLUMB_STAGE_WARMUP, "warmup", start_ns, start_ns + 100'000'000},
      {PLUMB_STAGE_STEADY, "steady", start_ns + 100'000'000, start_ns + 60'000'000'000}};
  const LoadSchedule schedule(plan, stages);
  Emitter emitter(Host(host.abi()), plan, schedule);
  emitter.measure_tools(stages);
  ASSERT_TRUE(emitter.begin().is_ok());
  Recorder recorder(plan.requests, Intervals(stages), start_ns, emitter);
  workload.emplace(plan, 0);
  player.emplace(plan, *workload);
  player->on_done = [&](const Completion& completion) {
    static_cast<void>(recorder.record(completion));
  };
  while (clock.now_ns() < start_ns + 150'000'000) player->play(100);
  recorder.finish(clock.now_ns());
  emitter.emit_summary();

  const auto ok = [&](const std::string& tool) {
    return host.count("http_response_seconds{endpoint=tools/call " + tool + ",outcome=ok}");
  };
  EXPECT_GT(ok("fast"), 0u);
  EXPECT_EQ(host.count("mcp_first_event_seconds{endpoint=tools/call fast}"), ok("fast"));
  EXPECT_LT(host.sum("mcp_first_event_seconds{endpoint=tools/call slow}"),
            host.sum("http_service_seconds{endpoint=tools/call slow,outcome=ok}"));
  const json& table = host.tables.at("mcp_tools");
  ASSERT_EQ(table["rows"].size(), 3u);
  const json& failing = table["rows"][0];
  EXPECT_EQ(failing[0], "failing");
  EXPECT_EQ(failing[2], 0);
  EXPECT_TRUE(failing[3].is_null()) << "no time of what never succeeded";
  const json& slow = table["rows"][2];
  EXPECT_EQ(slow[0], "slow");
  EXPECT_LT(slow[1].get<uint64_t>(), ok("slow")) << "the warm-up does not count";
  EXPECT_EQ(slow[2], 1.0);
  EXPECT_GT(slow[3].get<double>(), 5.0);
  EXPECT_LT(slow[7].get<double>(), slow[4].get<double>());
}

TEST_F(McpServerTest, ThePluginLoadsItWithSeveralWorkers) {
  const McpServer server({});
  const json load = {{"protocol", "mcp"}, {"model", "closed"},           {"users", 4},
                     {"workers", 2},      {"timeout_ns", 5'000'000'000}, {"seed", 1}};
  const PluginRun run(server.url(), load, 200, 600);
  const auto calls = [&](const std::string& tool, const std::string& error) {
    return run.host.last("http_requests_total{endpoint=tools/call " + tool +
                         ",status=200,error=" + error + "}");
  };
  EXPECT_GT(calls("fast", ""), 0);
  EXPECT_GT(calls("failing", "tool_error"), 0);
  EXPECT_EQ(run.host.last("http_requests_total{endpoint=initialize,status=200,error=}"), 4);
  EXPECT_EQ(run.host.last("http_connections_opened_total{}"), 4);
  EXPECT_EQ(run.host.count("mcp_first_event_seconds{endpoint=tools/call fast}"),
            static_cast<uint64_t>(calls("fast", "")));
  EXPECT_EQ(run.host.tables.at("mcp_tools")["rows"].size(), 3u);
  EXPECT_EQ(run.host.tables.at("http_errors")["rows"][0][4], "the tool says: out of paper");
}

TEST_F(McpServerTest, ThePluginStartsOnlyWhatCanBeLoaded) {
  CollectingHost host;
  const plumb_plugin* plugin = plumb_plugin_entry_v1();
  void* self = nullptr;
  plumb_error error{.struct_size = sizeof(plumb_error), .message = {}};
  ASSERT_EQ(plugin->create(host.abi(), &self, &error), PLUMB_OK);
  const std::string document = json{{"target", {{"url", "http://127.0.0.1:1"}}},
                                    {"load", {{"protocol", "mcp"}, {"users", 1}}}}
                                   .dump();
  plumb_config config{};
  config.struct_size = sizeof(config);
  config.document = document.c_str();
  ASSERT_EQ(plugin->configure(self, &config, &error), PLUMB_OK) << error.message;
  EXPECT_EQ(plugin->start(self, &error), PLUMB_UNAVAILABLE);
  EXPECT_THAT(error.message, HasSubstr("the MCP server at http://127.0.0.1:1/mcp does not answer"));
  plugin->destroy(self);
}

TEST_F(McpServerTest, SpeaksTheRevisionWithoutSessions) {
  for (const char* answers : {"sse", "json"}) {
    const McpServer server({"--answers", answers}, "sessionless_server.mjs");
    if (!server.is_supported()) GTEST_SKIP() << "the SDK of this revision needs Node 20";
    play(server, {{"protocol", "mcp"}, {"mcp", {{"session", "never"}}}}, 4, 400);
    EXPECT_EQ(plan.rpc.dialect.revision, "2026-07-28");
    EXPECT_THAT(
        player->counts(),
        ElementsAre(Pair("tools/call echo", testing::_), Pair("tools/call failing", testing::_),
                    Pair("tools/call routed", testing::Gt(40)), Pair("tools/list", testing::_)));
    EXPECT_EQ(player->connections, 4u);
    for (const auto& one : player->done) {
      EXPECT_EQ(one.error,
                one.endpoint == "tools/call failing" ? ErrorClass::kTool : ErrorClass::kNone)
          << one.endpoint << " " << one.detail;
      EXPECT_EQ(one.first_event_ns != 0, answers == std::string("sse"));
    }
    // A server of this revision knows no greeting, which `auto` finds out.
    play(server, kDefaultMix, 1, 20);
    EXPECT_EQ(plan.rpc.dialect.revision, "2026-07-28");
    EXPECT_EQ(share("initialize"), 0);
  }
}

}  // namespace
}  // namespace plumb::http_load
