#include "plugins/http_load/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace plumb::http_load {
namespace {

using testing::HasSubstr;

class RequestLogTest : public testing::Test {
 protected:
  RequestLogTest() : file_(testing::TempDir() + "requests-" + std::to_string(getpid()) + ".zst") {
    requests_.resize(2);
    requests_[0].name = "home";
    requests_[1].name = "a, \"b\"";
  }
  ~RequestLogTest() override { std::filesystem::remove(file_); }

  static Completion completion(uint32_t endpoint, int64_t intended_ns) {
    Completion c;
    c.endpoint = endpoint;
    c.user = 7;
    c.status = 200;
    c.times.intended_ns = intended_ns;
    c.times.taken_ns = c.times.begun_ns = intended_ns + 1'500;
    c.times.sent_ns = intended_ns + 20'000;
    c.times.first_byte_ns = intended_ns + 3'020'000;
    c.times.finished_ns = intended_ns + 3'500'000;
    c.sent_bytes = 90;
    c.received_bytes = 1'234;
    return c;
  }

  std::string text() const {
    size_t left = 1;
    const std::string out = text_so_far(left);
    EXPECT_EQ(left, 0u) << "the stream is whole";
    return out;
  }
  int64_t rows_so_far() const {
    size_t left = 1;
    const std::string out = text_so_far(left);
    return std::count(out.begin(), out.end(), '\n');
  }
  std::string text_so_far(size_t& left) const {
    std::ifstream in(file_, std::ios::binary);
    std::stringstream compressed;
    compressed << in.rdbuf();
    std::string packed = compressed.str();
    std::string out(1 << 24, 0);
    ZSTD_DStream* stream = ZSTD_createDStream();
    ZSTD_inBuffer from = {packed.data(), packed.size(), 0};
    ZSTD_outBuffer to = {out.data(), out.size(), 0};
    while (from.pos < from.size && ZSTD_isError(left) == 0)
      left = ZSTD_decompressStream(stream, &to, &from);
    ZSTD_freeDStream(stream);
    out.resize(to.pos);
    return out;
  }

  std::string file_;
  std::vector<Request> requests_;
};

TEST_F(RequestLogTest, HasARowForEachRequestWithItsPhases) {
  auto log = RequestLog::open(file_, requests_).value();
  log->begin(1'000'000'000);
  {
    RequestLog::Writer writer(*log);
    writer.add(completion(0, 1'500'250'000), false);
    Completion failed = completion(1, 2'000'000'000);
    failed.error = ErrorClass::kReset;
    failed.status = 0;
    writer.add(failed, true);
  }
  ASSERT_TRUE(log->close().is_ok());
  EXPECT_EQ(text(),
            "start_s,endpoint,user,status,failed,error,response_ms,lag_ms,queue_ms,dns_ms,"
            "connect_ms,tls_ms,send_ms,wait_ms,transfer_ms,sent_bytes,received_bytes\n"
            "0.500250,home,7,200,0,,3.500,0.001,0.000,0.000,0.000,0.000,0.018,3.000,0.480,90,1234\n"
            "1.000000,\"a, \"\"b\"\"\",7,0,1,reset,3.500,0.001,0.000,0.000,0.000,0.000,0.018,3.000,"
            "0.480,90,1234\n");
}

TEST_F(RequestLogTest, TakesRowsFromSeveralWorkers) {
  constexpr int kRows = 20'000;
  auto log = RequestLog::open(file_, requests_).value();
  {
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < 3; ++worker)
      threads.emplace_back([&] {
        RequestLog::Writer writer(*log);
        for (int i = 0; i < kRows; ++i) writer.add(completion(0, i * int64_t{1'000}), false);
      });
  }
  ASSERT_TRUE(log->close().is_ok());
  const std::string all = text();
  EXPECT_EQ(static_cast<uint64_t>(std::count(all.begin(), all.end(), '\n')) + log->dropped(),
            3u * kRows + 1);
  EXPECT_EQ(log->dropped(), 0u);
}

TEST_F(RequestLogTest, CanBeReadWhileTheRunGoesOn) {
  auto log = RequestLog::open(file_, requests_).value();
  RequestLog::Writer writer(*log);
  writer.add(completion(0, 1'000'000'000), false);
  writer.add(completion(1, 2'100'000'000), false);  // over a second later: the first is due
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (rows_so_far() < 3 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(rows_so_far(), 3) << "the heading and both rows";
}

TEST_F(RequestLogTest, TakesTheNameOfAnEarlierLogAndOfNothingElse) {
  ASSERT_TRUE(RequestLog::open(file_, requests_).value()->close().is_ok());
  EXPECT_TRUE(RequestLog::open(file_, requests_).is_ok());
  std::ofstream(file_) << "keep me";
  const auto refused = RequestLog::open(file_, requests_);
  EXPECT_THAT(refused.status().message(), HasSubstr("is there already and is no request log"));
  std::string kept;
  std::getline(std::ifstream(file_), kept);
  EXPECT_EQ(kept, "keep me");
}

TEST_F(RequestLogTest, ThatCannotBeWrittenSaysSo) {
  const auto log = RequestLog::open("/no/such/directory/log", requests_);
  ASSERT_FALSE(log.is_ok());
  EXPECT_THAT(log.status().message(), HasSubstr("cannot write /no/such/directory/log: No such"));
}

TEST_F(RequestLogTest, OnAFullDiskDropsRowsAndGoesOn) {
  std::filesystem::create_symlink("/dev/full", file_);
  auto log = RequestLog::open(file_, requests_).value();
  {
    RequestLog::Writer writer(*log);
    for (int i = 0; i < 200'000; ++i) writer.add(completion(0, i * int64_t{7'919}), false);
  }
  EXPECT_THAT(log->close().message(), HasSubstr("No space left"));
}

}  // namespace
}  // namespace plumb::http_load
