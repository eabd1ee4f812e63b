#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/report/plain_text.h"
#include "core/report/report.h"
#include "core/report/testdata/hostile_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path kTestdata =
    std::filesystem::path(PLUMB_SOURCE_DIR) / "core/report/testdata";

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

json pool_report() { return json::parse(content_of(kTestdata / "pool_report.json")); }

json hostile_report() { return testing::with_every_text(pool_report(), testing::kHostile); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

TEST(Console, TellsTheWholeStoryOnOneScreen) {
  const std::string text =
      to_console(pool_report(), {.report_path = "runs/20261120T104512Z-7f3a.html"});
  EXPECT_EQ(text, content_of(kTestdata / "pool_console.txt"));
  for (const std::string& line : lines_of(text)) {
    if (line.find("check: ") == std::string::npos) {
      EXPECT_LE(columns_of(line), 100u) << line;
    }
  }
  EXPECT_LE(lines_of(text).size(), 45u);
}

TEST(Console, SaysWhatFailedAndHowOften) {
  json report = pool_report();
  for (json& fact : report["facts"])
    if (fact["name"] == "requests.failed") fact["value"] = 7;
  report["errors"] = json::array();
  for (int i = 0; i < 5; ++i)
    report["errors"].push_back({{"endpoint", "report"},
                                {"class", "status"},
                                {"status", "50" + std::to_string(i)},
                                {"count", i + 1},
                                {"example", "GET /r answered 50" + std::to_string(i)}});
  const std::string text = to_console(report, {});
  EXPECT_THAT(text, HasSubstr("  5 × report: GET /r answered 504\n"));
  EXPECT_THAT(text, Not(HasSubstr("answered 501")));
  EXPECT_THAT(text, HasSubstr("  and 2 more kinds\n"));
}

TEST(Console, ListsEachEndpointAndHowASpikeWentWhereThereAreSome) {
  json report = pool_report();
  report["run"]["users"] = nullptr;
  report["plan"]["load"]["stages"] = json::array({json::object(), json::object()});
  report["endpoints"] = json::parse(R"([
      {"endpoint": "rare", "requests": 10, "rate": 1, "failed": 0, "mean_ms": 5, "p95_ms": 9},
      {"endpoint": "usual", "requests": 5000, "rate": 500, "failed": 2, "mean_ms": 7}])");
  for (const auto& [name, value] :
       {std::pair{"spike.base_p95", 0.003}, {"spike.p95", 0.08}, {"spike.recovery", 2.0}})
    report["facts"].push_back({{"name", name}, {"value", value}, {"labels", {{"stage", "sale"}}}});
  const std::string text = to_console(report, {});
  EXPECT_THAT(text, HasSubstr("closed, 2 stages"));
  EXPECT_THAT(text, HasSubstr("sale: p95 80 ms, before it 3.0 ms; recovered after 2.00 s"));
  EXPECT_LT(text.find("  usual"), text.find("  rare"));
}

