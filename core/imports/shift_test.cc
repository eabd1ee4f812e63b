#include "core/imports/shift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <random>

#include "core/session/temporary_directory_for_tests.h"

namespace plumb::imports {
namespace {

using ::testing::HasSubstr;

class Explain : public ::testing::Test {
 protected:
  Result<MetricTable> read(const std::string& text, size_t most_cells = kMostCells) {
    directory_.write("data.csv", text);
    auto bytes = open_bytes(directory_.path() / "data.csv");
    return read_metric_table(std::move(bytes).value(), "data.csv", most_cells);
  }
  MetricTable table(const std::string& text, size_t most_cells = kMostCells) {
    auto out = read(text, most_cells);
    EXPECT_TRUE(out.is_ok()) << out.status().message();
    return out.is_ok() ? std::move(out).value() : MetricTable();
  }
  static ShiftReport rank(const MetricTable& table, const char* normal, const char* abnormal) {
    const auto before = parse_span(normal, table);
    const auto after = parse_span(abnormal, table);
    EXPECT_TRUE(before.is_ok() && after.is_ok());
    auto out = rank_shifts(table, *before, *after);
    EXPECT_TRUE(out.is_ok()) << out.status().message();
    return out.is_ok() ? std::move(out).value() : ShiftReport();
  }
  std::string refusal(const std::string& text) {
    const auto out = read(text);
    EXPECT_FALSE(out.is_ok());
    return out.is_ok() ? "" : out.status().message();
  }

  TemporaryDirectory directory_;
};

// Rows of seconds 0 to 199; from second 120 on `lock_waits` is ten times what it was.
std::string incident(const std::function<std::string(int)>& time) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 1);
  std::string out = "time,cpu,lock_waits,temperature,restarts,memory\n";
  for (int s = 0; s < 200; ++s)
    out += time(s) + "," + std::to_string(50 + 5 * noise(random)) + "," +
           std::to_string((s < 120 ? 10 : 100) + noise(random)) + "," +
           std::to_string(40 + 2 * noise(random)) + "," + (s < 150 ? "0" : "3") + ",4096\n";
  return out;
}

