#include "plugins/pg_stats/dsn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>

#include "plugins/pg_stats/lookup_for_tests.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

Dsn parsed(const std::string& text) {
  Result<Dsn> dsn = Dsn::parse(text);
  EXPECT_TRUE(dsn.is_ok()) << dsn.status().message();
  return std::move(dsn).value();
}

TEST(Dsn, BothFormsAreTaken) {
  EXPECT_EQ(parsed("postgresql://app:pw@db:5433/shop").value("port"), "5433");
  EXPECT_EQ(parsed("host=db dbname=shop").value("dbname"), "shop");
}

TEST(Dsn, AMistypedStringIsNotRepeated) {
  for (const char* text : {"hunter2", "host=db hunter2", "passwrod=hunter2",
                           "postgresql://app:hun%ter2@db/shop", "password='hunter2"}) {
    const Result<Dsn> dsn = Dsn::parse(text);
    ASSERT_FALSE(dsn.is_ok()) << text;
    EXPECT_EQ(dsn.status().code(), PLUMB_INVALID_ARGUMENT);
    EXPECT_THAT(dsn.status().message(), Not(HasSubstr("hun")));
    EXPECT_THAT(dsn.status().message(), HasSubstr("postgresql://"));
  }
}

TEST(Dsn, APasswordThatLibpqWouldTakeApartIsRefused) {
  for (const char* text :
       {"postgres://u:hunter2/x@127.0.0.1:1/db", "postgresql://u:hun@ter2@db:1/db"}) {
    const Result<Dsn> dsn = Dsn::parse(text);
    ASSERT_FALSE(dsn.is_ok()) << text;
    EXPECT_THAT(dsn.status().message(), HasSubstr("percent-encode"));
    EXPECT_THAT(dsn.status().message(), Not(HasSubstr("ter2")));
  }
  EXPECT_EQ(parsed("postgresql://u:p%40ss@db/shop?application_name=a@b").value("password"), "p@ss");
  EXPECT_EQ(parsed("postgresql:///shop?host=/run/postgresql").value("dbname"), "shop");
}

TEST(Dsn, AConnectionStringInsideAnotherIsRefusedAndNotRepeated) {
  for (const char* text :
       {"host=db dbname=postgresql://u:hunter2@h/x", "dbname='user=u password=hunter2'",
        "host=postgresql://u:hunter2@h/x", "host=db user=postgresql://u:hunter2@h"}) {
    const Result<Dsn> dsn = Dsn::parse(text);
    ASSERT_FALSE(dsn.is_ok()) << text;
    EXPECT_EQ(dsn.status().code(), PLUMB_INVALID_ARGUMENT);
    EXPECT_THAT(dsn.status().message(), HasSubstr("another connection string"));
    EXPECT_THAT(dsn.status().message(), Not(HasSubstr("hunter2")));
  }
}

TEST(Dsn, TheSessionIsReadOnlyWhateverTheUserWrote) {
  const Dsn dsn = parsed(
      "host=db application_name=mine connect_timeout=60 "
      "options='-c default_transaction_read_only=off'");
  std::map<std::string, std::string> parameters;
  for (auto& [key, value] : dsn.connection_parameters(milliseconds(1500))) {
    EXPECT_TRUE(parameters.emplace(key, value).second) << key << " stands twice";
  }
  EXPECT_EQ(parameters["application_name"], "plumb");
  EXPECT_FALSE(parameters.contains("connect_timeout"));
  const std::string& options = parameters["options"];
  EXPECT_LT(options.find("read_only=off"), options.find("read_only=on")) << "the last one holds";
  EXPECT_THAT(options, HasSubstr("statement_timeout=1500"));
  EXPECT_THAT(options, HasSubstr("lock_timeout=100"));
  EXPECT_THAT(options, HasSubstr("search_path=pg_catalog"));
}

TEST(Dsn, ThePasswordIsScrubbedInEveryWriting) {
  const Dsn dsn = parsed("postgresql://app:p%40ss%2Fword@db/shop");
  EXPECT_EQ(dsn.scrub("a p@ss/word b p%40ss%2Fword c"), "a *** b *** c");
  EXPECT_EQ(dsn.scrub("found elsewhere", "else"), "found ***where");
}

TEST(ConnectFailure, SaysWhatWasWrongAndWhatToDo) {
  const auto explain = [](const char* reason) {
    return explain_connect_failure(reason, "127.0.0.1:5432", "app", "shop");
  };
  Status s = explain("FATAL:  password authentication failed for user \"app\"");
  EXPECT_EQ(s.code(), PLUMB_PERMISSION_DENIED);
  EXPECT_THAT(s.message(), HasSubstr("refused the password of user \"app\""));
  EXPECT_THAT(s.message(), HasSubstr("check user and password")) << "a role that is not there, too";
  s = explain("FATAL:  database \"shop\" does not exist");
  EXPECT_EQ(s.code(), PLUMB_NOT_FOUND);
  EXPECT_THAT(s.message(), HasSubstr("\"shop\""));
  s = explain("connection to server failed: Connection refused\n\tIs the server running?");
  EXPECT_EQ(s.code(), PLUMB_UNAVAILABLE);
  EXPECT_THAT(s.message(), HasSubstr("127.0.0.1:5432"));
  s = explain("FATAL:  unsupported startup parameter: options");
  EXPECT_EQ(s.code(), PLUMB_UNSUPPORTED);
  s = explain("FATAL:  sorry, too many clients already");
  EXPECT_THAT(s.message(), HasSubstr("GRANT pg_use_reserved_connections"));
  s = explain("connection to server failed: received invalid response to SSL negotiation: H");
  EXPECT_THAT(s.message(), HasSubstr("no PostgreSQL server"));
  s = explain("expected authentication request from server, but received H");
  EXPECT_THAT(s.message(), HasSubstr("check host and port in dsn"));
  s = explain("FATAL:  something new\nDETAIL: more");
  EXPECT_EQ(s.message(), "cannot connect to PostgreSQL at 127.0.0.1:5432: something new");
}