TEST(Console, UsesColourOnlyWhenAsked) {
  EXPECT_THAT(to_console(pool_report(), {}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(to_console(pool_report(), {.color = true}), HasSubstr("\x1b[1;31mTHREAT  \x1b[0m"));
}

TEST(Console, FitsANarrowTerminal) {
  // The matrix keeps its columns; all else wraps.
  const std::string text = to_console(pool_report(), {.width = 80});
  for (const std::string& line : lines_of(text.substr(0, text.find("Bottleneck matrix"))))
    EXPECT_LE(columns_of(line), 80u) << line;
}

TEST(Console, HostileTextCannotControlTheTerminal) {
  const std::string text = to_console(hostile_report(), {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\x07")));
  EXPECT_EQ(text, valid_utf8(text));
}

TEST(Console, ACommandToCheckWithIsNeitherWrappedNorCut) {
  json report = pool_report();
  const std::string command = "ps -o pid,comm " + std::string(300, 'x') + " # the end";
  report["findings"][0]["check"] = command + "\nsecond --line";
  const std::string text = to_console(report, {.width = 60});
  EXPECT_THAT(text, HasSubstr("     check: " + command + "\n            second --line\n"));
  EXPECT_THAT(to_html(report), HasSubstr(command + "\nsecond --line</code>"));
  EXPECT_THAT(to_markdown(report), HasSubstr("   " + command + "\n   second --line\n"));
}

TEST(EveryRenderer, ACommandThatIsTooLongIsNotShownInPart) {
  json report = pool_report();
  report["findings"][0]["check"] = "rm -rf ./" + std::string(9000, 'x');
  EXPECT_THAT(to_html(report), Not(HasSubstr("rm -rf ./xx")));
  EXPECT_THAT(to_markdown(report), Not(HasSubstr("rm -rf ./xx")));
  EXPECT_THAT(to_markdown(report), HasSubstr("is in report.json"));
}

json with_health(const std::vector<std::tuple<double, std::string, std::string>>& changes) {
  json report = pool_report();
  report["health"] = json::array();
  for (const auto& [at, health, message] : changes)
    report["health"].push_back(
        {{"plugin", "pg_stats"}, {"at_s", at}, {"health", health}, {"message", message}});
  return report;
}

TEST(EveryRenderer, TellsWhatChangedUnderTheSameLoad) {
  json report = pool_report();
  const std::string sentence = "At 12 s p50 rose from 20.0 ms to 80.0 ms under the same load.";
  report["changes"] = {{{"measure", "latency.p50"},
                        {"gradual", false},
                        {"at_s", 12},
                        {"before", 0.02},
                        {"after", 0.08},
                        {"unit", "seconds"},
                        {"sentence", sentence},
                        {"evidence", {"F1"}}}};
  EXPECT_THAT(to_console(report, {}), HasSubstr("  " + sentence + "\n"));
  EXPECT_THAT(to_markdown(report), HasSubstr("- " + sentence + " (F1)\n"));
  EXPECT_THAT(to_html(report), HasSubstr("<li>" + sentence));
  report["changes"] = json::array();
  EXPECT_THAT(to_console(report, {}), Not(HasSubstr("What changed")));
  EXPECT_THAT(to_markdown(report), Not(HasSubstr("What changed")));
}

TEST(Page, MarksInTheLedgerOverTimeWhereLatencyChanged) {
  json report = pool_report();
  report["ledger_over_time"] = json::array();
  for (int i = 0; i < 4; ++i)
    report["ledger_over_time"].push_back({{"start_s", 10 * i},
                                          {"end_s", 10 * i + 10},
                                          {"requests", 100},
                                          {"total_ms", 5},
                                          {"ms", {{"app.cpu", 5}}}});
  const auto marks_with = [&](const char* measure, bool gradual) {
    report["changes"] = {{{"measure", measure},
                          {"gradual", gradual},
                          {"at_s", 30},
                          {"sentence", "."},
                          {"evidence", json::array()}}};
    const std::string page = to_html(report);
    return page.find("<path class=\"mark\" d=\"M750 0V") != std::string::npos;
  };
  EXPECT_TRUE(marks_with("latency.p50", false));
  EXPECT_FALSE(marks_with("latency.p50", true)) << "it has no one moment";
  EXPECT_FALSE(marks_with("target_resident_bytes", false)) << "that is another chart's";
}

TEST(EveryRenderer, SaysWhenAPluginSawNothingThoughItCameBack) {
  const json report = with_health({{9.0, "dark", "the server is gone"}, {13.3, "ok", ""}});
  const std::string sentence = "saw nothing from 9.0 to 13.3 s into the run: the server is gone";
  EXPECT_THAT(to_console(report, {}), HasSubstr("Not seen: pg_stats " + sentence));
  EXPECT_THAT(to_markdown(report), HasSubstr("- Not seen: pg\\_stats " + sentence));
  EXPECT_THAT(to_html(report), HasSubstr("<b>pg_stats</b> " + sentence));
}

TEST(EveryRenderer, SaysSinceWhenAPluginHasSeenOnlyPart) {
  const json report = with_health(
      {{3.1, "degraded", "slow"}, {9.0, "degraded", "not seen: naming statements: load it"}});
  const std::string sentence = "saw only part from 3.1 s into the run: naming statements: load it";
  EXPECT_THAT(to_console(report, {}), HasSubstr("Not seen: pg_stats " + sentence));
  EXPECT_THAT(to_html(report), HasSubstr("<b>pg_stats</b> " + sentence));
}

TEST(EveryRenderer, StretchesOfOneKindAreOneRemarkAndThoseBeforeTheWindowNone) {
  const json report = with_health({{0.5, "dark", "starting"},
                                   {1.0, "ok", ""},
                                   {9, "dark", "gone"},
                                   {10, "ok", ""},
                                   {20, "dark", "gone"},
                                   {21, "ok", ""}});
  const std::string text = to_console(report, {});
  EXPECT_THAT(text, HasSubstr("saw nothing 2 times, from 9.0 to 21.0 s into the run: gone"));
  EXPECT_THAT(text, Not(HasSubstr("starting")));
}

TEST(EveryRenderer, TellsWarningsOnceAndNotWhatIsSaidElsewhere) {
  json report = pool_report();
  report["notes"] = {"Sampler slowed to 2 s."};
  const auto event = [](double at, const char* level, const char* kind, const char* message) {
    return json{{"plugin", "pg_stats"}, {"at_s", at},         {"level", level},
                {"kind", kind},         {"message", message}, {"attributes", nullptr}};
  };
  report["events"] = {event(6, "warning", "database-restarted", "the server was restarted"),
                      event(8, "info", "chatter", "nothing of note"),
                      event(9, "warning", "database-restarted", "the server was restarted"),
                      event(10, "warning", "sampler-slowed", "sampler slowed to 2 s"),
                      event(40, "warning", "target-lost", "the target has ended")};
  const std::string sentence = "6.0 s: pg_stats: the server was restarted (and 1 more until 9.0 s)";
  for (const std::string& text : {to_console(report, {}), to_html(report)}) {
    EXPECT_THAT(text, HasSubstr(sentence));
    EXPECT_THAT(text.substr(0, text.find("matrix")), Not(HasSubstr("nothing of note")));
  }
  EXPECT_THAT(to_markdown(report), HasSubstr("- Event at 6.0 s: pg\\_stats: the server"));
  const std::string console = to_console(report, {});
  EXPECT_THAT(console, Not(HasSubstr("Event at 10.0 s"))) << "a note says it";
  EXPECT_THAT(console, Not(HasSubstr("target has ended"))) << "after what is judged";
}

TEST(EveryRenderer, TellsWhatWatchingCost) {
  json report = pool_report();
  report["plan"]["load"]["plugin"] = "http_load";
  report["self"] = {{"plugins",
                     {{{"plugin", "http_load"}, {"cpu_ratio", 0.2}},
                      {{"plugin", "host_metrics"}, {"cpu_ratio", 0.004}},
                      {{"plugin", "pg_stats"}, {"cpu_ratio", 0.01}, {"server_cpu_ratio", 0.003}}}}};
  const std::string sentence =
      "Watching took 1.7% of a processor: pg_stats 1.0% and 0.30% in the database server, "
      "host_metrics 0.40%.";
  EXPECT_THAT(to_console(report, {.width = 200}), HasSubstr(sentence));
  EXPECT_THAT(to_markdown(report), HasSubstr("- Watching took 1.7% of a processor: pg\\_stats"));
}

TEST(EveryRenderer, DoesNotSplitTheTimeOfTooFewRequests) {
  json report = pool_report();
  report["validity"]["status"] = "insufficient";
  for (const std::string& text : {to_console(report, {}), to_markdown(report), to_html(report)}) {
    EXPECT_THAT(text, Not(HasSubstr("79.3 ms goes")));
    EXPECT_THAT(text, HasSubstr("Bottleneck matrix"));
  }
}

TEST(EveryRenderer, TellsALimitThatIsBrokenFromTheBottleneckAndFromWhatIsUnknown) {
  json report = pool_report();
  report["matrix"] = json::array();
  for (const char* state : {"ok", "exceeded", "unknown", "bottleneck"})
    report["matrix"].push_back({{"component", std::string("C") + state},
                                {"metric", "m"},
                                {"test", "t"},
                                {"expected", "1"},
                                {"actual", "2"},
                                {"cost_ms", nullptr},
                                {"bottleneck", state == std::string("bottleneck")},
                                {"state", state},
                                {"evidence", json::array()}});
  const std::string html = to_html(report);
  EXPECT_THAT(html, HasSubstr("<td>exceeded</td>"));
  EXPECT_THAT(html, HasSubstr("<td>unknown</td>"));
  EXPECT_THAT(html, HasSubstr("<td><b>YES</b></td>"));
  EXPECT_THAT(to_markdown(report), HasSubstr("| Cexceeded | m | t | 1 | 2 | – | exceeded |"));
  EXPECT_THAT(to_console(report, {}), ::testing::ContainsRegex("Cexceeded .*  exceeded\n"));
  EXPECT_THAT(to_console(report, {}), ::testing::ContainsRegex("Cunknown .*  unknown\n"));
}

json with_table(const json& columns, const json& rows) {
  json report = pool_report();
  report["tables"] = {
      {"pg_things", {{"plugin", "x"}, {"title", "Things"}, {"columns", columns}, {"rows", rows}}}};
  return report;
}

TEST(Html, ANumberThatNamesAProcessIsNotGrouped) {
  const std::string html =
      to_html(with_table({{{"key", "pid"}, {"title", "PID"}, {"unit", nullptr}},
                          {{"key", "rows"}, {"title", "Rows"}, {"unit", nullptr}}},
                         json::array({json::array({123456, 654321})})));
  EXPECT_THAT(html, HasSubstr("123456"));
  EXPECT_THAT(html, HasSubstr("654,321"));
}

TEST(Html, RowsThatAPluginRemarksOnStandFirst) {
  json rows = json::array();
  for (int i = 0; i < 40; ++i) rows.push_back(json::array({"setting_" + std::to_string(i), ""}));
  rows.push_back(json::array({"fsync", "off: a crash loses data"}));
  const std::string html =
      to_html(with_table({{{"key", "name"}, {"title", "Name"}, {"unit", nullptr}},
                          {{"key", "remark"}, {"title", "Remark"}, {"unit", nullptr}}},
                         rows));
  ASSERT_THAT(html, HasSubstr("a crash loses data"));
  EXPECT_LT(html.find(">fsync<"), html.find(">setting_0<"));
}

TEST(Html, OnlyWordsThatAreTooLongForAColumnAreBroken) {
  const std::string html = to_html(with_table(
      {{{"key", "name"}, {"title", "Name"}, {"unit", nullptr}},
       {{"key", "path"}, {"title", "Path"}, {"unit", nullptr}}},
      json::array({json::array({"max_parallel_workers_per_gather", std::string(80, 'p')})})));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">max_parallel_workers_per_gather</th>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"long\">ppp"));
}

TEST(Html, ChartsAreHeadedWithACapital) {
  json report = pool_report();
  report["timeline"] = {{"interval_s", 1},
                        {"t_s", {5, 6}},
                        {"stages", json::array()},
                        {"series",
                         {{{"name", "cache_full"},
                           {"title", "cache in use"},
                           {"labels", json::object()},
                           {"unit", "ratio"},
                           {"layer", "app"},
                           {"values", {0.1, 0.2}}}}}};
  EXPECT_THAT(to_html(report), HasSubstr("<figcaption>Cache in use"));
}

TEST(Markdown, TextStaysText) {
  json report = pool_report();
  report["verdict"]["conclusion"] = "a|b `c` <script> *d* [e](f) @g #12 http://h www.i\nj";
  const std::string text = to_markdown(report);
  EXPECT_THAT(text, HasSubstr("a\\|b \\`c\\` &lt;script&gt; \\*d\\* \\[e\\](f) @<!-- -->g "
                              "#<!-- -->12 http:<!-- -->//h www<!-- -->.i j"));
}

TEST(Markdown, TablesKeepTheirColumnsWhateverTheCellsHold) {
  for (const std::string& line : lines_of(to_markdown(hostile_report()))) {
    if (line.rfind("| Connection pool", 0) != 0) continue;
    size_t bars = 0;
    for (size_t i = 0; i < line.size(); ++i)
      if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++bars;
    EXPECT_EQ(bars, 9u) << line;
    return;
  }
  FAIL() << "no row for the connection pool";
}

TEST(Markdown, ATextThatLooksLikeAListItemDoesNotBecomeOne) {
  json report = pool_report();
  report["findings"][0]["advice"] = {"- one", "2. two", "# three"};
  const std::string text = to_markdown(report);
  EXPECT_THAT(text, HasSubstr("   - \\- one\n"));
  EXPECT_THAT(text, HasSubstr("   - 2\\. two\n"));
  EXPECT_THAT(text, HasSubstr("   - \\# three\n"));
}

TEST(Markdown, ACheckWithBackticksStaysInItsFence) {
  json report = pool_report();
  report["findings"][0]["check"] = "echo ```` done";
  EXPECT_THAT(to_markdown(report), HasSubstr("   `````text\n   echo ```` done\n   `````\n"));
}

TEST(Csv, HasOneRowForEachFact) {
  const std::vector<std::string> rows = lines_of(to_csv(pool_report()));
  ASSERT_EQ(rows.size(), 1 + pool_report()["facts"].size());
  EXPECT_EQ(rows[0], "id,name,value,unit,labels,window_start_s,window_end_s,source\r");
  EXPECT_EQ(rows.back(), "F21,pg_sessions.mean,1.98,1,class=cpu,5,35,pg_stats\r");
}

TEST(Csv, QuotesAsRfc4180SaysAndDefusesFormulas) {
  const json report = {{"facts",
                        {{{"id", "F1"},
                          {"name", "=cmd|' /C calc'!A0"},
                          {"value", -1.5},
                          {"source", "a,\"b\"\nc"}}}}};
  EXPECT_EQ(lines_of(to_csv(report))[1], "F1,'=cmd|' /C calc'!A0,-1.5,,,,,\"a,\"\"b\"\" c\"\r");
}

TEST(Html, LinksEvidenceToItsFact) {
  const std::string html = to_html(pool_report());
  EXPECT_THAT(html, HasSubstr("<a class=\"id\" href=\"#F21\">F21</a>"));
  EXPECT_THAT(html, HasSubstr("<tr id=\"F21\">"));
  // F41 is named in the matrix, but the report has no such fact.
  EXPECT_THAT(html, Not(HasSubstr("href=\"#F41\"")));
}

TEST(Html, HostileTextCannotLeaveItsPlace) {
  const std::string html = to_html(hostile_report());
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(html, HasSubstr("&lt;/script&gt;&lt;script&gt;alert(1)"));
  EXPECT_EQ(html, valid_utf8(html));
}

TEST(Html, StaysSmallWhateverTheTextsAre) {
  const json report = testing::with_every_text(pool_report(), std::string(10000, 'x'));
  EXPECT_LT(to_html(report).size(), 500u * 1024);
}

TEST(Html, StaysSmallWithManyFacts) {
  json report = pool_report();
  const json fact = report["facts"][0];
  for (int i = 0; i < 6000; ++i) {
    report["facts"].push_back(fact);
    report["facts"].back()["id"] = "F" + std::to_string(100 + i);
  }
  const std::string html = to_html(report);
  EXPECT_LT(html.size(), 500u * 1024);
  EXPECT_THAT(html, HasSubstr("are not shown here, to keep this page small"));
}

// What is no report, or one of another version, gives a poor page and no crash.
TEST(EveryRenderer, TakesWhateverJsonItIsGiven) {
  std::vector<json> odd = {json(), json::object(), json::array({1, 2}), json("text"), json(3)};
  const json whole = pool_report();
  for (const auto& [key, value] : whole.items()) {
    for (const json& wrong : {json(), json("x"), json(1), json::array({1, json::object()}),
                              json{{"a", json::array({json()})}}}) {
      odd.push_back(whole);
      odd.back()[key] = wrong;
    }
  }
  for (const json& report : odd) {
    EXPECT_FALSE(to_html(report).empty());
    EXPECT_FALSE(to_markdown(report).empty());
    EXPECT_FALSE(to_csv(report).empty());
    EXPECT_FALSE(to_console(report, {.color = true, .width = -1}).empty());
  }
}

}  // namespace
}  // namespace plumb::report