TEST_F(Explain, WhatMovedMostIsFirstAndWhenItBeganIsFound) {
  const auto report =
      rank(table(incident([](int s) { return std::to_string(s); })), "0..100", "120..199");
  ASSERT_EQ(report.shifts.size(), 5u);
  EXPECT_EQ(report.shifts[0].metric, "restarts");
  EXPECT_EQ(report.shifts[1].metric, "lock_waits");
  EXPECT_EQ(report.shifts[1].began_ns, 120'000'000'000);
  EXPECT_EQ(report.shifts[0].began_ns, 150'000'000'000);
  EXPECT_NEAR(report.shifts[1].normal, 10, 0.5);
  EXPECT_NEAR(report.shifts[1].abnormal, 100, 0.5);
  EXPECT_TRUE(report.shifts[1].beyond_chance);
  EXPECT_EQ(report.beyond_chance, 2u);
  EXPECT_EQ(report.shifts[4].metric, "memory");
  EXPECT_EQ(report.shifts[4].score, 0);
}

TEST_F(Explain, TimesMayBeEpochOrDates) {
  const auto epoch =
      table(incident([](int s) { return std::to_string(1'763'732'400'000 + s * 1000LL); }));
  EXPECT_EQ(rank(epoch, "0..100", "2m..199s").shifts[1].metric, "lock_waits");
  const auto dates = table(incident([](int s) {
    char text[32];
    std::snprintf(text, sizeof text, "2025-11-21T13:%02d:%02dZ", 40 + s / 60, s % 60);
    return std::string(text);
  }));
  EXPECT_EQ(rank(dates, "2025-11-21T13:40:00Z..2025-11-21T13:41:30Z",
                 "2025-11-21T13:42:00Z..2025-11-21T13:43:19Z")
                .shifts[1]
                .metric,
            "lock_waits");
}

TEST_F(Explain, MissingCellsAndGapsAreNoValues) {
  std::string text = "t,a,b,empty\n";
  for (int s = 0; s < 60; ++s) {
    if (s >= 20 && s < 25) continue;
    text += std::to_string(s) + "," + (s % 3 == 0 ? "" : std::to_string(s < 30 ? 1 : 5)) + "," +
            (s % 2 == 0 ? "NaN" : "2") + (s % 5 == 0 ? "" : ",") + "\n";
  }
  const auto report = rank(table(text), "0..29", "30..59");
  ASSERT_EQ(report.shifts.size(), 2u);
  EXPECT_EQ(report.shifts[0].metric, "a");
  EXPECT_EQ(report.shifts[0].abnormal, 5);
  EXPECT_EQ(report.shifts[1].score, 0);
  EXPECT_EQ(report.too_few, 1u);
}

TEST_F(Explain, NoiseAloneIsSeldomBeyondChance) {
  std::mt19937 random(11);
  std::normal_distribution<double> noise(0, 1);
  std::string text = "t";
  for (int i = 0; i < 400; ++i) text += ",m" + std::to_string(i);
  for (int s = 0; s < 120; ++s) {
    text += "\n" + std::to_string(s);
    for (int i = 0; i < 400; ++i) text += "," + std::to_string(noise(random));
  }
  EXPECT_LE(rank(table(text), "0..59", "60..119").beyond_chance, 8u);
}

TEST_F(Explain, ATableThatIsTooLargeIsThinnedOutEvenly) {
  const auto thin = table(incident([](int s) { return std::to_string(s); }), 300);
  EXPECT_EQ(thin.rows_read, 200u);
  EXPECT_LE(thin.cells.size(), 300u);
  EXPECT_GE(thin.stride, 4u);
  EXPECT_EQ(thin.times_ns[1] - thin.times_ns[0], static_cast<int64_t>(thin.stride) * 1'000'000'000);
  EXPECT_EQ(rank(thin, "0..100", "120..199").shifts[1].metric, "lock_waits");
}

TEST_F(Explain, RowsInAnyOrderAreSorted) {
  const auto sorted = table("t,a\n3,30\n1,10\n2,20\n");
  EXPECT_EQ(sorted.cells, (std::vector<double>{10, 20, 30}));
}

TEST_F(Explain, AnErrorSaysWhereAndWhatIsExpected) {
  EXPECT_THAT(refusal("t,a\n1,2\nyesterday,3\n"),
              HasSubstr("data.csv:3:1: the time is 'yesterday'"));
  EXPECT_THAT(refusal("t,a\n1,2,3\n"), HasSubstr("data.csv:2:4: there are more fields"));
  EXPECT_THAT(refusal("t,a\n"), HasSubstr("no row below the heading"));
  EXPECT_THAT(refusal(""), HasSubstr("the file is empty"));
  EXPECT_THAT(refusal("t\n1\n"), HasSubstr("at least one metric"));
}

TEST_F(Explain, WindowsThatCannotBeComparedAreRefused) {
  const auto data = table(incident([](int s) { return std::to_string(s); }));
  EXPECT_THAT(parse_span("soon", data).status().message(), HasSubstr("A..B is expected"));
  EXPECT_THAT(parse_span("9..3", data).status().message(),
              HasSubstr("does not end after it begins"));
  EXPECT_THAT(
      rank_shifts(data, {0, 50'000'000'000}, {40'000'000'000, 90'000'000'000}).status().message(),
      HasSubstr("must not overlap"));
  EXPECT_THAT(
      rank_shifts(data, {0, 50'000'000'000}, {500'000'000'000, 900'000'000'000}).status().message(),
      HasSubstr("abnormal window holds 0 rows"));
}

TEST_F(Explain, ARowAtTheCommonEdgeOfTwoWindowsIsTheLaterOnes) {
  const auto data = table("t,a\n0,1\n5,1\n10,1\n15,1\n20,9\n25,9\n30,9\n");
  for (const auto& [normal, abnormal] : {std::pair{"0..20", "20..30"}, {"20..30", "0..20"}}) {
    const auto report = rank(data, normal, abnormal);
    ASSERT_EQ(report.shifts.size(), 1U);
    EXPECT_EQ(report.shifts[0].normal_samples + report.shifts[0].abnormal_samples, 7U);
    EXPECT_EQ(std::min(report.shifts[0].normal_samples, report.shifts[0].abnormal_samples), 3U);
  }
}

}  // namespace
}  // namespace plumb::imports
