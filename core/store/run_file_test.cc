#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

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
