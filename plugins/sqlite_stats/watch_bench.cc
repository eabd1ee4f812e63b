// What watching costs, and what it does to a real writer: paired, alternating stretches with and
// without the watcher.
//
//   sqlite_watch_bench [--plugin FILE] [--pairs N] [--seconds S] [--writers N] [--idle]
//
// Prints the watcher's share of one core, and the change of the writers' commits per second with
// its 95% interval.
#include <SQLiteCpp/SQLiteCpp.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "child.h"
#include "fake_files.h"
#include "plugin_run.h"

namespace plumb::sqlite_stats {
namespace {

struct Arguments {
  std::string plugin = PLUMB_SQLITE_STATS;
  int pairs = 20;
  double seconds = 2;
  int writers = 1;
  bool idle = false;
};

Arguments arguments_of(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--idle") {
      out.idle = true;
      continue;
    }
    ++i;
    if (word == "--plugin") out.plugin = value;
    if (word == "--pairs") out.pairs = std::atoi(value);
    if (word == "--seconds") out.seconds = std::atof(value);
    if (word == "--writers") out.writers = std::atoi(value);
  }
  return out;
}

struct Counts {
  std::atomic<uint64_t> commits{0};
  std::atomic<int64_t> cpu_ns{0};
  std::atomic<bool> end{false};
};

void write(const std::string& database, Counts& counts) {
  SQLite::Database db(database, SQLite::OPEN_READWRITE, 10'000);
  db.exec("PRAGMA synchronous=NORMAL");
  int64_t told_ns = 0;
  while (!counts.end) {
    db.exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (randomblob(100)); COMMIT");
    ++counts.commits;
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    const int64_t used_ns = used.tv_sec * 1'000'000'000LL + used.tv_nsec;
    counts.cpu_ns += used_ns - std::exchange(told_ns, used_ns);
  }
}

struct Rates {
  double per_second = 0;
  double per_cpu_second = 0;
};

Rates rates_of(Counts& counts, double seconds, const std::function<void()>& meanwhile) {
  const uint64_t commits_before = counts.commits;
  const int64_t cpu_before = counts.cpu_ns;
  const int64_t begun = monotonic_ns();
  if (meanwhile) {
    meanwhile();
  } else {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  }
  const auto commits = static_cast<double>(counts.commits - commits_before);
  const auto cpu_ns = static_cast<double>(counts.cpu_ns - cpu_before);
  return {commits / (static_cast<double>(monotonic_ns() - begun) / 1e9), commits / (cpu_ns / 1e9)};
}

// Of paired changes, as logarithms of ratios.
class Change {
 public:
  void add(double watched, double unwatched) {
    const double change = std::log(watched / unwatched);
    ++count_;
    sum_ += change;
    squares_ += change * change;
  }
  void print(const char* what) const {
    const double mean = sum_ / count_;
    const double variance = std::max(0.0, squares_ / count_ - mean * mean);
    const double margin = 1.96 * std::sqrt(variance / std::max(1.0, count_ - 1));
    std::printf("   %s %+.2f%% (95%%: %+.2f%% to %+.2f%%)", what, 100 * mean, 100 * (mean - margin),
                100 * (mean + margin));
  }

 private:
  double count_ = 0;
  double sum_ = 0;
  double squares_ = 0;
};

int run(const Arguments& arguments) {
  const TemporaryDirectory directory;
  const std::string database = directory / "shop.db";
  Shared<Counts> counts;
  Children children;
  const int made = wait_for(spawn([&] {
    SQLite::Database db(database, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec("PRAGMA journal_mode=WAL");
    db.exec("CREATE TABLE t (x)");
  }));
  if (made != 0) return 1;
  constexpr unsigned kMostSeconds = 3600;
  if (arguments.idle) {
    children.add(
        [&] {
          SQLite::Database db(database, SQLite::OPEN_READWRITE);
          db.execAndGet("SELECT count(*) FROM t");
          while (!counts->end) std::this_thread::sleep_for(std::chrono::milliseconds(100));
        },
        kMostSeconds);
  }
  for (int i = 0; !arguments.idle && i < arguments.writers; ++i)
    children.add([&] { write(database, *counts); }, kMostSeconds);

  PluginRun plugin(arguments.plugin);
  plugin.start({.database = database});
  double cpu = 0;
  Change by_time;
  Change by_cpu;
  const std::function<void()> nothing;
  const std::function<void()> watch = [&] {
    plugin.collect_for(static_cast<int64_t>(arguments.seconds * 1e9));
    cpu += plugin.cpu_share;
  };
  for (int i = 0; i < arguments.pairs; ++i) {
    // Now one comes first and now the other, so that a trend touches both alike.
    const bool watched_first = i % 2 == 0;
    const Rates first = rates_of(*counts, arguments.seconds, watched_first ? watch : nothing);
    const Rates second = rates_of(*counts, arguments.seconds, watched_first ? nothing : watch);
    const Rates& watched = watched_first ? first : second;
    const Rates& unwatched = watched_first ? second : first;
    if (arguments.idle) continue;
    by_time.add(watched.per_second, unwatched.per_second);
    by_cpu.add(watched.per_cpu_second, unwatched.per_cpu_second);
  }
  const uint64_t commits = counts->commits;
  counts->end = true;
  children.all_ended_well();
  plugin.stop();
  std::printf("watcher: %.3f%% of one core", 100 * cpu / arguments.pairs);
  if (!arguments.idle) {
    std::printf("   commits %.0f/s",
                static_cast<double>(commits) / (2 * arguments.pairs * arguments.seconds));
    by_time.print("change when watched");
    by_cpu.print("per processor second");
  }
  std::printf("\n");
  return 0;
}

}  // namespace
}  // namespace plumb::sqlite_stats

int main(int argc, char** argv) {
  return plumb::sqlite_stats::run(plumb::sqlite_stats::arguments_of(argc, argv));
}
