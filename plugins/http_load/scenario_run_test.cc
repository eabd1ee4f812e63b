// Scenarios through the whole plugin, against a real server on loopback.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "plugins/http_load/loopback_server.h"
#include "plugins/http_load/plugin_run.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

json scenario_load(const std::string& protocol, int users) {
  json load = http_load::closed_load(protocol, users);
  load["scenarios"] = json::array({{{"name", "visit"}, {"steps", json::array({"home", "next"})}}});
  json home = request("home");
  home["weight"] = 0;
  home["redirects"] = 2;
  home["extract"] = {{"id", "json:/id"}};
  json next = request("next", "GET", "/next/{{id}}?user={{user}}");
  next["weight"] = 0;
  next["checks"] = {{"contains", "yes"}};
  load["requests"] = json::array({home, next});
  return load;
}

Reply visited(const std::string& request) {
  if (request.starts_with("GET / "))
    return {"HTTP/1.1 302 Found\r\nLocation: /home\r\nContent-Length: 0\r\n\r\n"};
  if (request.starts_with("GET /home "))
    return {ok_with(R"({"id":7})", "Set-Cookie: sid=1; Path=/\r\n")};
  const bool right = request.starts_with("GET /next/7?user=") &&
                     request.find("\r\nCookie: sid=1\r\n") != std::string::npos;
  return {ok_with(right ? "yes" : "no")};
}

class ScenarioOver : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Protocol, ScenarioOver, testing::Values("http1", "curl"),
                         [](const auto& protocol) { return protocol.param; });

TEST_P(ScenarioOver, EveryStepIsCountedOnceAndSums) {
  LoopbackServer server(visited);
  json load = scenario_load(GetParam(), 4);
  load["workers"] = 2;
  const PluginRun run(server.url(), load, 100, 400);
  const double homes = run.host.last("http_requests_total{endpoint=home,status=200,error=}");
  const double nexts = run.host.last("http_requests_total{endpoint=next,status=200,error=}");
  EXPECT_GT(homes, 10);
  EXPECT_NEAR(homes, nexts, 4);
  EXPECT_EQ(run.host.total("http_requests_total{"), homes + nexts) << "nothing failed";
  EXPECT_EQ(run.host.tables.count("http_errors"), 0u);
  std::set<std::string> users;
  for (const std::string& sent : server.requests())
    if (const size_t at = sent.find("user="); at != std::string::npos)
      users.insert(sent.substr(at, sent.find(' ', at) - at));
  EXPECT_EQ(users.size(), 4u);
}

TEST_P(ScenarioOver, EndsWithTheRowsOfAFeeder) {
  const std::string file =
      std::filesystem::temp_directory_path() / ("run-" + std::to_string(getpid()) + ".csv");
  std::ofstream(file) << "id\n1\n2\n3\n4\n5\n";
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  json load = http_load::closed_load(GetParam(), 2);
  load["feeders"] = json::array({{{"name", "rows"}, {"file", file}, {"order", "once"}}});
  load["requests"][0]["path"] = "/{{rows.id}}";
  {
    PluginRun run(server.url(), load);
    run.may_log = true;
    run.drive(50, 100);
    EXPECT_THAT(run.host.logs, testing::ElementsAre(testing::HasSubstr("rows is used up: 2 iter")));
    EXPECT_EQ(run.host.total("http_requests_total{"), 5);
    EXPECT_EQ(run.host.last("http_scheduled_total{}"), 5);
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace plumb::http_load
