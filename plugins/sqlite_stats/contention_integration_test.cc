// Real SQLite in child processes, watched through the plugin's C entry. The watching process opens
// no SQLite connection: that alone would drop locks.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "child.h"
#include "fake_files.h"
#include "plugin_run.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int kWaiters = 3;
constexpr int kClients = kWaiters + 1;
constexpr int kCycles = 8;
constexpr auto kHeld = std::chrono::milliseconds(260);

enum class Rest { kSleepFor, kUsleep, kSpin };

struct Span {
  int64_t start_ns;
  int64_t end_ns;
  int client;
};

// Shared with the children: what really happened.
struct Truth {
  pthread_barrier_t all;  // clients and, at the very beginning, the watcher
  std::array<Span, kClients * kCycles> holds;
  std::array<Span, kWaiters * kCycles> waits;
  std::atomic<int> hold_count{0};
  std::atomic<int> wait_count{0};
  std::atomic<int> commits{0};
  std::atomic<int> running{kClients};
  std::atomic<int> errors{0};

  void held(int64_t start_ns, int client) {
    holds.at(static_cast<size_t>(hold_count++)) = {start_ns, monotonic_ns(), client};
  }
};

void rest(Rest how) {
  const auto until = std::chrono::steady_clock::now() + kHeld;
  if (how == Rest::kSleepFor) std::this_thread::sleep_for(kHeld);
  if (how == Rest::kUsleep)
    ::usleep(static_cast<useconds_t>(std::chrono::microseconds(kHeld).count()));
  while (std::chrono::steady_clock::now() < until) {
  }
}

