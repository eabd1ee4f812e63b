#include "plugins/pg_stats/server_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/pg_stats/missing_abilities.h"
#include "plugins/pg_stats/server_versions.h"
#include "plugins/pg_stats/setting_remarks.h"

namespace plumb::pg_stats {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kWatchSecondNs = 1'000'000'000;

TEST(ServerWatch, AQuietServerIsNoNews) {
  ServerWatch watch;
  for (int i = 0; i < 10; ++i)
    EXPECT_THAT(watch.look({i * kWatchSecondNs, 1000.0 + i, 5, false}), IsEmpty());
}

TEST(ServerWatch, AClockThatJumpsIsToldWithItsWay) {
  ServerWatch watch;
  (void)watch.look({1 * kWatchSecondNs, 1000, 0, false});
  auto events = watch.look({2 * kWatchSecondNs, 4601, 0, false});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, "server-clock-jumped");
  EXPECT_THAT(events[0].message, HasSubstr("forward by 3600.0 s"));
  events = watch.look({3 * kWatchSecondNs, 1002, 0, false});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_THAT(events[0].message, HasSubstr("back by 3600.0 s"));
}

TEST(ServerWatch, ALateAnswerIsNoJump) {
  ServerWatch watch;
  (void)watch.look({1 * kWatchSecondNs, 1000, 0, false});
  EXPECT_THAT(watch.look({9 * kWatchSecondNs, 1007, 0, false}), IsEmpty());
}

TEST(ServerWatch, AResetAndAPromotionAreTold) {
  ServerWatch watch;
  (void)watch.look({1 * kWatchSecondNs, 1000, 0, true});
  const auto events = watch.look({2 * kWatchSecondNs, 1001, 1000.5, false});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, "statistics-reset");
  EXPECT_EQ(events[1].kind, "database-role-changed");
  EXPECT_THAT(events[1].message, HasSubstr("promoted"));
}

std::string kind_of(const ServerWatch::Arrival& arrival) {
  return arrival.event ? arrival.event->kind : "";
}

TEST(ServerWatch, AConnectionToTheSameRunOfTheServerIsNoNews) {
  ServerWatch watch;
  EXPECT_EQ(kind_of(watch.connected({1000, 1000, false})), "") << "the first is no change";
  const auto again = watch.connected({1000, 1000, false});
  EXPECT_EQ(kind_of(again), "") << "only the connection was lost";
  EXPECT_TRUE(again.same_counters);
}

TEST(ServerWatch, AServerStartedAnewIsNotTakenForAResetOfStatistics) {
  ServerWatch watch;
  (void)watch.connected({1000, 1000, false});
  (void)watch.look({1 * kWatchSecondNs, 1900, 500, false});
  const auto arrival = watch.connected({2000, 2000, false});
  EXPECT_EQ(kind_of(arrival), "database-restarted");
  EXPECT_THAT(arrival.event->message, HasSubstr("started anew"));
  EXPECT_FALSE(arrival.same_counters);
  EXPECT_THAT(watch.look({200 * kWatchSecondNs, 2100, 2001, false}), IsEmpty());
}

TEST(ServerWatch, ACrashOfOneProcessIsToldAsTheServersRecovery) {
  ServerWatch watch;
  (void)watch.connected({1000, 1000, false});
  (void)watch.look({1 * kWatchSecondNs, 1900, 500, false});
  const auto arrival = watch.connected({1000, 1950, false});
  EXPECT_EQ(kind_of(arrival), "database-restarted");
  EXPECT_THAT(arrival.event->message, HasSubstr("crashed"));
  EXPECT_FALSE(arrival.same_counters);
  EXPECT_THAT(watch.look({60 * kWatchSecondNs, 1960, 1950, false}), IsEmpty());
}

