// Real SQLite in child processes, watched through the plugin's C entry. The watching process opens
// no SQLite connection: that alone would drop locks.
#include <SQLiteCpp/SQLiteCpp.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "fake_files.h"
#include "fake_host.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int kWaiters = 3;
constexpr int kClients = kWaiters + 1;
constexpr int kCycles = 8;
constexpr auto kHeld = std::chrono::milliseconds(260);
constexpr int64_t kTickNs = 10'000'000;
constexpr unsigned kMostSeconds = 50;

enum class Rest { kSleepFor, kUsleep, kSpin };

int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

struct Span {
  int64_t start_ns;
  int64_t end_ns;
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

  void held(int64_t start_ns) {
    holds.at(static_cast<size_t>(hold_count++)) = {start_ns, monotonic_ns()};
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
        truth.waits.at(static_cast<size_t>(truth.wait_count++)) = {tried_ns, held_ns};
        db.exec("INSERT INTO t VALUES (2)");
      }
      db.exec("COMMIT");
      truth.held(held_ns);
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

pid_t spawn(const std::function<void()>& body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::alarm(kMostSeconds);
  body();
  ::_exit(0);
}

int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
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
  ContentionTest() : truth_(map()) {
    pthread_barrierattr_t shared;
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&truth_.all, &shared, kClients);
    library_ = ::dlopen(PLUMB_SQLITE_STATS, RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) throw std::runtime_error(::dlerror());
    plugin_ = reinterpret_cast<plumb_plugin_entry_fn>(::dlsym(library_, PLUMB_ENTRY_SYMBOL))();
  }
  ~ContentionTest() override {
    for (const pid_t pid : children_) ::kill(pid, SIGKILL);
    for (const pid_t pid : children_) wait_for(pid);
    ::munmap(&truth_, sizeof(Truth));
    ::dlclose(library_);
  }

  static Truth& map() {
    void* memory =
        ::mmap(nullptr, sizeof(Truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return *new (memory) Truth;
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
      children_.push_back(spawn([&] {
        std::vector<std::thread> threads;
        for (int i = 0; i < kClients; ++i)
          threads.emplace_back([&, i] { client(truth_, database_, i, GetParam().rest); });
        for (std::thread& thread : threads) thread.join();
      }));
      return;
    }
    for (int i = 0; i < kClients; ++i)
      children_.push_back(spawn([&, i] { client(truth_, database_, i, GetParam().rest); }));
  }

  int integrity_check() {
    return wait_for(spawn([&] {
      SQLite::Database db(database_);
      const std::string answer = db.execAndGet("PRAGMA integrity_check").getString();
      const int rows = db.execAndGet("SELECT count(*) FROM t").getInt();
      ::_exit(answer == "ok" && rows == truth_.commits ? 0 : 1);
    }));
  }

  void configure_and_start() {
    ASSERT_EQ(plugin_->create(host_.get(), &self_, &error_), PLUMB_OK);
    plumb_value value{};
    value.struct_size = sizeof(value);
    value.type = PLUMB_OPTION_PATH;
    value.key = "database";
    value.string = database_.c_str();
    const plumb_config config{sizeof(plumb_config), 1, &value, "{}"};
    ASSERT_EQ(plugin_->configure(self_, &config, &error_), PLUMB_OK) << error_.message;
    ASSERT_EQ(plugin_->start(self_, &error_), PLUMB_OK) << error_.message;
  }

  // As the engine does it: one collect per interval, until the clients have ended.
  void sample() {
    rusage before{};
    ::getrusage(RUSAGE_THREAD, &before);
    start_ns_ = monotonic_ns();
    int64_t next_ns = start_ns_;
    while (truth_.running > 0 && truth_.errors == 0) {
      ASSERT_EQ(plugin_->collect(self_, &error_), PLUMB_OK) << error_.message;
      ASSERT_LT(monotonic_ns() - start_ns_, kMostSeconds * 1'000'000'000LL);
      next_ns = std::max(next_ns + kTickNs, monotonic_ns());
      const timespec until{next_ns / 1'000'000'000, next_ns % 1'000'000'000};
      ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
    end_ns_ = monotonic_ns();
    rusage after{};
    ::getrusage(RUSAGE_THREAD, &after);
    const auto used = [](const rusage& r) {
      return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
             static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
    };
    cpu_share_ = (used(after) - used(before)) / (static_cast<double>(end_ns_ - start_ns_) / 1e9);
    ASSERT_EQ(plugin_->stop(self_, end_ns_, &error_), PLUMB_OK) << error_.message;
    plugin_->destroy(self_);
  }

  // Time-weighted mean of a gauge whose samples stand for the time since the one before.
  double mean(const std::string& series) {
    double sum = 0;
    int64_t from = start_ns_;
    for (const SeenSample& sample : host_.samples[series]) {
      sum += sample.value * static_cast<double>(sample.time_ns - from);
      from = sample.time_ns;
    }
    return sum / static_cast<double>(from - start_ns_);
  }

  TemporaryDirectory directory_;
  const std::string database_ = directory_ / "shop.db";
  Truth& truth_;
  void* library_ = nullptr;
  const plumb_plugin* plugin_ = nullptr;
  std::vector<pid_t> children_;
  pid_t writer_ = 0;
  FakeHost host_;
  void* self_ = nullptr;
  plumb_error error_{sizeof(plumb_error), {}};
  int64_t start_ns_ = 0;
  int64_t end_ns_ = 0;
  double cpu_share_ = 0;
};

TEST_P(ContentionTest, HolderOccupancyWaitersAndCommitsAreAsTheyReallyWere) {
  make_database();
  // The watch begins first, so that every commit of the clients falls into it.
  configure_and_start();
  start_clients();
  writer_ = children_.front();
  sample();
  const bool harmed = truth_.errors > 0;
  for (const pid_t pid : std::exchange(children_, {})) EXPECT_EQ(wait_for(pid), 0);
  ASSERT_FALSE(harmed) << "the application must not notice that it is watched";
  EXPECT_EQ(integrity_check(), 0);

  EXPECT_EQ(host_.samples["sqlite_commits_total"].back().value -
                host_.samples["sqlite_commits_total"].front().value,
            kClients * kCycles);
  EXPECT_EQ(truth_.commits, kClients * kCycles);

  const double occupancy = mean_in(truth_.holds.data(), truth_.hold_count, start_ns_, end_ns_);
  const double waiters = mean_in(truth_.waits.data(), truth_.wait_count, start_ns_, end_ns_);
  EXPECT_NEAR(mean("sqlite_write_lock_ratio"), occupancy, 0.05);
  EXPECT_NEAR(mean("sqlite_waiters"), waiters, 1.0);
  int64_t from = start_ns_;
  for (const SeenSample& sample : host_.samples["sqlite_waiters"]) {
    if (sample.time_ns - from > 500'000'000) {
      EXPECT_NEAR(sample.value,
                  mean_in(truth_.waits.data(), truth_.wait_count, from, sample.time_ns), 1.0);
    }
    from = sample.time_ns;
  }

  // Waiters hold the lock too, each for as long as one insert takes.
  const auto rows = nlohmann::json::parse(host_.tables.at("sqlite_lock_holders")).at("rows");
  const pid_t writer = writer_;
  double named = 0;
  for (const auto& row : rows) {
    if (row.at(1) == writer) named += row.at(4).get<double>();
  }
  double writers_truth = 0;
  for (int i = 0; i < truth_.hold_count; ++i) {
    const Span& span = truth_.holds.at(static_cast<size_t>(i));
    if (span.end_ns - span.start_ns >= kHeld.count() * 1'000'000)
      writers_truth += overlap(span, start_ns_, end_ns_);
  }
  writers_truth /= static_cast<double>(end_ns_ - start_ns_);
  EXPECT_GE(named, 0.95 * writers_truth);

  std::printf(
      "%-16s occupancy %.3f (true %.3f)  waiters %.2f (true %.2f)  writer named %.1f%%  "
      "sampler %.2f%% of a core\n",
      GetParam().name, mean("sqlite_write_lock_ratio"), occupancy, mean("sqlite_waiters"), waiters,
      100 * named / writers_truth, 100 * cpu_share_);
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
