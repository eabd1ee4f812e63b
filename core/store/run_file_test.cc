#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/store/batch_codec.h"
#include "core/store/run_file.h"

namespace plumb::store {
namespace {

namespace fs = std::filesystem;

class RunFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "plumb-store-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
    file_ = dir_ / "runs" / "one.plumb";
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::unique_ptr<RunWriter> create() {
    RunHeader header;
    header.id = "20261120T104512Z-7f3a";
    header.name = "shop";
    header.started_ns = 1000;
    header.plan = {{"name", "shop"}};
    auto writer = RunWriter::create(file_, header);
    EXPECT_TRUE(writer.is_ok()) << writer.status().message();
    return std::move(writer).value();
  }

  static void say_something(RunWriter& writer) {
    SeriesInfo series;
    series.id = 7;
    series.plugin = "host_metrics";
    series.name = "host_cpu_busy_ratio";
    series.labels = {{"cpu", "0"}};
    writer.on_series(series);
    writer.on_samples({{7, 2000, 0.25}, {7, 3000, 0.5}});
    HistogramRecord h{7, 2000, 3000, Histogram()};
    h.histogram.record(1'234'567, 3);
    writer.on_histogram(h);
    writer.on_table({"pg_stats", 3000, "pg_waits", "{}"});
    writer.on_health({"pg_stats", 3000, PLUMB_HEALTH_DARK, "killed by SIGSEGV"});
    writer.on_stage({PLUMB_STAGE_STEADY, "steady", 2000, 3000});
  }

  fs::path dir_;
  fs::path file_;
};

void expect_it_was_heard(const RunData& run) {
  EXPECT_EQ(run.header.id, "20261120T104512Z-7f3a");
  ASSERT_EQ(run.series.size(), 1u);
  EXPECT_EQ(run.series[0].info.labels, (Labels{{"cpu", "0"}}));
  EXPECT_EQ(run.series[0].values, (std::vector<double>{0.25, 0.5}));
  ASSERT_EQ(run.series[0].histograms.size(), 1u);
  EXPECT_EQ(run.series[0].histograms[0].histogram.count(), 3u);
  EXPECT_EQ(run.series[0].histograms[0].histogram.maximum(), 1'234'567u);
  ASSERT_EQ(run.health.size(), 1u);
  EXPECT_EQ(run.health[0].message, "killed by SIGSEGV");
  ASSERT_EQ(run.stages.size(), 1u);
  EXPECT_EQ(run.stages[0].kind, uint32_t{PLUMB_STAGE_STEADY});
}

TEST_F(RunFile, GivesBackWhatWasWritten) {
  auto writer = create();
  say_something(*writer);
  ASSERT_TRUE(writer->finish(RunState::kFinished).is_ok());
  auto run = read_run(file_);
  ASSERT_TRUE(run.is_ok()) << run.status().message();
  EXPECT_EQ(run->state, RunState::kFinished);
  expect_it_was_heard(*run);
  EXPECT_FALSE(fs::exists(file_.string() + "-wal")) << "a finished run is one file";
}

TEST_F(RunFile, GivesBackHistogramsInTheOrderOfTheirTime) {
  const auto writer = create();
  say_something(*writer);  // one in the middle of the two that follow
  for (const int64_t start : {4000, 1000}) {
    HistogramRecord h{7, start, start + 1000, Histogram()};
    h.histogram.record(1);
    writer->on_histogram(h);
  }
  ASSERT_TRUE(writer->finish(RunState::kFinished).is_ok());
  const auto run = read_run(file_);
  ASSERT_TRUE(run.is_ok()) << run.status().message();
  std::vector<int64_t> starts;
  for (const HistogramRecord& h : run->series[0].histograms) starts.push_back(h.start_ns);
  EXPECT_EQ(starts, (std::vector<int64_t>{1000, 2000, 4000}));
}

TEST_F(RunFile, IsReadableWhileItIsBeingWritten) {
  auto writer = create();
  say_something(*writer);
  ASSERT_TRUE(writer->flush().is_ok());
  auto run = read_run(file_);
  ASSERT_TRUE(run.is_ok()) << run.status().message();
  EXPECT_EQ(run->state, RunState::kRunning);
  expect_it_was_heard(*run);
}

TEST_F(RunFile, OutlivesAWriterKilledInMidRun) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto writer = create();
    say_something(*writer);
    const bool written = writer->flush().is_ok();
    (void)!write(ready[1], written ? "y" : "n", 1);
    pause();
    _exit(0);
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  ASSERT_EQ(answer, 'y');
  const auto written = fs::last_write_time(file_);
  auto run = read_run(file_);
  ASSERT_TRUE(run.is_ok()) << run.status().message();
  EXPECT_EQ(run->state, RunState::kRunning);
  expect_it_was_heard(*run);
  EXPECT_EQ(fs::last_write_time(file_), written) << "reading changes nothing";
}

