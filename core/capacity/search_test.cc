#include "core/capacity/search.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/capacity/simulated_server_for_tests.h"

namespace plumb::capacity {
namespace {

SearchResult search_of(SimulatedServer& server, SearchOptions options = {},
                       std::stop_token stop = {}) {
  NoObserver observer;
  return search(server, options, observer, server.clock(), std::move(stop));
}

SearchResult search_of(const SimulatedTarget& target, uint64_t seed, SearchOptions options = {}) {
  SimulatedServer server(target, seed);
  options.seed = seed;
  return search_of(server, options);
}

struct Accuracy {
  int within = 0;   // of five percent
  int covered = 0;  // the interval holds the truth
  std::string errors;
};

constexpr int kSeeds = 20;

// `truth`: the capacity of a target by construction or theory.
Accuracy accuracy(const std::function<SimulatedTarget(int seed)>& target,
                  const std::function<double(const SimulatedTarget&)>& truth) {
  Accuracy out;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const SimulatedTarget one = target(seed);
    const SearchResult result = search_of(one, static_cast<uint64_t>(seed));
    if (!result.capacity) {
      out.errors += " none";
      continue;
    }
    const double expected = truth(one);
    const double error = result.capacity->rate / expected - 1;
    out.within += std::fabs(error) <= 0.05 ? 1 : 0;
    out.covered += result.capacity->low <= expected && expected <= result.capacity->high ? 1 : 0;
    char text[64];
    std::snprintf(text, sizeof(text), " %+.1f%%(%zu probes, %.0f s)", error * 100,
                  result.probes.size(), result.seconds);
    out.errors += text;
  }
  return out;
}

SimulatedTarget varied(int seed, int workers, double capacity) {
  SimulatedTarget out;
  out.workers = workers;
  out.service_s = workers / (capacity * (1 + 0.037 * seed));
  return out;
}

double plain_capacity(const SimulatedTarget& target) { return target.capacity(); }

TEST(CapacitySearch, FindsWhereAQueueWithoutRandomnessOverflows) {
  const Accuracy found = accuracy(
      [](int seed) {
        SimulatedTarget out = varied(seed, 1 + seed % 16, 400);
        out.random_service = out.random_arrivals = false;
        return out;
      },
      plain_capacity);
  EXPECT_GE(found.within, 19) << found.errors;
  EXPECT_GE(found.covered, 19) << found.errors;
}

TEST(CapacitySearch, FindsWhereEvenArrivalsOverflowRandomWorkers) {
  for (const int workers : {1, 4, 32}) {
    const Accuracy found = accuracy(
        [&](int seed) {
          SimulatedTarget out = varied(seed, workers, 800);
          out.random_arrivals = false;
          return out;
        },
        plain_capacity);
    EXPECT_GE(found.within, 19) << workers << " workers:" << found.errors;
  }
}

TEST(CapacitySearch, FindsWhereRandomArrivalsOverflowRandomWorkers) {
  for (const int workers : {1, 4, 32}) {
    const Accuracy found =
        accuracy([&](int seed) { return varied(seed, workers, 800); }, plain_capacity);
    EXPECT_GE(found.within, 19) << workers << " workers:" << found.errors;
  }
}

// Of an M/M/1 queue the response time is exponential with rate mu - lambda.
TEST(CapacitySearch, FindsWhereAPromiseBreaksBelowTheOverflow) {
  const Accuracy found = accuracy(
      [](int seed) {
        SimulatedTarget out = varied(seed, 1, 1'500);
        out.p99_limit_s = 15 * out.service_s;
        return out;
      },
      [](const SimulatedTarget& target) {
        return target.capacity() - std::log(100.0) / target.p99_limit_s;
      });
  EXPECT_GE(found.within, 19) << found.errors;
}

TEST(CapacitySearch, DisturbedProbesDoNotMisleadIt) {
  const Accuracy found = accuracy(
      [](int seed) {
        SimulatedTarget out = varied(seed, 8, 1'000);
        out.random_arrivals = false;
        out.p99_limit_s = 0.2;
        out.disturbed = 0.05;
        return out;
      },
      plain_capacity);
  EXPECT_GE(found.within, 19) << found.errors;
}

TEST(CapacitySearch, NamesWhatFailedFirst) {
  SimulatedTarget target;
  target.workers = 4;
  target.random_service = target.random_arrivals = false;
  target.queue = 2;
  EXPECT_EQ(search_of(target, 1).first_to_fail, "error_rate");
  target.queue = 1'000'000;
  EXPECT_EQ(search_of(target, 1).first_to_fail, "backlog");
}

TEST(CapacitySearch, NamesWhatFailedAlsoWhereItHadNoTimeToComeNear) {
  SimulatedTarget target;
  target.workers = 10;
  SimulatedServer server(target, 1);
  std::stop_source stop;
  server.on_probe = [&](size_t number) {
    if (number == 6) stop.request_stop();
  };
  const SearchResult result = search_of(server, {}, stop.get_token());
  ASSERT_EQ(result.outcome, Outcome::kCapacity);
  EXPECT_EQ(result.first_to_fail, "backlog");
  EXPECT_GT(result.capacity->high / result.capacity->low, 1.3) << "an interval as wide as it knows";
}

TEST(CapacitySearch, ALimitedGeneratorGivesNoCapacity) {
  SimulatedTarget target;
  target.workers = 10;  // 1,000/s
  target.generator_rate = 500;
  const SearchResult result = search_of(target, 1);
  EXPECT_EQ(result.outcome, Outcome::kAtLeast);
  EXPECT_EQ(result.ended, Ended::kGenerator);
  EXPECT_FALSE(result.capacity);
  EXPECT_GT(result.highest_kept, 400);
  EXPECT_LE(result.highest_kept, 500);
}

TEST(CapacitySearch, AGeneratorThatIsLimitedOnlyAboveTheEdgeDoesNotMatter) {
  SimulatedTarget target;
  target.workers = 10;
  target.random_service = target.random_arrivals = false;
  target.generator_rate = 1'300;
  SearchOptions options;
  options.from = 450;
  const SearchResult result = search_of(target, 1, options);
  ASSERT_TRUE(result.capacity);
  EXPECT_NEAR(result.capacity->rate, 1'000, 50);
}

TEST(CapacitySearch, ComesDownFromAFirstRateThatTheGeneratorCannotMake) {
  SimulatedTarget target;
  target.workers = 10;
  target.random_service = target.random_arrivals = false;
  target.generator_rate = 1'300;
  SearchOptions options;
  options.from = 20'000;
  const SearchResult above = search_of(target, 1, options);
  ASSERT_TRUE(above.capacity);
  EXPECT_NEAR(above.capacity->rate, 1'000, 50);
  target.generator_rate = 500;
  const SearchResult below = search_of(target, 1, options);
  EXPECT_EQ(below.outcome, Outcome::kAtLeast);
  EXPECT_GT(below.highest_kept, 400);
}

TEST(CapacitySearch, ComesDownFromAFirstRateThatIsTooHigh) {
  SimulatedTarget target;
  target.workers = 2;  // 200/s
  SearchOptions options;
  options.from = 20'000;
  const SearchResult result = search_of(target, 3, options);
  ASSERT_TRUE(result.capacity);
  EXPECT_NEAR(result.capacity->rate, 200, 12);
}

TEST(CapacitySearch, APromiseThatNoRateKeepsIsSaidToBeSo) {
  SimulatedTarget target;
  target.p99_limit_s = target.service_s / 10;
  const SearchResult result = search_of(target, 1);
  EXPECT_EQ(result.outcome, Outcome::kNever);
  EXPECT_EQ(result.first_to_fail, "p99");
  EXPECT_GT(result.lowest_missed, 0);
}

TEST(CapacitySearch, TooFewRequestsMakeALongerProbe) {
  SimulatedTarget target;
  target.service_s = 5;  // 0.2/s
  target.random_service = target.random_arrivals = false;
  const SearchResult result = search_of(target, 1);
  EXPECT_EQ(result.ended, Ended::kInsufficient);
  EXPECT_GE(result.probes.back().measure_s, 30);
  EXPECT_EQ(result.outcome, Outcome::kUnknown);
}

TEST(CapacitySearch, EndsInTimeWithWhatItKnows) {
  SimulatedTarget target;
  target.workers = 10;
  SearchOptions options;
  options.most_s = 24;
  const SearchResult result = search_of(target, 1, options);
  EXPECT_EQ(result.ended, Ended::kTimeUsed);
  EXPECT_LE(result.seconds, options.most_s);
  EXPECT_GT(result.highest_kept, 0);
}

TEST(CapacitySearch, AnInterruptKeepsWhatIsKnown) {
  SimulatedTarget target;
  target.workers = 10;
  SimulatedServer server(target, 1);
  std::stop_source stop;
  server.on_probe = [&](size_t number) {
    if (number != 3) return;
    stop.request_stop();
    server.failure = Status::cancelled("the probe was interrupted");
  };
  const SearchResult result = search_of(server, {}, stop.get_token());
  EXPECT_EQ(result.ended, Ended::kInterrupted);
  EXPECT_TRUE(result.failure.is_ok());
  EXPECT_EQ(result.probes.size(), 2u);
  EXPECT_EQ(result.outcome, Outcome::kAtLeast);
}

TEST(CapacitySearch, ATargetThatDiesEndsItWithTheReason) {
  SimulatedServer server({}, 1);
  server.on_probe = [&](size_t number) {
    if (number == 4) server.failure = Status::unavailable("the target exited with code 1");
  };
  const SearchResult result = search_of(server);
  EXPECT_EQ(result.ended, Ended::kFailed);
  EXPECT_EQ(result.failure.message(), "the target exited with code 1");
  EXPECT_EQ(result.probes.size(), 3u);
}

TEST(CapacitySearch, WaitsAfterAProbeThatLeftRequestsBehindAndOnlyThen) {
  SimulatedTarget target;
  target.random_service = target.random_arrivals = false;
  target.workers = 2;
  SimulatedServer server(target, 1);
  const SearchResult result = search_of(server);
  int left = 0;
  for (const Probe& probe : result.probes) left += probe.drained ? 0 : 1;
  EXPECT_EQ(server.settled(), left);
}

TEST(CapacitySearch, TheSameSeedMakesTheSameProbes) {
  SimulatedTarget target;
  target.workers = 4;
  const SearchResult one = search_of(target, 7);
  const SearchResult other = search_of(target, 7);
  ASSERT_EQ(one.probes.size(), other.probes.size());
  for (size_t i = 0; i < one.probes.size(); ++i)
    EXPECT_EQ(one.probes[i].rate, other.probes[i].rate);
}

TEST(CapacityProbe, IsLongEnoughForItsPercentileAndNoLonger) {
  const SearchOptions options;
  EXPECT_EQ(probe_at(200, options, Depth::kUsual).measure_s, 5);
  EXPECT_EQ(probe_at(10, options, Depth::kUsual).measure_s, 10);
  EXPECT_EQ(probe_at(10'000, options, Depth::kUsual).measure_s, 2);
  EXPECT_LT(probe_at(200, options, Depth::kScout).measure_s, 2);
  SearchOptions given;
  given.probe_s = 3;
  EXPECT_EQ(probe_at(200, given, Depth::kScout).measure_s, 3);
}

}  // namespace
}  // namespace plumb::capacity
