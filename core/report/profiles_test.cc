// Profiles from a run to report.json and into each form of a report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "core/report/flame_tree.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/report.h"
#include "core/report/svg_flame.h"
#include "core/report/testdata/hostile_text.h"
#include "core/report/testdata/sample_run.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

json profiled_report(const std::string& suffix) {
  testing::SampleOptions options;
  options.profiles = true;
  options.suffix = suffix;
  const auto report = build(testing::sample_run(options));
  EXPECT_TRUE(report.is_ok()) << report.status().message();
  return report.is_ok() ? *report : json::object();
}

const json& profiled_report() {
  static const json report = profiled_report("");
  return report;
}

size_t count_of(const std::string& text, const std::string& what) {
  size_t out = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++out;
  return out;
}

TEST(Profiles, AreMergedOverTheSteadyStage) {
  const json report = profiled_report();
  ASSERT_EQ(report["profiles"].size(), 2u);
  const json& on_cpu = report["profiles"][0];
  const json& off_cpu = report["profiles"][1];
  EXPECT_EQ(on_cpu["name"], "on_cpu");
  EXPECT_EQ(on_cpu["layer"], "app");
  // 30 of 33 seconds are steady: 0.666 s of known stacks in each, and many small ones.
  EXPECT_NEAR(on_cpu["total"].get<double>(), 30 * (0.666 + 0.15), 30 * 0.01);
  EXPECT_EQ(on_cpu["by_self"][0]["name"], "sqlite3VdbeExec");
  EXPECT_NEAR(on_cpu["by_self"][0]["self"].get<double>(), 30 * 0.12, 1e-3);
  EXPECT_NEAR(on_cpu["by_self"][0]["total"].get<double>(), 30 * 0.27, 1e-3);
  // Everything passes through main and the start of a thread.
  EXPECT_EQ(on_cpu["by_total"][0]["name"], "handle_request");
  EXPECT_EQ(off_cpu["by_self"][0]["name"], "futex_wait");
  const double requests = *number(on_cpu, "total") / *number(on_cpu, "per_request");
  EXPECT_NEAR(requests, 30 * 221, 30 * 2);
}