// Runs in a child. Client 0 holds the lock in each cycle while the others wait for it; between
// cycles all wait in a futex, not in a timer.
void client(Truth& truth, const std::string& database, int number, Rest how) {
  try {
    SQLite::Database db(database, SQLite::OPEN_READWRITE, 20'000);
    db.exec("SELECT count(*) FROM t");
    pthread_barrier_wait(&truth.all);
    for (int cycle = 0; cycle < kCycles; ++cycle) {
      int64_t held_ns = 0;
      if (number == 0) {
        db.exec("BEGIN IMMEDIATE");
        held_ns = monotonic_ns();
      }
      pthread_barrier_wait(&truth.all);
      if (number == 0) {
        db.exec("INSERT INTO t VALUES (1)");
        rest(how);
      } else {
        const int64_t tried_ns = monotonic_ns();
        db.exec("BEGIN IMMEDIATE");
        held_ns = monotonic_ns();
        truth.waits.at(static_cast<size_t>(truth.wait_count++)) = {tried_ns, held_ns, number};
        db.exec("INSERT INTO t VALUES (2)");
      }
      db.exec("COMMIT");
      truth.held(held_ns, number);
      ++truth.commits;
      pthread_barrier_wait(&truth.all);
    }
  } catch (const std::exception&) {
    ++truth.errors;
    --truth.running;
    _exit(1);  // the others would wait at the barrier for ever
  }
  --truth.running;
}

double overlap(const Span& span, int64_t from, int64_t to) {
  return static_cast<double>(
      std::max<int64_t>(0, std::min(span.end_ns, to) - std::max(span.start_ns, from)));
}

double mean_in(const Span* spans, int count, int64_t from, int64_t to) {
  const double sum = std::accumulate(spans, spans + count, 0.0, [&](double s, const Span& span) {
    return s + overlap(span, from, to);
  });
  return sum / static_cast<double>(to - from);
}

struct Case {
  const char* name;
  const char* journal;
  bool threads;
  Rest rest;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ContentionTest : public testing::TestWithParam<Case> {
 protected:
  ContentionTest() {
    pthread_barrierattr_t shared;
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&truth_->all, &shared, kClients);
  }

  void make_database() {
    const int status = wait_for(spawn([&] {
      SQLite::Database db(database_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      db.exec(std::string("PRAGMA journal_mode=") + GetParam().journal);
      db.exec("CREATE TABLE t (x)");
    }));
    ASSERT_EQ(status, 0);
  }

  void start_clients() {
    if (GetParam().threads) {
      writer_ = children_.add([&] {
        std::vector<std::thread> threads;
        for (int i = 0; i < kClients; ++i)
          threads.emplace_back([&, i] { client(*truth_, database_, i, GetParam().rest); });
        for (std::thread& thread : threads) thread.join();
      });
      return;
    }
    for (int i = 0; i < kClients; ++i) {
      const pid_t pid = children_.add([&, i] { client(*truth_, database_, i, GetParam().rest); });
      if (i == 0) writer_ = pid;
    }
  }

  int integrity_check() {
    return wait_for(spawn([&] {
      SQLite::Database db(database_);
      const std::string answer = db.execAndGet("PRAGMA integrity_check").getString();
      const int rows = db.execAndGet("SELECT count(*) FROM t").getInt();
      ::_exit(answer == "ok" && rows == truth_->commits ? 0 : 1);
    }));
  }

  // Time-weighted mean of a gauge whose samples stand for the time since the one before.
  double mean(const std::string& series) {
    double sum = 0;
    int64_t from = run_.start_ns;
    for (const SeenSample& sample : run_.host.samples[series]) {
      sum += sample.value * static_cast<double>(sample.time_ns - from);
      from = sample.time_ns;
    }
    return sum / static_cast<double>(from - run_.start_ns);
  }

  TemporaryDirectory directory_;
  const std::string database_ = directory_ / "shop.db";
  Shared<Truth> truth_;
  Children children_;
  pid_t writer_ = 0;
  PluginRun run_;
};

TEST_P(ContentionTest, HolderOccupancyWaitersAndCommitsAreAsTheyReallyWere) {
  make_database();
  // The watch begins first, so that every commit of the clients falls into it.
  run_.start({.database = database_});
  start_clients();
  run_.collect_while([this] { return truth_->running > 0 && truth_->errors == 0; });
  run_.stop();
  const bool harmed = truth_->errors > 0;
  EXPECT_TRUE(children_.all_ended_well());
  ASSERT_FALSE(harmed) << "the application must not notice that it is watched";
  EXPECT_EQ(integrity_check(), 0);

  const auto& commits = run_.host.samples["sqlite_commits_total"];
  EXPECT_EQ(commits.back().value - commits.front().value, kClients * kCycles);
  EXPECT_EQ(truth_->commits, kClients * kCycles);

  const int64_t start_ns = run_.start_ns;
  const int64_t end_ns = run_.end_ns;
  const double occupancy = mean_in(truth_->holds.data(), truth_->hold_count, start_ns, end_ns);
  const double waiters = mean_in(truth_->waits.data(), truth_->wait_count, start_ns, end_ns);
  EXPECT_NEAR(mean("sqlite_write_lock_ratio"), occupancy, 0.05);
  EXPECT_NEAR(mean("sqlite_waiters"), waiters, 1.0);
  int64_t from = start_ns;
  for (const SeenSample& sample : run_.host.samples["sqlite_waiters"]) {
    if (sample.time_ns - from > 500'000'000) {
      EXPECT_NEAR(sample.value,
                  mean_in(truth_->waits.data(), truth_->wait_count, from, sample.time_ns), 1.0);
    }
    from = sample.time_ns;
  }

  // The long holds one by one, the short ones with them in sum and number.
  Histogram holds;
  for (const SeenHistogram& part : run_.host.histograms["sqlite_write_hold_seconds"])
    ASSERT_TRUE(holds.merge(part.values));
  double held = 0;
  double longest = 0;  // which a busy machine makes longer than it was meant to be
  for (int i = 0; i < truth_->hold_count; ++i) {
    const Span& span = truth_->holds.at(static_cast<size_t>(i));
    const auto length = static_cast<double>(span.end_ns - span.start_ns);
    held += length;
    longest = std::max(longest, length);
  }
  // Each is seen to within one look, of which there are a hundred a second.
  EXPECT_NEAR(static_cast<double>(holds.sum()), held, truth_->hold_count * 10e6);
  EXPECT_NEAR(static_cast<double>(holds.count()), kClients * kCycles, kCycles);
  EXPECT_NEAR(holds.quantile(0.99).value() / 1e6, longest / 1e6, 60);

  // In threads, all clients are one process.
  double named = 0;
  for (const auto& row : run_.rows("sqlite_lock_holders")) {
    if (row.at(1) == writer_) named += row.at(4).get<double>();
  }
  double writers_truth = 0;
  for (int i = 0; i < truth_->hold_count; ++i) {
    const Span& span = truth_->holds.at(static_cast<size_t>(i));
    if (span.client == 0 || GetParam().threads) writers_truth += overlap(span, start_ns, end_ns);
  }
  writers_truth /= static_cast<double>(end_ns - start_ns);
  EXPECT_GE(named, 0.95 * writers_truth);

  std::printf(
      "%-16s occupancy %.3f (true %.3f)  waiters %.2f (true %.2f)  writer named %.1f%%  "
      "holds %.0f (true %d), p99 %.0f ms  sampler %.2f%% of a core\n",
      GetParam().name, mean("sqlite_write_lock_ratio"), occupancy, mean("sqlite_waiters"), waiters,
      100 * named / writers_truth, static_cast<double>(holds.count()), truth_->hold_count.load(),
      holds.quantile(0.99).value() / 1e6, 100 * run_.cpu_share);
}

INSTANTIATE_TEST_SUITE_P(
    Sqlite, ContentionTest,
    testing::Values(Case{"WalProcesses", "WAL", false, Rest::kSleepFor},
                    Case{"RollbackProcesses", "DELETE", false, Rest::kSleepFor},
                    Case{"WalThreadsHolderSleeps", "WAL", true, Rest::kSleepFor},
                    Case{"WalThreadsHolderUsleeps", "WAL", true, Rest::kUsleep},
                    Case{"WalThreadsHolderComputes", "WAL", true, Rest::kSpin},
                    Case{"RollbackThreads", "DELETE", true, Rest::kSleepFor}),
    [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace plumb::sqlite_stats
