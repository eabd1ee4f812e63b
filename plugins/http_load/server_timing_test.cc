#include "plugins/http_load/server_timing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace plumb::http_load {
namespace {

using Metrics = std::vector<std::pair<std::string, uint64_t>>;

Metrics parse(std::string_view text) {
  Metrics out;
  ServerTimingReader reader(text);
  while (const auto metric = reader.next()) out.emplace_back(metric->name, metric->duration_ns);
  return out;
}

TEST(ServerTiming, ReadsNamesAndDurations) {
  EXPECT_EQ(parse("db;dur=53.2"), (Metrics{{"db", 53'200'000}}));
  EXPECT_EQ(parse("db;dur=53, app;dur=47.2"), (Metrics{{"db", 53'000'000}, {"app", 47'200'000}}));
  EXPECT_EQ(parse(" cache ; desc=\"Cache Read\" ; dur = 0.001 "), (Metrics{{"cache", 1'000}}));
  EXPECT_EQ(parse("a;DUR=1"), (Metrics{{"a", 1'000'000}}));
  EXPECT_EQ(parse("a;dur=\"2.5\""), (Metrics{{"a", 2'500'000}}));
  EXPECT_EQ(parse("a;dur=1e1"), (Metrics{{"a", 10'000'000}}));
}

TEST(ServerTiming, LeavesOutMetricsWithoutADuration) {
  EXPECT_EQ(parse("miss, db;dur=1, hit;desc=x"), (Metrics{{"db", 1'000'000}}));
}

TEST(ServerTiming, IsNotFooledByQuotes) {
  EXPECT_EQ(parse("a;desc=\"x, b;dur=9\";dur=1"), (Metrics{{"a", 1'000'000}}));
  EXPECT_EQ(parse("a;desc=\"x \\\" ; , y\";dur=1, b;dur=2"),
            (Metrics{{"a", 1'000'000}, {"b", 2'000'000}}));
  EXPECT_EQ(parse("a;desc=\"never closed;dur=1, b;dur=2"), Metrics{});
  EXPECT_EQ(parse("a;dur=1;desc=\"ends in \\"), (Metrics{{"a", 1'000'000}}));
}

TEST(ServerTiming, TakesTheFirstDurationOfAMetric) {
  EXPECT_EQ(parse("a;dur=1;dur=2"), (Metrics{{"a", 1'000'000}}));
  EXPECT_EQ(parse("a;dur=x;dur=2"), Metrics{});
}

TEST(ServerTiming, RefusesNumbersThatAreNoDurations) {
  for (const char* value : {"", "-1", "nan", "inf", "-inf", "1e300", "1e999", "0x10", "1,2", "1 2",
                            "3600001", "12ms", "+-1", "99999999999999999999"}) {
    const Metrics got = parse(std::string("a;dur=") + value);
    for (const auto& [name, ns] : got) EXPECT_LE(ns, 3'600'000'000'000u) << value;
    if (std::string_view(value) != "1,2" && std::string_view(value) != "1 2") {
      EXPECT_TRUE(got.empty()) << value;
    }
  }
}

TEST(ServerTiming, SurvivesHostileText) {
  EXPECT_EQ(parse(""), Metrics{});
  EXPECT_EQ(parse(",,,;;;==\"\"\",;=,"), Metrics{});
  EXPECT_EQ(parse(std::string(4'000, ';')), Metrics{});
  EXPECT_EQ(parse(std::string(4'000, '"')), Metrics{});
  EXPECT_EQ(parse(std::string_view("\0;dur=1,\xff\xfe;dur=2,ok;dur=3", 26)),
            (Metrics{{"ok", 3'000'000}}));
  EXPECT_EQ(parse(std::string(65, 'n') + ";dur=1"), Metrics{});
  EXPECT_EQ(parse(std::string(64, 'n') + ";dur=1").size(), 1u);
  // Every prefix of a good header is read without fault.
  const std::string good = "db;desc=\"a \\\"b\\\"\";dur=12.5, app;dur=\"3\" , x";
  for (size_t n = 0; n <= good.size(); ++n) EXPECT_LE(parse(good.substr(0, n)).size(), 2u);
}

TEST(ServerTiming, JoinsHeadersAndBoundsThem) {
  std::string text;
  append_server_timing("server-TIMING: db;dur=1\r\n", text);
  append_server_timing("Server: nginx\r\n", text);
  append_server_timing("Server-Timing:app;dur=2\r\n", text);
  EXPECT_EQ(parse(text), (Metrics{{"db", 1'000'000}, {"app", 2'000'000}}));
  append_server_timing("Server-Timing: " + std::string(5'000, 'x') + "\r\n", text);
  append_server_timing("Server-Timing: last;dur=3\r\n", text);
  EXPECT_EQ(parse(text).size(), 3u);
}

}  // namespace
}  // namespace plumb::http_load