TEST_F(RunFile, RefusesToOverwriteARun) {
  auto first = create();
  auto second = RunWriter::create(file_, RunHeader{});
  ASSERT_FALSE(second.is_ok());
  EXPECT_NE(second.status().message().find("exists already"), std::string::npos);
}

TEST_F(RunFile, SaysWhatAForeignFileIs) {
  fs::create_directories(file_.parent_path());
  {
    SQLite::Database db(file_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec("CREATE TABLE t(x)");
  }
  auto run = read_run(file_);
  ASSERT_FALSE(run.is_ok());
  EXPECT_NE(run.status().message().find("not a run of plumb"), std::string::npos);
  std::ofstream(dir_ / "text.plumb") << "hello, this is no database at all, but long enough text";
  EXPECT_FALSE(read_run(dir_ / "text.plumb").is_ok());
  EXPECT_EQ(read_run(dir_ / "absent.plumb").status().code(), PLUMB_NOT_FOUND);
}

TEST_F(RunFile, ReplacesStagesByHowTheyWent) {
  auto writer = create();
  say_something(*writer);
  ASSERT_TRUE(writer->flush().is_ok());
  writer->set_stages({{PLUMB_STAGE_STEADY, "steady", 2000, 2500}});
  ASSERT_TRUE(writer->finish(RunState::kInterrupted).is_ok());
  auto run = read_run(file_);
  ASSERT_TRUE(run.is_ok());
  ASSERT_EQ(run->stages.size(), 1u);
  EXPECT_EQ(run->stages[0].end_ns, 2500);
}

TEST_F(RunFile, KeepsADocumentPutIntoItAfterwards) {
  ASSERT_TRUE(create()->finish(RunState::kFinished).is_ok());
  ASSERT_TRUE(put_document(file_, "analysis", {{"status", "ok"}}).is_ok());
  auto run = read_run_header(file_);
  ASSERT_TRUE(run.is_ok());
  EXPECT_EQ(run->documents.at("analysis").at("status"), "ok");
}

StackBatch stacks_at(int64_t time_ns, std::vector<FoldedStack> stacks) {
  return {"stack_profile", "on_cpu", "seconds",      "Time on a processor",
          PLUMB_LAYER_APP, time_ns,  time_ns + 1000, std::move(stacks)};
}

std::vector<StackBatch> stacks_of(const RunData& run) {
  std::vector<StackBatch> out;
  if (!run.stacks) return out;
  const Status status = run.stacks([&](const StackBatch& batch) {
    out.push_back(batch);
    return Status::ok();
  });
  EXPECT_TRUE(status.is_ok()) << status.message();
  return out;
}

TEST_F(RunFile, GivesBackStacksBatchByBatchWhenItIsAsked) {
  auto writer = create();
  say_something(*writer);
  writer->on_stacks(stacks_at(2000, {{"shop;main;a b", 0.1}, {"shop;päckchen", 1e-9}}));
  ASSERT_TRUE(writer->flush().is_ok());
  writer->on_stacks(stacks_at(3000, {}));
  ASSERT_TRUE(writer->finish(RunState::kFinished).is_ok());
  for (const bool whole : {true, false}) {
    auto run = whole ? read_run(file_) : read_run_header(file_);
    ASSERT_TRUE(run.is_ok()) << run.status().message();
    const std::vector<StackBatch> batches = stacks_of(*run);
    ASSERT_EQ(batches.size(), 2u);
    EXPECT_EQ(batches[0].plugin, "stack_profile");
    EXPECT_EQ(batches[0].profile, "on_cpu");
    EXPECT_EQ(batches[0].unit, "seconds");
    EXPECT_EQ(batches[0].help, "Time on a processor");
    EXPECT_EQ(batches[0].layer, uint32_t{PLUMB_LAYER_APP});
    EXPECT_EQ(batches[0].start_ns, 2000);
    EXPECT_EQ(batches[0].end_ns, 3000);
    ASSERT_EQ(batches[0].stacks.size(), 2u);
    EXPECT_EQ(batches[0].stacks[0].frames, "shop;main;a b");
    EXPECT_EQ(batches[0].stacks[0].weight, 0.1) << "to the last bit";
    EXPECT_EQ(batches[0].stacks[1].weight, 1e-9);
    EXPECT_TRUE(batches[1].stacks.empty());
  }
}

TEST_F(RunFile, ReadingStopsAtTheFirstBatchThatIsNotTaken) {
  auto writer = create();
  for (int i = 0; i < 3; ++i) writer->on_stacks(stacks_at(2000 + i, {{"a", 1}}));
  ASSERT_TRUE(writer->flush().is_ok());
  const auto run = read_run(file_);
  ASSERT_TRUE(run.is_ok());
  int seen = 0;
  const Status status = run->stacks(
      [&](const StackBatch&) { return ++seen == 2 ? Status::cancelled("enough") : Status::ok(); });
  EXPECT_EQ(status.message(), "enough");
  EXPECT_EQ(seen, 2);
}

TEST_F(RunFile, ARunWithoutStacksSaysSoAtOnce) {
  auto writer = create();
  say_something(*writer);
  ASSERT_TRUE(writer->finish(RunState::kFinished).is_ok());
  EXPECT_FALSE(read_run(file_)->stacks);
}

TEST_F(RunFile, AFileOfVersionOneIsStillRead) {
  auto writer = create();
  say_something(*writer);
  ASSERT_TRUE(writer->finish(RunState::kFinished).is_ok());
  {
    SQLite::Database db(file_.string(), SQLite::OPEN_READWRITE);
    db.exec("DROP TABLE stacks; PRAGMA user_version=1;");
  }
  auto run = read_run(file_);
  ASSERT_TRUE(run.is_ok()) << run.status().message();
  expect_it_was_heard(*run);
  EXPECT_FALSE(run->stacks);
  EXPECT_TRUE(put_document(file_, "analysis", {{"status", "ok"}}).is_ok());
}

TEST_F(RunFile, ANewerVersionIsRefusedWithAWayOut) {
  ASSERT_TRUE(create()->finish(RunState::kFinished).is_ok());
  {
    SQLite::Database db(file_.string(), SQLite::OPEN_READWRITE);
    db.exec("PRAGMA user_version=" + std::to_string(kSchemaVersion + 1));
  }
  EXPECT_NE(read_run(file_).status().message().find("newer plumb"), std::string::npos);
}

TEST_F(RunFile, DamagedOrVanishedStacksAreAFailureAndNoCrash) {
  auto writer = create();
  writer->on_stacks(stacks_at(2000, {{"a;b", 1}}));
  ASSERT_TRUE(writer->finish(RunState::kFinished).is_ok());
  {
    SQLite::Database db(file_.string(), SQLite::OPEN_READWRITE);
    db.exec("UPDATE stacks SET data = x'28b52ffd00'");
  }
  const auto run = read_run(file_);
  ASSERT_TRUE(run.is_ok()) << "all else can be read";
  const auto ignore = [](const StackBatch&) { return Status::ok(); };
  EXPECT_FALSE(run->stacks(ignore));
  fs::remove(file_);
  EXPECT_FALSE(run->stacks(ignore));
}

TEST(BatchCodec, RefusesStacksThatAreNone) {
  std::vector<FoldedStack> out;
  const std::string blob = encode_stacks({{"a;b", 0.5}, {"c", 2}});
  ASSERT_TRUE(decode_stacks(blob, out).is_ok());
  EXPECT_EQ(out.size(), 2u);
  for (size_t size = 0; size < blob.size(); ++size)
    EXPECT_FALSE(decode_stacks(blob.substr(0, size), out).is_ok()) << size;
  for (const double weight : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    EXPECT_FALSE(decode_stacks(encode_stacks({{"a", weight}}), out).is_ok()) << weight;
  EXPECT_FALSE(decode_stacks(encode_stacks({{"", 1}}), out).is_ok());
  EXPECT_FALSE(decode_stacks(encode_stacks({{"a\nb", 1}}), out).is_ok()) << "a line without weight";
  EXPECT_FALSE(decode_stacks(encode_samples({{1, 2, 3}}), out).is_ok());
  // A text that claims to be larger than any emission is not unpacked.
  EXPECT_FALSE(decode_stacks(encode_stacks({{std::string(20 << 20, 'x'), 1}}), out).is_ok());
}

TEST(BatchCodec, RefusesDamagedBatches) {
  std::vector<Sample> samples(100, Sample{1, 2, 3.0});
  std::string blob = encode_samples(samples);
  std::vector<Sample> out;
  EXPECT_TRUE(decode_samples(blob, out).is_ok());
  EXPECT_EQ(out.size(), 100u);
  EXPECT_FALSE(decode_samples(blob.substr(0, blob.size() / 2), out).is_ok());
  EXPECT_FALSE(decode_samples("", out).is_ok());
  std::vector<HistogramRecord> histograms;
  EXPECT_FALSE(decode_histograms(blob, histograms).is_ok()) << "samples are no histograms";
}

}  // namespace
}  // namespace plumb::store
