// The example service with one mistake at a time, under real load on real databases: does the run
// name that mistake, and none where there is none?
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/diagnose/shipped_rules_for_tests.h"
#include "core/diagnose/signal_list.h"
#include "core/store/run_file.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/run_program.h"

namespace plumb {
namespace {

using nlohmann::json;
using test_support::PostgresCluster;
using test_support::Program;
using test_support::TemporaryDirectory;

struct Fault {
  const char* plan;
  const char* cause;  // or none
};

// Of the processors, from where on theft is a cause of its own, which a mistake may stand behind.
constexpr double kMostStolen = 0.1;

struct Outcome {
  int code;
  json report;
  std::string said;  // what is worth telling when it is not a report

  double stolen() const {
    if (!report.is_object()) return 0;
    for (const json& fact : report["facts"])
      if (fact["name"] == "validity.steal") return fact["value"];
    return 0;
  }
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.plan; }

class ShopFaults : public ::testing::TestWithParam<Fault> {
 protected:
  static void SetUpTestSuite() {
    auto cluster = PostgresCluster::create();
    ASSERT_TRUE(cluster.is_ok()) << cluster.status().message();
    cluster_ = std::move(cluster).value();
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  Outcome carry_out(const Fault& fault) {
    Program plumb("plumb",
                  {"run", std::string("examples/") + fault.plan + ".yaml", "--format", "json",
                   "--run-dir", runs_.path().string(), "--set",
                   std::string("target.start.0=") + PLUMB_BINARY_DIR + "/bin/shop", "--set",
                   "load.warmup=2s", "--set", "load.duration=6s"},
                  {"DATABASE_URL=" + cluster_->dsn()});
    const int code = plumb.wait(std::chrono::seconds(60));
    return {code, json::parse(plumb.out(), nullptr, false),
            plumb.err() + plumb.out().substr(0, 2000)};
  }

  // Every series that a plugin declared is as its signals.yaml says.
  void expect_listed_signals() {
    diagnose::SignalList listed = plumb::testing::shipped_signals();
    const diagnose::SignalList& engine = diagnose::engine_signals();
    listed.insert(listed.end(), engine.begin(), engine.end());
    size_t looked = 0;
    for (const auto& entry : std::filesystem::directory_iterator(runs_.path())) {
      if (entry.path().extension() != ".plumb") continue;
      const auto run = store::read_run(entry.path());
      ASSERT_TRUE(run.is_ok()) << run.status().message();
      for (const store::SeriesData& series : run->series) {
        ++looked;
        EXPECT_EQ(difference_to_list(listed, series.info), "") << series.info.plugin;
      }
    }
    EXPECT_GT(looked, 50u);
  }

  static std::unique_ptr<PostgresCluster> cluster_;
  TemporaryDirectory runs_;
};

std::unique_ptr<PostgresCluster> ShopFaults::cluster_;

TEST_P(ShopFaults, AreNamedByTheirCause) {
  const Fault fault = GetParam();
  const Outcome run = carry_out(fault);
  ASSERT_TRUE(run.code == 0 || run.code == 3 || run.code == 5) << "exit code " << run.code << "\n"
                                                               << run.said;
  ASSERT_TRUE(run.report.is_object()) << run.said;
  expect_listed_signals();
  const json& report = run.report;
  const json& bottleneck = report["verdict"]["bottleneck"];
  const std::string named = bottleneck.is_object() ? bottleneck["cause"] : "none";
  const std::string why =
      report["verdict"].dump(1) + report["ledger"].dump(1) + report["findings"].dump(1);
  if (run.stolen() > kMostStolen) {
    EXPECT_TRUE(named == fault.cause || named == "none" || named == "host-cpu-steal") << why;
    GTEST_SKIP() << "the hypervisor kept " << run.stolen() * 100
                 << "% of the processors: only that nobody else is blamed was looked at";
  }
  EXPECT_NE(run.code, 5) << run.said;
  EXPECT_EQ(report["validity"]["status"], "valid") << report["validity"].dump(1);
  EXPECT_EQ(named, fault.cause) << why;
}

std::string test_name(const ::testing::TestParamInfo<Fault>& fault) {
  std::string name = fault.param.plan;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    , ShopFaults,
    ::testing::Values(Fault{"healthy", "none"}, Fault{"sqlite-writer", "sqlite-writer-contention"},
                      Fault{"cpu", "app-cpu-saturated"}, Fault{"downstream", "downstream-slow"},
                      Fault{"lock", "db-lock-contention"},
                      Fault{"missing-index", "db-missing-index"},
                      Fault{"n-plus-one", "db-n-plus-one"}, Fault{"pool", "db-pool-exhausted"}),
    test_name);

}  // namespace
}  // namespace plumb