TEST(ServerWatch, AServerThatWasUpBeforeIsAnotherOne) {
  ServerWatch watch;
  (void)watch.connected({1000, 1000, false});
  (void)watch.look({1 * kWatchSecondNs, 1900, 0, false});
  const auto arrival = watch.connected({1500, 1500, false});
  EXPECT_EQ(kind_of(arrival), "database-replaced");
  EXPECT_FALSE(arrival.same_counters);
  EXPECT_EQ(kind_of(watch.connected({1500, 1500, true})), "database-role-changed");
  const auto failed_over = watch.connected({700, 700, false});
  EXPECT_EQ(kind_of(failed_over), "database-role-changed");
  EXPECT_FALSE(failed_over.same_counters);
}

TEST(ServerWatch, AResetWhileTheConnectionWasLostIsToldWhereNoCrashCanBeMeant) {
  ServerWatch watch;
  (void)watch.connected({1000, 1000, false});
  (void)watch.look({1 * kWatchSecondNs, 1900, 500, false});
  (void)watch.connected({1000, 1000, false});
  EXPECT_EQ(watch.look({60 * kWatchSecondNs, 1960, 1950, false}).size(), 1u);

  ServerWatch unprivileged;
  (void)unprivileged.connected({1000, 0, false});
  (void)unprivileged.look({1 * kWatchSecondNs, 1900, 500, false});
  (void)unprivileged.connected({1000, 0, false});
  EXPECT_THAT(unprivileged.look({60 * kWatchSecondNs, 1960, 1950, false}), IsEmpty());
}

std::vector<std::string> subjects(const ServerFacts& facts) {
  std::vector<std::string> out;
  for (const MissingAbility& m : missing_abilities(facts)) out.push_back(m.subject);
  return out;
}

TEST(MissingAbilities, NothingIsMissingOnANewServerWithEverythingOn) {
  for (const int major : {16, 17, 18}) {
    EXPECT_THAT(subjects(server_of_version(major)), IsEmpty()) << major;
  }
}

TEST(MissingAbilities, AnOldServerLacksWhatLaterOnesHave) {
  EXPECT_THAT(subjects(server_of_version(15)), testing::ElementsAre("io"));
  EXPECT_THAT(subjects(server_of_version(14)), testing::ElementsAre("io"));
  EXPECT_THAT(subjects(server_of_version(13)),
              testing::ElementsAre("query_ids", "version", "wal", "io"));
  EXPECT_THAT(subjects(server_of_version(12)),
              testing::ElementsAre("query_ids", "version", "wal", "io"));
}

TEST(MissingAbilities, EachNamesTheCommandThatMendsIt) {
  ServerFacts facts = server_of_version(15);
  facts.role = "it\"s";
  facts.reads_all_stats = facts.reads_all_tables = facts.tracks_io_time = false;
  facts.tracks_activities = facts.tracks_counts = facts.tracks_wal_io_time = false;
  facts.tracks_planning = false;
  facts.compute_query_id = "off";
  facts.statements_track = "none";
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"role", "GRANT pg_monitor TO \"it\"\"s\";"},
      {"statements_track", "ALTER SYSTEM SET pg_stat_statements.track = 'top';"},
      {"planning", "ALTER SYSTEM SET pg_stat_statements.track_planning = on;"},
      {"query_ids", "ALTER SYSTEM SET compute_query_id = 'on';"},
      {"activities", "ALTER SYSTEM SET track_activities = on;"},
      {"counts", "ALTER SYSTEM SET track_counts = on;"},
      {"io_timing", "ALTER SYSTEM SET track_io_timing = on;"},
      {"wal_io_timing", "ALTER SYSTEM SET track_wal_io_timing = on;"},
      {"plans", "GRANT pg_read_all_data TO \"it\"\"s\";"},
      {"io", "PostgreSQL 16"}};
  const auto missing = missing_abilities(facts);
  ASSERT_EQ(missing.size(), expected.size());
  for (size_t i = 0; i < missing.size(); ++i) {
    EXPECT_EQ(missing[i].subject, expected[i].first);
    EXPECT_THAT(missing[i].how, HasSubstr(expected[i].second));
    EXPECT_THAT(sentence_of(missing[i]), HasSubstr(missing[i].why));
  }
}

