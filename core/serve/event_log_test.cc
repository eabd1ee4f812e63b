#include "core/serve/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::serve {
namespace {

TEST(EventLog, NumbersEventsFromOneAndGivesThemInOrder) {
  EventLog log;
  log.append("stage", "{\"name\":\"steady\"}");
  log.append("progress", "{}");
  const auto batch = log.after(0);
  EXPECT_EQ(batch.text,
            "id: 1\nevent: stage\ndata: {\"name\":\"steady\"}\n\n"
            "id: 2\nevent: progress\ndata: {}\n\n");
  EXPECT_EQ(batch.last, 2u);
  EXPECT_EQ(batch.lost, 0u);
  EXPECT_FALSE(batch.ended);
}

TEST(EventLog, GivesOnlyWhatCameAfterTheEventThatAReaderHas) {
  EventLog log;
  log.append("a", "1");
  log.append("b", "2");
  EXPECT_EQ(log.after(1).text, "id: 2\nevent: b\ndata: 2\n\n");
  EXPECT_EQ(log.after(2).text, "");
}

TEST(EventLog, SaysHowManyEventsAReaderHasMissed) {
  EventLog log(2);
  for (int i = 0; i < 5; ++i) log.append("e", std::to_string(i));
  const auto batch = log.after(1);
  EXPECT_EQ(batch.lost, 2u);
  EXPECT_EQ(batch.text, "id: 4\nevent: e\ndata: 3\n\nid: 5\nevent: e\ndata: 4\n\n");
}

TEST(EventLog, GivesAtLeastOneEventHoweverSmallTheBatch) {
  EventLog log;
  log.append("a", "1");
  log.append("b", "2");
  const auto batch = log.after(0, 1);
  EXPECT_EQ(batch.last, 1u);
  EXPECT_FALSE(batch.text.empty());
}

TEST(EventLog, HasEndedForAReaderOnceItHasTheLastEvent) {
  EventLog log;
  log.append("a", "1");
  log.append("done", "2");
  log.end();
  EXPECT_FALSE(log.after(0, 1).ended);
  EXPECT_TRUE(log.after(1).ended);
  EXPECT_FALSE(log.exhausted(1));
  EXPECT_TRUE(log.exhausted(2));
}

TEST(EventLog, TakesNothingAfterItsEnd) {
  EventLog log;
  log.end();
  log.append("late", "{}");
  EXPECT_EQ(log.after(0).text, "");
}

TEST(EventLog, AReaderFromTheFutureHasEverything) {
  EventLog log;
  log.append("a", "1");
  const auto batch = log.after(999);
  EXPECT_EQ(batch.text, "");
  EXPECT_EQ(batch.last, 1u);
}

TEST(EventLog, TheGreatestNumberThereIsIsNoTrap) {
  EventLog log;
  log.append("a", "1");
  log.end();
  EXPECT_EQ(log.after(~uint64_t{0}).text, "");
  EXPECT_TRUE(log.exhausted(~uint64_t{0}));
}

TEST(EventLog, TellsListenersUntilTheyNoLongerListen) {
  EventLog log;
  int told = 0;
  const auto handle = log.listen([&] { ++told; });
  log.append("a", "1");
  log.end();
  EXPECT_EQ(told, 2);
  log.unlisten(handle);
  log.end();
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace plumb::serve
