#include "plugins/pg_stats/session_class.h"

#include <gtest/gtest.h>

#include <set>

namespace plumb::pg_stats {
namespace {

TEST(SessionClass, ActiveWithoutAWaitEventIsCpu) {
  EXPECT_EQ(classify_session("active", "", ""), SessionClass::kCpu);
  EXPECT_EQ(classify_session("fastpath function call", "", ""), SessionClass::kCpu);
}

TEST(SessionClass, WaitsForALockAreTold) {
  EXPECT_EQ(classify_session("active", "Lock", "transactionid"), SessionClass::kLock);
  EXPECT_EQ(classify_session("active", "Lock", "tuple"), SessionClass::kLock);
  EXPECT_EQ(classify_session("active", "LWLock", "BufferContent"), SessionClass::kLwLock);
  EXPECT_EQ(classify_session("active", "LWLock", "WALInsert"), SessionClass::kLwLock);
}

TEST(SessionClass, EveryFaceOfACommitIsCommit) {
  EXPECT_EQ(classify_session("active", "LWLock", "WALWrite"), SessionClass::kCommit);
  EXPECT_EQ(classify_session("active", "IO", "WALSync"), SessionClass::kCommit);
  EXPECT_EQ(classify_session("active", "IO", "WALWrite"), SessionClass::kCommit);
  EXPECT_EQ(classify_session("active", "IPC", "SyncRep"), SessionClass::kCommit);
}

TEST(SessionClass, TheSpellingOfPostgres17IsUnderstood) {
  EXPECT_EQ(classify_session("active", "IO", "WalSync"), SessionClass::kCommit);
  EXPECT_EQ(classify_session("active", "IO", "WalWrite"), SessionClass::kCommit);
}

TEST(SessionClass, OtherIoAndIpcAreNotCommit) {
  EXPECT_EQ(classify_session("active", "IO", "DataFileRead"), SessionClass::kIo);
  EXPECT_EQ(classify_session("active", "IPC", "BtreePage"), SessionClass::kIpc);
}

TEST(SessionClass, TheClientCountsOnlyWhileActive) {
  EXPECT_EQ(classify_session("active", "Client", "ClientRead"), SessionClass::kClient);
  EXPECT_EQ(classify_session("idle", "Client", "ClientRead"), SessionClass::kIdle);
  EXPECT_EQ(classify_session("idle in transaction", "Client", "ClientRead"),
            SessionClass::kIdleInTransaction);
  EXPECT_EQ(classify_session("idle in transaction (aborted)", "Client", "ClientRead"),
            SessionClass::kIdleInTransaction);
}

TEST(SessionClass, SleepIsSplitFromOtherTimeouts) {
  EXPECT_EQ(classify_session("active", "Timeout", "PgSleep"), SessionClass::kSleep);
  EXPECT_EQ(classify_session("active", "Timeout", "VacuumDelay"), SessionClass::kOther);
  EXPECT_EQ(classify_session("active", "Extension", "Extension"), SessionClass::kOther);
  EXPECT_EQ(classify_session("active", "BufferPin", "BufferPin"), SessionClass::kOther);
}

TEST(SessionClass, WhatIsNobodysWorkHasNoClass) {
  EXPECT_FALSE(classify_session("active", "Activity", "LogicalLauncherMain"));
  EXPECT_FALSE(classify_session("", "", ""));
  EXPECT_FALSE(classify_session("disabled", "", ""));
}

TEST(SessionClass, EveryClassHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const SessionClass c : all_session_classes()) names.insert(session_class_name(c));
  EXPECT_EQ(names.size(), kSessionClasses);
}

}  // namespace
}  // namespace plumb::pg_stats