TEST(Profiles, TheirTreeIsSmallAndLosesNoWeight) {
  const json tree = profiled_report()["profiles"][0]["tree"];
  const std::vector<profile::PrunedNode> nodes = flame_tree_nodes(tree);
  ASSERT_GT(nodes.size(), 100u);
  EXPECT_LT(nodes.size(), 2'500u);
  EXPECT_EQ(nodes[0].name, "all");
  std::vector<double> below(nodes.size(), 0.0);
  for (size_t i = 1; i < nodes.size(); ++i) below[nodes[i].parent] += nodes[i].total[0];
  for (size_t i = 0; i < nodes.size(); ++i)
    EXPECT_LE(below[i], nodes[i].total[0] * 1.0001) << nodes[i].name;
  EXPECT_NEAR(below[0], nodes[0].total[0], nodes[0].total[0] * 1e-4);
}

TEST(Profiles, ARunWithoutThemHasAnEmptyListAndNoSection) {
  const auto report = build(testing::sample_run());
  ASSERT_TRUE(report.is_ok());
  EXPECT_EQ((*report)["profiles"], json::array());
  EXPECT_THAT(to_html(*report), Not(HasSubstr("<figure class=\"flame\"")));
  EXPECT_THAT(to_console(*report, {}), Not(HasSubstr("Profile")));
  EXPECT_THAT(to_markdown(*report), Not(HasSubstr("Profile")));
}

TEST(Profiles, ThoseThatCannotBeReadAreANoteAndNoFailure) {
  store::RunData run = testing::sample_run();
  run.stacks = [](const auto&) { return Status::invalid_argument("a batch is damaged"); };
  const auto report = build(run);
  ASSERT_TRUE(report.is_ok());
  EXPECT_EQ((*report)["profiles"], json::array());
  EXPECT_THAT(json((*report)["notes"]).dump(), HasSubstr("a batch is damaged"));
}

TEST(Profiles, AProfileThatSawNothingSaysSo) {
  store::RunData run = testing::sample_run();
  run.stacks = [](const std::function<Status(const StackBatch&)>& take) {
    return take({"stack_profile", "on_cpu", "seconds", "", PLUMB_LAYER_APP, 0, 1, {}});
  };
  const auto report = build(run);
  ASSERT_TRUE(report.is_ok());
  EXPECT_EQ((*report)["profiles"][0]["total"], 0);
  EXPECT_THAT(to_html(*report), HasSubstr("No stack was seen"));
}

TEST(Profiles, ThePageStaysSmallWithLargeOnes) {
  json report = profiled_report();
  json profile = report["profiles"][0];
  for (json& name : profile["tree"]["names"])
    name = name.get<std::string>() + std::string(300, 'x');
  for (int i = 0; i < 8; ++i) report["profiles"].push_back(profile);
  const std::string html = to_html(report);
  EXPECT_LT(html.size(), 500u * 1024);
  EXPECT_THAT(html, HasSubstr("lightest boxes are not drawn"));
  EXPECT_THAT(html, HasSubstr("4 more profiles are in report.json"));
}

TEST(Profiles, TheConsoleAndMarkdownNameTheHeaviest) {
  const json report = profiled_report();
  const std::string console = to_console(report, {});
  EXPECT_THAT(console, HasSubstr("Profile on_cpu: "));
  EXPECT_THAT(console, HasSubstr("of each request"));
  EXPECT_THAT(console, HasSubstr("sqlite3VdbeExec"));
  const std::string markdown = to_markdown(report);
  EXPECT_THAT(markdown, HasSubstr("## Profile on\\_cpu"));
  EXPECT_THAT(markdown, HasSubstr("| sqlite3VdbeExec |"));
}

TEST(Profiles, WaitsAreToldWithTheirCallersAndThoseForWorkApart) {
  store::RunData run = testing::sample_run();
  run.stacks = [&run](const std::function<Status(const StackBatch&)>& take) {
    StackBatch batch{"stack_profile", "off_cpu", "seconds", "", PLUMB_LAYER_APP, 0, 0, {}};
    batch.start_ns = run.header.started_ns + 4'000'000'000;
    batch.end_ns = batch.start_ns + 1'000'000'000;
    batch.stacks = {{"shop;loop;accept4;inet_csk_accept_[k]", 6},
                    {"shop;serve;take_stock;pthread_mutex_lock;__lll_lock_wait;futex_wait_[k]", 2}};
    return take(batch);
  };
  const auto report = build(run);
  ASSERT_TRUE(report.is_ok());
  EXPECT_EQ((*report)["profiles"][0]["waits"][0], json({{"function", "pthread_mutex_lock"},
                                                        {"caller", "take_stock"},
                                                        {"weight", 2.0},
                                                        {"idle", false}}));
  const std::string console = to_console(*report, {});
  EXPECT_THAT(console, HasSubstr("25%  pthread_mutex_lock  ←  take_stock\n"));
  EXPECT_THAT(console, HasSubstr("waiting for work: accept4 75%\n"));
  EXPECT_THAT(to_markdown(*report), HasSubstr("| accept4 (for work) | loop | 75% |"));
  EXPECT_THAT(to_html(*report), HasSubstr("<code>take_stock</code>"));
  EXPECT_THAT(to_html(*report), HasSubstr("for work</span>"));
}

TEST(Profiles, OfAnInterpretedProgramItsOwnFunctionsAreListed) {
  store::RunData run = testing::sample_run();
  run.stacks = [&run](const std::function<Status(const StackBatch&)>& take) {
    StackBatch batch{"stack_profile", "on_cpu", "seconds", "", PLUMB_LAYER_APP, 0, 0, {}};
    batch.start_ns = run.header.started_ns + 4'000'000'000;
    batch.end_ns = batch.start_ns + 1'000'000'000;
    batch.stacks = {{"python3;_PyEval_EvalFrameDefault;py::price:/srv/shop.py;long_mul", 3},
                    {"python3;gc_collect", 1}};
    return take(batch);
  };
  const auto report = build(run);
  ASSERT_TRUE(report.is_ok());
  EXPECT_EQ((*report)["profiles"][0]["by_own"][0]["name"], "py::price:/srv/shop.py");
  EXPECT_THAT(to_console(*report, {}), HasSubstr("    75%     75%  py::price:/srv/shop.py\n"));
  EXPECT_THAT(to_markdown(*report), HasSubstr("| py::price:/srv/shop.py | 75% | 75% |"));
  EXPECT_THAT(to_html(*report), HasSubstr("The program&#39;s own functions"));
}

TEST(Profiles, HostileNamesStayText) {
  const json report = profiled_report(testing::kHostile);
  const std::string html = to_html(report);
  EXPECT_EQ(html, valid_utf8(html));
  EXPECT_EQ(count_of(html, "<script"), 2u);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(to_console(report, {}), Not(HasSubstr("\x1b")));
}

TEST(Profiles, ForgedTreesGiveAPoorPageAndNoCrash) {
  const json whole = {{"profiles", profiled_report()["profiles"]}};
  for (const char* key : {"names", "parents", "frames", "weights"}) {
    for (const json& wrong :
         {json(), json("x"), json::array(), json::array({-1, 1e300, "x", nullptr, 7}),
          json::array({json::array()}), json(std::vector<int>(10'000, 9'999))}) {
      json report = whole;
      report["profiles"][0]["tree"][key] = wrong;
      EXPECT_FALSE(to_html(report).empty()) << key << wrong.dump().substr(0, 40);
    }
  }
}

// ---- the picture ----

std::vector<FlameBox> small_flame() {
  return {{0, "all", "100%", 10, "w-root"},
          {0, "main", "100%", 10, flame_tone("main")},
          {1, "a", "60%", 6, flame_tone("a")},
          {1, "b", "30%", 3, flame_tone("b")},
          {3, "c<d>", "30%", 3, flame_tone("c<d>")}};
}

TEST(FlameSvg, BoxesStandBelowTheirCallersAndAreAsWideAsTheyWeigh) {
  const std::string svg = flame_svg(small_flame(), "a graph", 100'000).svg;
  EXPECT_THAT(svg, HasSubstr("aria-label=\"a graph\""));
  EXPECT_THAT(svg, HasSubstr("<svg class=\"flames\" height=\"68\""));
  EXPECT_THAT(svg, HasSubstr("<svg x=\"0%\" width=\"60%\" class=\"" + flame_tone("a") +
                             "\">"
                             "<title>a\n60%</title>"));
  EXPECT_THAT(svg, HasSubstr("<svg x=\"60%\" width=\"30%\""));
  EXPECT_THAT(svg, HasSubstr("c&lt;d&gt;"));
  EXPECT_EQ(count_of(svg, "<svg y="), 4u) << "a row for each depth";
}

TEST(FlameSvg, WithoutRoomTheHeaviestBoxesStay) {
  const FlameGraph graph = flame_svg(small_flame(), "a graph", 480);
  EXPECT_GT(graph.left_out, 0u);
  EXPECT_EQ(count_of(graph.svg, "<title>") + graph.left_out, 5u);
  EXPECT_THAT(graph.svg, HasSubstr("<title>main"));
  EXPECT_THAT(graph.svg, Not(HasSubstr("c&lt;d&gt;")));
}

TEST(FlameSvg, NoBoxLeavesTheSpaceOfItsCaller) {
  std::vector<FlameBox> boxes = small_flame();
  boxes[2].weight = 1e300;
  boxes[3].weight = -4;
  const std::string svg = flame_svg(boxes, "forged", 100'000).svg;
  const std::regex number("(x|width)=\"([0-9.]+)%\"");
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), number); it != std::sregex_iterator();
       ++it)
    EXPECT_LE(std::stod((*it)[2].str()), 100.0);
  EXPECT_TRUE(flame_svg({}, "none", 1000).svg.empty());
}

TEST(FlameSvg, ANameAlwaysHasTheSameWarmColour) {
  EXPECT_EQ(flame_tone("sqlite3_step"), flame_tone("sqlite3_step"));
  EXPECT_EQ(flame_tone("(other)"), "w-other");
  std::set<std::string> tones;
  for (int i = 0; i < 200; ++i) tones.insert(flame_tone("f" + std::to_string(i)));
  EXPECT_EQ(tones.size(), 10u);
}

TEST(FlameSvg, ChangesAreRedOrBlueAndTheStrongerTheLarger) {
  EXPECT_EQ(change_tone(0), "d0");
  EXPECT_EQ(change_tone(0.0004), "d0");
  EXPECT_EQ(change_tone(0.003), "more1");
  EXPECT_EQ(change_tone(-0.003), "less1");
  EXPECT_EQ(change_tone(0.5), "more5");
  EXPECT_EQ(change_tone(-0.5), "less5");
}

}  // namespace
}  // namespace plumb::report