TEST(MissingAbilities, QueryIdsOnDemandNeedSomebodyWhoAsks) {
  ServerFacts facts = server_of_version(16);
  facts.statements_loaded = false;
  EXPECT_THAT(subjects(facts), testing::ElementsAre("statements", "query_ids"));
  facts.compute_query_id = "on";
  EXPECT_THAT(subjects(facts), testing::ElementsAre("statements"));
}

TEST(MissingAbilities, AnExtensionNobodyUpdatedIsNamed) {
  ServerFacts facts = server_of_version(15);
  facts.columns["pg_stat_statements"] = server_of_version(12).columns["pg_stat_statements"];
  EXPECT_THAT(subjects(facts), testing::ElementsAre("statements_version", "io"));
}

TEST(MissingAbilities, StatementsInsideFunctionsThatCountTwiceAreTold) {
  for (const int major : {12, 13}) {
    ServerFacts facts = server_of_version(major);
    facts.statements_track = "all";
    EXPECT_THAT(subjects(facts), testing::Contains("statements_nested")) << major;
  }
  ServerFacts facts = server_of_version(14);
  facts.statements_track = "all";
  EXPECT_THAT(subjects(facts), testing::ElementsAre("io")) << "the column toplevel tells them";
  facts.columns["pg_stat_statements"] = server_of_version(13).columns["pg_stat_statements"];
  EXPECT_THAT(subjects(facts), testing::Contains("statements_nested")) << "an older extension";
}

std::string remark(const char* name, const char* value, const char* unit = "",
                   SettingContext context = {}) {
  return remark_on_setting(name, value, unit, context);
}

TEST(SettingRemarks, WhatRisksDataOrHidesCostIsSaid) {
  EXPECT_THAT(remark("fsync", "off"), HasSubstr("loses or corrupts data"));
  EXPECT_EQ(remark("fsync", "on"), "");
  EXPECT_THAT(remark("synchronous_commit", "off"), HasSubstr("do not wait for the disk"));
  EXPECT_THAT(remark("autovacuum", "off"), HasSubstr("dead rows"));
  EXPECT_THAT(remark("random_page_cost", "4"), HasSubstr("SSD"));
  EXPECT_EQ(remark("random_page_cost", "1.1"), "");
  EXPECT_THAT(remark("log_min_duration_statement", "0", "ms"), HasSubstr("every statement"));
  EXPECT_EQ(remark("log_min_duration_statement", "-1", "ms"), "");
  EXPECT_THAT(remark("checkpoint_timeout", "30", "s"), HasSubstr("full pages"));
  EXPECT_EQ(remark("checkpoint_timeout", "5", "min"), "");
  EXPECT_EQ(remark("a_setting_of_the_future", "42", "parsecs"), "");
}

TEST(SettingRemarks, SizesAreJudgedAgainstTheDatabase) {
  EXPECT_THAT(remark("shared_buffers", "16384", "8kB", {1e9, {}}), HasSubstr("953.7 MB"));
  EXPECT_EQ(remark("shared_buffers", "16384", "8kB", {1e6, {}}), "");
  EXPECT_EQ(remark("shared_buffers", "16384", "8kB"), "") << "the size is not known";
  EXPECT_THAT(remark("effective_cache_size", "1", "8kB", {{}, 1e9}), HasSubstr("shared_buffers"));
  EXPECT_EQ(remark("wal_buffers", "-1", "8kB"), "") << "-1 chooses by itself";
}

TEST(SettingRemarks, ValuesAreWrittenAsPeopleDo) {
  EXPECT_EQ(setting_text("16384", "8kB"), "128 MB");
  EXPECT_EQ(setting_text("1000", "ms"), "1 s");
  EXPECT_EQ(setting_text("300", "s"), "5 min");
  EXPECT_EQ(setting_text("-1", "8kB"), "-1");
  EXPECT_EQ(setting_text("on", ""), "on");
  EXPECT_EQ(setting_text("0", "ms"), "0");
}

}  // namespace
}  // namespace plumb::pg_stats
