#include "core/host/emitter.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <plumb/plugin.hpp>
#include <thread>
#include <vector>

#include "core/base/unique_fd.h"
#include "core/host/frame.h"
#include "core/host/protocol.h"

namespace plumb::host {
namespace {

class EmitterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ours_.reset(fds[0]);
    theirs_.reset(fds[1]);
    outbox_ = std::make_unique<Outbox>(theirs_.get());
    emitter_ = std::make_unique<Emitter>(*outbox_);
    host_ = Host(emitter_->table());
  }
  // What has reached the other end, by type.
  std::vector<std::pair<FrameType, std::string>> heard() {
    std::vector<std::pair<FrameType, std::string>> out;
    std::string bytes(1 << 20, '\0');
    while (true) {
      outbox_->flush();
      const ssize_t n = ::recv(ours_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (n <= 0) break;
      reader_.append(std::string_view(bytes).substr(0, static_cast<size_t>(n)));
      for (auto frame = reader_.next(); frame.is_ok() && frame->has_value();
           frame = reader_.next()) {
        out.emplace_back((*frame)->type, (*frame)->payload);
      }
    }
    return out;
  }
  size_t heard_of(FrameType type) {
    size_t count = 0;
    for (const auto& frame : heard()) count += frame.first == type ? 1 : 0;
    return count;
  }

  UniqueFd ours_;
  UniqueFd theirs_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Emitter> emitter_;
  FrameReader reader_;
  Host host_;
};

TEST_F(EmitterTest, SignalsAreTakenBetweenOpenAndCloseOnly) {
  const auto series = host_.gauge("a", "1", PLUMB_LAYER_APP);
  ASSERT_TRUE(series.is_ok()) << "a series may be declared at any time";
  EXPECT_FALSE(host_.emit(*series, 1));
  emitter_->open();
  EXPECT_TRUE(host_.emit(*series, 1));
  EXPECT_TRUE(host_.event(PLUMB_INFO, "x", "y"));
  emitter_->close();
  EXPECT_FALSE(host_.emit(*series, 1));
  EXPECT_EQ(heard_of(FrameType::kSamples), 1u);
  EXPECT_EQ(emitter_->losses().refused, 2u);
}

TEST_F(EmitterTest, NullPointersAndShortStructsAreRefused) {
  emitter_->open();
  const plumb_host* table = emitter_->table();
  uint32_t id = 0;
  EXPECT_NE(table->declare_series(table->context, nullptr, &id), PLUMB_OK);
  plumb_series series{};
  EXPECT_NE(table->declare_series(table->context, &series, &id), PLUMB_OK) << "struct_size is 0";
  series.struct_size = sizeof(series);
  EXPECT_NE(table->declare_series(table->context, &series, &id), PLUMB_OK) << "no name";
  series.name = "a";
  series.unit = "1";
  series.kind = PLUMB_KIND_GAUGE;
  series.label_count = 3;
  EXPECT_NE(table->declare_series(table->context, &series, &id), PLUMB_OK) << "labels are null";
  series.label_count = 0;
  EXPECT_NE(table->declare_series(table->context, &series, nullptr), PLUMB_OK);
  EXPECT_EQ(table->declare_series(table->context, &series, &id), PLUMB_OK);
  EXPECT_NE(table->emit_samples(table->context, nullptr, 1), PLUMB_OK);
  EXPECT_NE(table->emit_histogram(table->context, nullptr), PLUMB_OK);
  EXPECT_NE(table->emit_event(table->context, nullptr), PLUMB_OK);
  EXPECT_NE(table->emit_table(table->context, nullptr), PLUMB_OK);
  table->set_health(table->context, PLUMB_HEALTH_OK, nullptr);
  table->log(table->context, 77, nullptr);
  EXPECT_EQ(table->get_extension(table->context, "nothing"), nullptr);
}

TEST_F(EmitterTest, TheExtensionForStacksIsFoundByItsId) {
  const plumb_host* table = emitter_->table();
  const auto* stacks = static_cast<const plumb_stacks_host*>(
      table->get_extension(table->context, "plumb.stacks.v1"));
  ASSERT_NE(stacks, nullptr);
  EXPECT_EQ(stacks->struct_size, sizeof(plumb_stacks_host));
  EXPECT_EQ(table->get_extension(table->context, "plumb.stacks.v2"), nullptr);
  EXPECT_EQ(table->get_extension(table->context, nullptr), nullptr);
}

TEST_F(EmitterTest, ARestCountsOnceAndTheLastOneAskedForCounts) {
  EXPECT_EQ(emitter_->take_rest(), 0);
  host_.rest_until(700);
  host_.rest_until(500);
  EXPECT_EQ(emitter_->take_rest(), 500);
  EXPECT_EQ(emitter_->take_rest(), 0);
  const plumb_host* table = emitter_->table();
  const auto* rest =
      static_cast<const plumb_rest_host*>(table->get_extension(table->context, "plumb.rest.v1"));
  ASSERT_NE(rest, nullptr);
  EXPECT_EQ(rest->struct_size, sizeof(plumb_rest_host));
}

plumb_stacks stacks_of(const std::vector<plumb_stack>& list, int64_t time_ns) {
  plumb_stacks out{};
  out.struct_size = sizeof(out);
  out.layer = PLUMB_LAYER_APP;
  out.start_ns = out.end_ns = time_ns;
  out.profile = "on_cpu";
  out.unit = "seconds";
  out.help = "Time on a processor";
  out.stack_count = static_cast<uint32_t>(list.size());
  out.stacks = list.data();
  return out;
}

TEST_F(EmitterTest, StacksAreCleanedCheckedAndSent) {
  const std::vector<plumb_stack> list = {{"shop;main;a\nb", 0.5}, {"shop;;main", 1}};
  EXPECT_FALSE(host_.stacks(stacks_of(list, host_.now_ns()))) << "before start";
  emitter_->open();
  ASSERT_TRUE(host_.stacks(stacks_of(list, host_.now_ns())).is_ok());
  std::optional<StackBatch> heard_batch;
  for (const auto& [type, payload] : heard())
    if (type == FrameType::kStacks) heard_batch = std::move(decode_stacks(payload)).value();
  ASSERT_TRUE(heard_batch.has_value());
  EXPECT_EQ(heard_batch->stacks[0].frames, "shop;main;a?b");
  EXPECT_EQ(heard_batch->stacks[1].frames, "shop;main");
  EXPECT_EQ(emitter_->losses().dropped, 0u);
}

TEST_F(EmitterTest, StacksThatAreMalformedAreRefusedWithASentence) {
  emitter_->open();
  const int64_t now = host_.now_ns();
  const auto refused = [&](auto&& change) {
    const std::vector<plumb_stack> list = {{"a", 1}};
    plumb_stacks stacks = stacks_of(list, now);
    change(stacks);
    return host_.stacks(stacks).code() == PLUMB_INVALID_ARGUMENT;
  };
  EXPECT_FALSE(refused([](plumb_stacks&) {}));
  EXPECT_TRUE(refused([](plumb_stacks& s) { s.struct_size = 8; }));
  EXPECT_TRUE(refused([](plumb_stacks& s) { s.struct_size = 1 << 20; }));
  EXPECT_TRUE(refused([](plumb_stacks& s) { s.stacks = nullptr; }));
  EXPECT_TRUE(refused([](plumb_stacks& s) { s.profile = nullptr; }));
  EXPECT_TRUE(refused([](plumb_stacks& s) { s.unit = nullptr; }));
  EXPECT_TRUE(refused([](plumb_stacks& s) { s.end_ns = s.start_ns + 3'600'000'000'000; }));
  EXPECT_TRUE(refused([](plumb_stacks& s) { s.start_ns = 0; }));
  const plumb_stack nothing[] = {{nullptr, 1}};
  EXPECT_TRUE(refused([&](plumb_stacks& s) { s.stacks = nothing; }));
  const plumb_stack nameless[] = {{";;", 1}};
  EXPECT_TRUE(refused([&](plumb_stacks& s) { s.stacks = nameless; }));
  const plumb_stack weightless[] = {{"a", 0}};
  EXPECT_TRUE(refused([&](plumb_stacks& s) { s.stacks = weightless; }));
  const auto* extension = static_cast<const plumb_stacks_host*>(
      emitter_->table()->get_extension(emitter_->table()->context, PLUMB_STACKS_EXTENSION));
  EXPECT_EQ(extension->emit_stacks(emitter_->table()->context, nullptr), PLUMB_INVALID_ARGUMENT);
  EXPECT_EQ(emitter_->losses().refused, 11u);
}

TEST_F(EmitterTest, StacksBeyondALimitAreDroppedWholeAndCounted) {
  emitter_->open();
  const std::vector<plumb_stack> many(kMaxStacks + 1, {"a", 1});
  EXPECT_EQ(host_.stacks(stacks_of(many, host_.now_ns())).code(), PLUMB_RESOURCE_EXHAUSTED);
  const std::string long_frames(16'000, 'x');
  const std::vector<plumb_stack> large(kMaxStackBytes / 16'000 + 1, {long_frames.c_str(), 1});
  EXPECT_EQ(host_.stacks(stacks_of(large, host_.now_ns())).code(), PLUMB_RESOURCE_EXHAUSTED);
  EXPECT_EQ(emitter_->losses().dropped, 2u);
  EXPECT_EQ(heard_of(FrameType::kStacks), 0u);
}

// A clock that stands still, so that no budget fills up again.
int64_t noon() { return 43'200'000'000'000; }

TEST_F(EmitterTest, MoreThanTheBudgetIsDroppedAndCountedAndShowsInTheHealth) {
  emitter_ = std::make_unique<Emitter>(*outbox_, &noon);
  host_ = Host(emitter_->table());
  emitter_->open();
  const auto series = host_.gauge("a", "1", PLUMB_LAYER_APP);
  std::vector<plumb_sample> batch(50'000, {series->id, 0, noon(), 1});
  const auto batches = static_cast<int>(kSamplesPerSecond * kBurstSeconds) / 50'000;
  for (int i = 0; i < batches; ++i) {
    EXPECT_TRUE(host_.emit(batch));
    heard();
  }
  EXPECT_EQ(host_.emit(batch).code(), PLUMB_RESOURCE_EXHAUSTED);
  EXPECT_EQ(host_.emit(batch).code(), PLUMB_RESOURCE_EXHAUSTED);
  EXPECT_EQ(emitter_->losses().dropped, 100'000u);
  EXPECT_EQ(heard_of(FrameType::kHealth), 1u);
}

TEST_F(EmitterTest, StacksKeepWithinTheBudgetOfBytes) {
  emitter_ = std::make_unique<Emitter>(*outbox_, &noon);
  host_ = Host(emitter_->table());
  emitter_->open();
  const std::string frames(15'000, 'x');
  const std::vector<plumb_stack> large(200, {frames.c_str(), 1});
  size_t taken = 0;
  while (host_.stacks(stacks_of(large, noon()))) {
    ++taken;
    heard();
    ASSERT_LT(taken, 100u);
  }
  EXPECT_EQ(taken, static_cast<size_t>(kBytesPerSecond * kBurstSeconds / (200.0 * 15'010)));
  EXPECT_EQ(emitter_->losses().dropped, 1u);
}

TEST_F(EmitterTest, AnEngineThatDoesNotReadCostsSignalsAndNoMemoryWithoutBound) {
  emitter_->open();
  const auto series = host_.gauge("a", "1", PLUMB_LAYER_APP);
  std::vector<plumb_sample> batch(20'000, {series->id, 0, host_.now_ns(), 1});
  size_t taken = 0;
  while (host_.emit(batch)) ++taken;
  EXPECT_LE(taken * 20'000 * 20, Outbox::kMostWaiting + (size_t{1} << 20));
  EXPECT_GT(emitter_->losses().dropped, 0u);
}

TEST_F(EmitterTest, TheWorseOfTheTwoHealthsIsToldAndOnlyWhenItChanges) {
  emitter_->set_collecting(PLUMB_HEALTH_DEGRADED, "collecting fails");
  emitter_->set_collecting(PLUMB_HEALTH_DEGRADED, "collecting fails");
  host_.health(PLUMB_HEALTH_DARK, "the server is gone");
  host_.health(PLUMB_HEALTH_OK, "");
  emitter_->set_collecting(PLUMB_HEALTH_OK, "");
  std::vector<std::pair<uint32_t, std::string>> told;
  for (const auto& [type, payload] : heard()) {
    if (type != FrameType::kHealth) continue;
    const auto change = decode_health(payload);
    ASSERT_TRUE(change.is_ok()) << change.status().message();
    told.emplace_back(change->health, change->message);
  }
  EXPECT_EQ(told, (std::vector<std::pair<uint32_t, std::string>>{
                      {PLUMB_HEALTH_DEGRADED, "collecting fails"},
                      {PLUMB_HEALTH_DARK, "the server is gone"},
                      {PLUMB_HEALTH_DEGRADED, "collecting fails"},
                      {PLUMB_HEALTH_OK, ""}}));
}

TEST_F(EmitterTest, TextThatIsNoneIsCleanedBeforeItTravels) {
  emitter_->open();
  host_.log(PLUMB_INFO, "bad \xff byte");
  EXPECT_TRUE(host_.event(PLUMB_INFO, "x", "\xff"));
  for (const auto& [type, payload] : heard()) {
    if (type == FrameType::kLog) {
      EXPECT_EQ(decode_log(payload)->message, "bad ? byte");
    } else if (type == FrameType::kEvent) {
      EXPECT_EQ(decode_event(payload)->message, "?");
    }
  }
}

TEST_F(EmitterTest, ThreadsMayEmitAtOnce) {
  emitter_->open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const auto series = host_.gauge("s" + std::to_string(t), "1", PLUMB_LAYER_APP);
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(host_.emit(*series, i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  size_t series = 0;
  size_t samples = 0;
  for (const auto& frame : heard()) {
    series += frame.first == FrameType::kSeries ? 1 : 0;
    samples += frame.first == FrameType::kSamples ? 1 : 0;
  }
  EXPECT_EQ(series, 4u);
  EXPECT_EQ(samples, 800u);
}

TEST(WorthLoggingTest, LogsLessAndLessOften) {
  std::vector<uint64_t> logged;
  for (uint64_t n = 1; n <= 200; ++n) {
    if (worth_logging(n)) logged.push_back(n);
  }
  EXPECT_EQ(logged, (std::vector<uint64_t>{1, 2, 4, 8, 16, 32, 64, 128, 192}));
}

}  // namespace
}  // namespace plumb::host