std::string parameter(const Dsn& dsn, const HostAddresses& addresses, const std::string& key) {
  for (const auto& [name, value] : dsn.connection_parameters(std::chrono::seconds(1), addresses))
    if (name == key) return value;
  return "(none)";
}

std::string connect_failure(const std::string& text) {
  const std::atomic<bool> interrupted{false};
  Session session(parsed(text), std::chrono::seconds(1), interrupted);
  session.end_by(Session::Clock::now() + std::chrono::seconds(10));
  return std::string(session.connect().message());
}

TEST(ConnectFailure, WhatLibpqRefusesBeforeItConnectsIsToldInItsWords) {
  if (!kCanLookUp) GTEST_SKIP() << "no lookups under ThreadSanitizer";
  EXPECT_THAT(connect_failure("service=nosuch"), HasSubstr("\"nosuch\" not found"));
  EXPECT_THAT(connect_failure("host=127.0.0.1,127.0.0.2 port=1,2,3"), HasSubstr("3 port numbers"));
  EXPECT_THAT(connect_failure("host=localhost,127.0.0.2 port=1,2,3"), HasSubstr("3 port numbers"));
}

TEST(Dsn, OnlyNamesAreToBeLookedUp) {
  const auto names = [](const std::string& text) { return Dsn::parse(text)->host_names(); };
  EXPECT_EQ(names("host=db.example,10.0.0.1,/run/pg,::1,other"),
            (std::vector<std::string>{"db.example", "other"}));
  EXPECT_TRUE(names("host=db.example hostaddr=10.0.0.1").empty());
  EXPECT_TRUE(names("dbname=shop").empty());
}

class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(Dsn, HostsOfTheEnvironmentAreLookedUpLikeItsOwn) {
  const Variable host("PGHOST", "one.example,10.0.0.1");
  const Variable port("PGPORT", "6000,6001");
  const Dsn dsn = parsed("dbname=shop");
  EXPECT_EQ(dsn.host_names(), std::vector<std::string>{"one.example"});
  EXPECT_EQ(dsn.value("port"), "6000,6001");
  EXPECT_EQ(parsed("dbname=shop port=7").value("port"), "7");
  EXPECT_EQ(parsed("host=two.example").host_names(), std::vector<std::string>{"two.example"});
  EXPECT_TRUE(parsed("hostaddr=10.0.0.2").host_names().empty());
}

TEST(Dsn, HostsOfAServiceFileAreLookedUpLikeItsOwn) {
  const std::string path = testing::TempDir() + "/services_of_dsn_test";
  std::ofstream(path) << "[shop]\nhost=one.example\nport=6000\npassword=hunter2\n";
  const Variable file("PGSERVICEFILE", path);
  const Dsn dsn = parsed("service=shop dbname=shop");
  EXPECT_EQ(dsn.host_names(), std::vector<std::string>{"one.example"});
  EXPECT_EQ(dsn.value("port"), "6000");
  EXPECT_EQ(dsn.value("password"), "") << "libpq takes it from where it lies";
}

TEST(Dsn, EachAddressOfAHostIsTriedAtItsPort) {
  const Result<Dsn> dsn = Dsn::parse("host=a,10.0.0.9,b,gone port=1,2,3,4 dbname=shop");
  ASSERT_TRUE(dsn.is_ok());
  const HostAddresses addresses = {
      {"a", {"10.0.0.1", "fe80::1"}}, {"b", {"10.0.0.2"}}, {"gone", {}}};
  EXPECT_EQ(parameter(*dsn, addresses, "host"), "a,a,10.0.0.9,b");
  EXPECT_EQ(parameter(*dsn, addresses, "hostaddr"), "10.0.0.1,fe80::1,,10.0.0.2");
  EXPECT_EQ(parameter(*dsn, addresses, "port"), "1,1,2,3");
  const Result<Dsn> plain = Dsn::parse("host=a dbname=shop");
  EXPECT_EQ(parameter(*plain, addresses, "host"), "a,a");
  EXPECT_EQ(parameter(*plain, addresses, "port"), ",") << "libpq's default for each";
  EXPECT_EQ(parameter(*plain, {}, "hostaddr"), "(none)");
}

}  // namespace
}  // namespace plumb::pg_stats
