// The whole sampler on a machine made of files, with a clock that the test turns.
#include "plugins/host_metrics/host_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plugins/proc/fake_proc.h"
#include "tests/support/recording_host.h"

namespace plumb::host_metrics {
namespace {

using proc::FakeProc;
using test_support::RecordingHost;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int64_t kMs = 1'000'000;

class OneSocket final : public SocketSource {
 public:
  explicit OneSocket(bool refused) : refused_(refused) {}
  Status open(std::span<const uint16_t>, std::vector<proc::TcpSocket>& out) override {
    if (refused_) return Status::permission_denied("the kernel refused sock_diag");
    proc::TcpSocket s;
    s.family = 2;
    s.state = 1;
    s.local_port = 40000;
    s.peer_port = 5432;
    s.peer = {10, 0, 0, 7};
    s.inode = 77;
    s.has_info = true;
    s.info.data_segments_out = segments;
    s.info.bytes_sent = 1;
    out.push_back(s);
    return Status::ok();
  }
  Status listening(std::vector<proc::TcpSocket>& out) override {
    proc::TcpSocket s;
    s.state = 10;
    s.local_port = 8080;
    s.inode = 55;
    s.receive_queue = waiting;
    s.send_queue = 128;
    out.push_back(s);
    return refused_ ? Status::permission_denied("the kernel refused sock_diag") : Status::ok();
  }
  Status connections(std::vector<proc::TcpSocket>& out) override { return open({}, out); }
  Status again(std::span<const proc::TcpSocket> sockets,
               std::vector<proc::TcpSocket>& out) override {
    for (proc::TcpSocket s : sockets) {
      s.info.data_segments_out = segments;
      if (s.state == 10) s.receive_queue = waiting;
      out.push_back(s);
    }
    return Status::ok();
  }
  uint32_t waiting = 3;   // to be accepted
  uint32_t segments = 1;  // sent over the connection

 private:
  bool refused_;
};

class SomeDelays final : public DelaySource {
 public:
  Result<proc::Delays> of_process(proc::Pid) override {
    return proc::Delays{.runqueue_ns = 0,
                        .block_io_ns = 5 * kMs,
                        .swap_in_ns = 0,
                        .reclaim_ns = 0,
                        .thrashing_ns = 0};
  }
};

class HostMetricsTest : public ::testing::Test {
 protected:
  HostMetricsTest() {
    host_.fake_now = 1000 * 1000 * kMs;
    machine(17000, 3000, 180000);
    tasks_change();
    fake_.write("proc/meminfo",
                "MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 10 kB\nSwapFree: 4 kB\n"
                "Dirty: 3 kB\nWriteback: 1 kB\n");
    fake_.write("proc/vmstat", "pswpin 2\npswpout 3\npgmajfault 4\noom_kill 0\n");
    fake_.write("proc/sys/kernel/task_delayacct", "1\n");
    fake_.write("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    fake_.write("proc/net/sockstat", "sockets: used 9\nTCP: inuse 3 orphan 1 tw 7 alloc 4 mem 1\n");
    fake_.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2400000\n");
    fake_.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "800000\n");
    cgroup("100000 100000", 5, 2, 700000);
    for (const char* resource : {"cpu", "memory", "io"}) {
      fake_.write(std::string("proc/pressure/") + resource,
                  "some avg10=0 avg60=0 avg300=0 total=2500000\n"
                  "full avg10=0 avg60=0 avg300=0 total=0\n");
    }
    disk(10, 40, 3000);
    fake_.write("sys/class/block/vda1/partition", "1\n");
    fake_.write("proc/net/dev", "h\nh\n  eth0: 100 1 0 2 0 0 0 0 200 2 0 3 0 0 0 0\n");
    fake_.write("proc/net/snmp", "Tcp: OutSegs RetransSegs OutRsts EstabResets\nTcp: 900 9 3 2\n");
    fake_.write("proc/net/netstat",
                "TcpExt: ListenOverflows ListenDrops TCPSynRetrans TCPTimeouts\n"
                "TcpExt: 4 6 1 7\n");
    fake_.uptime(1000);
    fake_.write("proc/net/tcp",
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid\n"
                "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 "
                "55 1 0 100 0 0 10 0\n");
    fake_.add({.pid = 5, .ppid = 1, .comm = "plumb-host"});
    fake_.uptime(1000);
  }

  void machine(uint64_t user, uint64_t system, uint64_t idle) {
    const std::string line = " " + std::to_string(user) + " 0 " + std::to_string(system) + " " +
                             std::to_string(idle) + " 0 0 0 0 0 0\n";
    fake_.write("proc/stat", "cpu " + line + "cpu0" + line + "cpu1" + line +
                                 "intr 5 0\nctxt 77\nprocesses 9\nprocs_running 2\n"
                                 "procs_blocked 1\n");
  }
  void disk(uint64_t reads, uint64_t read_ms, uint64_t busy_ms) {
    const auto n = [](uint64_t v) { return std::to_string(v) + " "; };
    fake_.write("proc/diskstats", " 254 0 vda " + n(reads) + "0 100 " + n(read_ms) +
                                      "20 0 200 0 2 " + n(busy_ms) + n(read_ms) +
                                      "\n 254 1 vda1 1 0 1 0 2 0 2 0 0 3 0\n");
  }
  void cgroup(const std::string& quota, int periods, int throttled, int throttled_us) {
    const std::string at = "sys/fs/cgroup/shop.service/";
    fake_.write(at + "cgroup.events", "populated 1\n");
    fake_.write(at + "cpu.max", quota + "\n");
    fake_.write(at + "cpu.stat", "usage_usec 1\nnr_periods " + std::to_string(periods) +
                                     "\nnr_throttled " + std::to_string(throttled) +
                                     "\nthrottled_usec " + std::to_string(throttled_us) + "\n");
    fake_.write(at + "memory.current", "4096\n");
    fake_.write(at + "memory.max", "8192\n");
    fake_.write(at + "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n");
    fake_.write(at + "io.stat", "254:0 rbytes=10 wbytes=20 rios=1 wios=1\n");
    for (const char* resource : {"cpu", "memory", "io"}) {
      fake_.write(at + resource + ".pressure",
                  "some avg10=0 avg60=0 avg300=0 total=9\nfull avg10=0 avg60=0 avg300=0 total=1\n");
    }
  }
  // A task came or went.
  void tasks_change() {
    fake_.write("proc/loadavg", "0.31 0.60 0.27 3/181 " + std::to_string(++last_task_) + "\n");
  }
  void shop(proc::Pid pid, uint64_t start_ticks, uint64_t run_ms, uint64_t wait_ms = 0) {
    tasks_change();
    fake_.add({.pid = pid, .comm = "shop", .user_ticks = run_ms / 10, .start_ticks = start_ticks});
    fake_.thread(pid, pid, run_ms * 1'000'000, wait_ms * 1'000'000, state_);
    fake_.write("proc/" + std::to_string(pid) + "/cgroup", "0::/shop.service\n");
    fake_.write("proc/" + std::to_string(pid) + "/limits", "Max open files 1024 4096 files\n");
    fake_.write("proc/" + std::to_string(pid) + "/smaps_rollup",
                "Rss: 9 kB\nPss: 7 kB\nSwap: 1 kB\n");
    fake_.switches(pid, pid, 1, 1);
    fake_.io(pid, 0, 0);
    fake_.descriptor(pid, 0, "/dev/null");
    fake_.descriptor(pid, 3, "socket:[55]");
    fake_.descriptor(pid, 4, "socket:[77]");
  }
  void begin(const std::string& document, bool sockets_refused = false) {
    plugin_ = make(sockets_refused);
    plumb_config config{};
    config.struct_size = sizeof(config);
    config.document = document.c_str();
    ASSERT_TRUE(plugin_->configure(Config(&config)));
    ASSERT_TRUE(plugin_->start());
  }
  std::unique_ptr<HostMetrics> make(bool sockets_refused) {
    auto sockets = std::make_unique<OneSocket>(sockets_refused);
    sockets_ = sockets.get();
    HostMetrics::Sources sources{fake_.root(), std::move(sockets), std::make_unique<SomeDelays>(),
                                 [this] { return std::optional(clock_offset_); }, 5};
    return std::make_unique<HostMetrics>(Host(host_.get()), std::move(sources));
  }
  void pass_a_second() {
    uptime_ += 1;
    fake_.uptime(uptime_);
    for (int i = 0; i < 10; ++i) {
      *host_.fake_now += 100 * kMs;
      ASSERT_TRUE(plugin_->collect());
    }
  }

  FakeProc fake_;
  RecordingHost host_;
  std::unique_ptr<HostMetrics> plugin_;
  OneSocket* sockets_ = nullptr;
  // Passes a second; how many looks the plugin wants to take in it at least.
  int looks_wanted() {
    int looks = 0;
    for (int i = 0; i < 10; ++i) {
      *host_.fake_now += 100 * kMs;
      looks += host_.rests_until <= *host_.fake_now ? 1 : 0;
      EXPECT_TRUE(plugin_->collect());
    }
    return looks;
  }

  char state_ = 'D';
  double uptime_ = 1000;
  int last_task_ = 24457;
  int64_t clock_offset_ = 1'700'000'000'000'000'000;
};

constexpr const char* kShop = R"({"target":{"url":"http://127.0.0.1:8080","host":"127.0.0.1",
                                             "port":8080}})";

TEST_F(HostMetricsTest, EmitsEverySeriesOfTheContract) {
  shop(10, 100, 0);
  begin(kShop);
  machine(17100, 3020, 180080);
  shop(10, 100, 600, 200);
  disk(14, 100, 3500);
  cgroup("100000 100000", 15, 8, 800000);
  fake_.add({.pid = 30, .comm = "stress", .user_ticks = 40, .start_ticks = 100050});
  pass_a_second();

  EXPECT_EQ(host_.last("host_cpus"), 2);
  EXPECT_EQ(host_.last("host_cpu_busy_ratio"), 0.6);
  EXPECT_EQ(host_.last("host_cpu_seconds_total{mode=user}"), 171.0);
  EXPECT_EQ(host_.last("host_cpu_seconds_total{mode=idle}"), 1800.8);
  EXPECT_EQ(host_.last("host_runnable"), 2);
  EXPECT_EQ(host_.last("host_pressure_seconds_total{kind=some,resource=memory}"), 2.5);
  EXPECT_EQ(host_.last("host_memory_available_bytes"), 400 * 1024);
  EXPECT_EQ(host_.last("host_swap_used_bytes"), 6 * 1024);
  EXPECT_EQ(host_.last("host_disk_busy_seconds_total{device=vda}"), 3.5);
  EXPECT_EQ(host_.last("host_disk_operations_total{device=vda}"), 34);
  EXPECT_EQ(host_.last("host_disk_await_seconds{device=vda}"), 0.015);
  EXPECT_EQ(host_.last("host_disk_busy_ratio{device=vda}"), 0.5);
  EXPECT_EQ(host_.last("host_disk_in_flight{device=vda}"), 2);
  EXPECT_EQ(host_.last("host_core_busy_ratio{core=1}"), 0.6);
  EXPECT_EQ(host_.last("host_cpu_frequency_mean_hertz"), 1.6e9);
  EXPECT_EQ(host_.last("host_cpu_frequency_min_hertz"), 8e8);
  EXPECT_EQ(host_.last("host_memory_dirty_bytes"), 3072);
  EXPECT_EQ(host_.last("host_tcp_sockets{state=time_wait}"), 7);
  EXPECT_EQ(host_.last("host_tcp_sockets{state=established}"), 1);
  EXPECT_EQ(host_.last("target_accept_queue{port=8080}"), 3);
  EXPECT_EQ(host_.last("target_accept_queue_limit{port=8080}"), 128);
  EXPECT_EQ(host_.last("target_quota_processors"), 1);
  EXPECT_NEAR(host_.last("target_throttled_seconds_total").value(), 0.1, 1e-9);
  EXPECT_EQ(host_.last("target_throttled_periods_total"), 6);
  EXPECT_EQ(host_.last("target_periods_total"), 10);
  EXPECT_EQ(host_.last("target_cgroup_memory_limit_bytes"), 8192);
  EXPECT_EQ(host_.last("target_cgroup_memory_events_total{event=oom_kill}"), 0) << "none since";
  EXPECT_EQ(host_.last("target_pss_bytes"), 7168);
  EXPECT_EQ(host_.last("target_threads_in_state{state=uninterruptible}"), 1);
  EXPECT_EQ(host_.last("host_group_cpu_seconds_total{group=target}"), 0.6);
  EXPECT_EQ(host_.last("host_group_cpu_seconds_total{group=stress}"), 0.4);
  // A tenth of a second of the waiting is the quota's; the rest is shared out by use.
  EXPECT_NEAR(host_.last("target_runqueue_beside_seconds_total{group=quota}").value(), 0.1, 1e-9);
  EXPECT_NEAR(host_.last("target_runqueue_beside_seconds_total{group=target}").value(), 0.05, 1e-9);
  EXPECT_FALSE(host_.last("host_disk_operations_total{device=vda1}"));
  EXPECT_EQ(host_.last("host_network_drops_total{interface=eth0}"), 5);
  EXPECT_EQ(host_.last("host_tcp_retransmits_total"), 9);
  EXPECT_EQ(host_.last("host_tcp_listen_overflows_total"), 4);
  EXPECT_EQ(host_.last("host_tcp_timeouts_total"), 7);
  EXPECT_EQ(host_.last("target_processes"), 1);
  EXPECT_EQ(host_.last("target_descriptors"), 3);
  EXPECT_EQ(host_.last("target_descriptors_limit"), 1024);
  EXPECT_EQ(host_.last("target_cpu_seconds_total"), 0.6);
  EXPECT_EQ(host_.last("target_busiest_thread_ratio"), 0.6);
  EXPECT_EQ(host_.last("target_disk_waiting"), 1);
  EXPECT_NEAR(host_.last("others_cpu_seconds_total").value(), 0.6, 1e-9);
  EXPECT_EQ(host_.last("downstream_awaiting{peer=10.0.0.7:5432}"), 1);
  EXPECT_EQ(host_.last("downstream_sockets{peer=10.0.0.7:5432}"), 1);

  std::map<std::string, int> seen;
  for (const auto& [key, points] : host_.points) {
    ++seen[key.substr(0, key.find('{'))];
    for (const auto& point : points) EXPECT_GE(point.value, 0) << key;
  }
  for (const Metric& metric : all_metrics()) EXPECT_TRUE(seen.contains(metric.name)) << metric.name;
  EXPECT_EQ(seen.size(), all_metrics().size());
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host_.health_message;
}

TEST_F(HostMetricsTest, CountersComeOncePerSecondWhateverTheTicks) {
  shop(10, 100, 0);
  begin(kShop);
  pass_a_second();
  pass_a_second();
  EXPECT_EQ(host_.series("target_cpu_seconds_total").size(), 3u);
  EXPECT_EQ(host_.series("downstream_awaiting{peer=10.0.0.7:5432}").size(), 2u);
  EXPECT_EQ(host_.series("host_cpus").size(), 3u);
}

TEST_F(HostMetricsTest, WhatCannotBeReadIsAbsentAndSaid) {
  fake_.remove("proc/pressure");
  fake_.remove("proc/diskstats");
  shop(10, 100, 0);
  fake_.remove("proc/10/task/10/schedstat");
  begin(kShop, true);
  pass_a_second();
  for (const auto& [key, points] : host_.points) {
    EXPECT_THAT(key, Not(StartsWith("host_pressure")));
    EXPECT_THAT(key, Not(StartsWith("host_disk")));
    EXPECT_THAT(key, Not(StartsWith("downstream")));
    EXPECT_NE(key, "target_runqueue_seconds_total");
  }
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED));
  EXPECT_THAT(host_.health_message, HasSubstr("psi=1"));
  EXPECT_THAT(host_.health_message, HasSubstr("diskstats"));
  EXPECT_THAT(host_.health_message, HasSubstr("sock_diag"));
  EXPECT_THAT(host_.health_message, HasSubstr("run-queue"));
  EXPECT_THAT(host_.tables["host"].dump(), HasSubstr("cannot see"));
}

TEST_F(HostMetricsTest, ATargetThatDoesNotRunIsSaidAndFoundWhenItComes) {
  begin(R"({"target":{"process":{"name":"shop"}}})");
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED));
  EXPECT_THAT(host_.health_message, HasSubstr("'shop' does not run now"));
  pass_a_second();
  EXPECT_FALSE(host_.last("target_processes"));
  EXPECT_FALSE(host_.last("others_cpu_seconds_total"));
  shop(10, 100150, 250);
  pass_a_second();
  EXPECT_EQ(host_.last("target_cpu_seconds_total"), 0.25) << "born under watch: it counts whole";
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host_.health_message;
  EXPECT_THAT(host_.events, ElementsAre(StartsWith("target-found: ")));
}

TEST_F(HostMetricsTest, ARestartIsNotedAndTotalsGoOn) {
  shop(10, 100, 0);
  begin(R"({"target":{"process":{"name":"shop"}}})");
  shop(10, 100, 500);
  pass_a_second();
  EXPECT_EQ(host_.last("target_cpu_seconds_total"), 0.5);
  fake_.end(10);
  tasks_change();
  pass_a_second();
  shop(20, 100250, 100);
  pass_a_second();
  EXPECT_NEAR(host_.last("target_cpu_seconds_total").value(), 0.6, 1e-9);
  EXPECT_THAT(host_.events, ElementsAre(HasSubstr("has ended"), StartsWith("target-restarted: ")));
}

TEST_F(HostMetricsTest, WithoutATargetTheMachineIsWatched) {
  begin(R"({"target":{"url":"http://shop.example:80","host":"shop.example","port":80}})");
  machine(17100, 3020, 180080);
  for (int i = 0; i < 5; ++i) pass_a_second();
  EXPECT_EQ(host_.series("host_cpu_busy_ratio").at(0).value, 0.6);
  EXPECT_NEAR(host_.last("others_cpu_seconds_total").value(), 1.2, 1e-9);
  EXPECT_EQ(host_.series("others_cpu_seconds_total").size(), 2u) << "every five seconds";
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host_.health_message;
}

TEST_F(HostMetricsTest, ATargetThatDoesNothingIsLookedAtSeldom) {
  const auto kFewLooks = ::testing::AllOf(::testing::Ge(3), ::testing::Le(6));
  state_ = 'S';
  shop(10, 100, 0);
  begin(kShop);
  sockets_->waiting = 0;
  for (int i = 0; i < 3; ++i) pass_a_second();
  EXPECT_THAT(looks_wanted(), kFewLooks) << "it has a connection";
  sockets_->waiting = 1;
  looks_wanted();
  EXPECT_EQ(looks_wanted(), 10) << "somebody waits to be accepted";
  sockets_->waiting = 0;
  for (int i = 0; i < 3; ++i) pass_a_second();
  EXPECT_THAT(looks_wanted(), kFewLooks);
  ++sockets_->segments;
  looks_wanted();
  EXPECT_EQ(looks_wanted(), 10) << "it has sent something";
  for (int i = 0; i < 3; ++i) pass_a_second();
  shop(10, 100, 500);
  looks_wanted();
  EXPECT_EQ(looks_wanted(), 10) << "it used half a processor";
  for (int i = 0; i < 3; ++i) pass_a_second();
  EXPECT_THAT(looks_wanted(), kFewLooks);
  ASSERT_TRUE(plugin_->stage({PLUMB_STAGE_STEADY, "steady", 0, 0}));
  looks_wanted();
  EXPECT_EQ(looks_wanted(), 10) << "a stage has begun";
}

TEST_F(HostMetricsTest, TheMachineAloneIsLookedAtOnceOrTwiceASecond) {
  begin(R"({"target":{"url":"http://shop.example:80","host":"shop.example","port":80}})");
  pass_a_second();
  const int looks = looks_wanted();
  EXPECT_GE(looks, 2) << "one of them for the counters";
  EXPECT_LE(looks, 3);
}

TEST_F(HostMetricsTest, SeldomLooksAreNotInStepWithWhatRecurs) {
  begin(R"({"target":{"url":"http://shop.example:80","host":"shop.example","port":80}})");
  // Two run at the end of every half second, and only then.
  constexpr int kSeconds = 200;
  for (int i = 0; i < 10 * kSeconds; ++i) {
    *host_.fake_now += 100 * kMs;
    fake_.write("proc/loadavg", i % 5 == 4 ? "0 0 0 3/181 9\n" : "0 0 0 1/181 9\n");
    ASSERT_TRUE(plugin_->collect());
  }
  const auto& means = host_.series("host_runnable");
  EXPECT_EQ(means.size(), static_cast<size_t>(kSeconds)) << "no second without a look";
  double sum = 0;
  for (const auto& point : means) sum += point.value;
  EXPECT_NEAR(sum / kSeconds, 0.4, 0.12);
}

TEST_F(HostMetricsTest, HostileFilesYieldNoSample) {
  shop(10, 100, 0);
  begin(kShop);
  fake_.write("proc/stat", "cpu  999999999999999999999999 0 0 0 0 0 0 0\ncpu0 1\n");
  fake_.write("proc/meminfo", "MemTotal: -5 kB\n");
  fake_.write("proc/net/snmp", std::string(3000, 'T'));
  fake_.write("proc/net/netstat", "TcpExt: A\n");
  fake_.write("proc/diskstats", " 254 0 vda 10 0 18446744073709551615 0 20 0 200 0 0 3000 0\n");
  fake_.write("proc/loadavg", "");
  fake_.write("proc/10/stat", "");
  pass_a_second();
  EXPECT_EQ(host_.series("host_cpus").size(), 1u);
  EXPECT_EQ(host_.series("host_memory_total_bytes").size(), 1u);
  EXPECT_EQ(host_.series("host_disk_operations_total{device=vda}").size(), 1u);
}

TEST_F(HostMetricsTest, TheProcessTableKeepsTheSteadyStage) {
  shop(10, 100, 0);
  begin(kShop);
  ASSERT_TRUE(plugin_->stage({PLUMB_STAGE_STEADY, "steady", 0, 0}));
  fake_.add({.pid = 10, .comm = "shop", .user_ticks = 50, .start_ticks = 100});
  pass_a_second();
  ASSERT_TRUE(plugin_->stage({PLUMB_STAGE_COOLDOWN, "cool-down", 0, 0}));
  const nlohmann::json at_end = host_.tables["processes"];
  EXPECT_EQ(at_end["rows"][0][1], "shop");
  EXPECT_EQ(at_end["rows"][0][3], 0.5);
  pass_a_second();
  ASSERT_TRUE(plugin_->stop(0));
  EXPECT_EQ(host_.tables["processes"], at_end);
}

TEST_F(HostMetricsTest, DisksAndInterfacesThatComeAndGoAreBoundedAndThoseLeftOutAreSaid) {
  const auto generation = [&](int from) {
    std::string interfaces = "h\nh\n";
    std::string disks;
    for (int i = from; i < from + 40; ++i) {
      const std::string n = std::to_string(i);
      interfaces += "  veth" + n + ": 100 1 0 2 0 0 0 0 200 2 0 3 0 0 0 0\n";
      disks += " 43 0 rbd" + n + " 5 0 100 9 20 0 200 0 2 5 5\n";
    }
    fake_.write("proc/net/dev", interfaces);
    fake_.write("proc/diskstats", disks);
  };
  generation(0);
  begin(R"({"target":{}})");
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host_.health_message;
  for (const int from : {40, 80, 0}) {
    generation(from);
    pass_a_second();
  }
  const auto labelled = [&](const std::string& name) {
    return std::count_if(host_.points.begin(), host_.points.end(),
                         [&](const auto& series) { return series.first.starts_with(name + "{"); });
  };
  EXPECT_EQ(labelled("host_network_received_bytes_total"), 64);
  EXPECT_EQ(labelled("host_disk_operations_total"), 64);
  EXPECT_EQ(host_.series("host_disk_operations_total{device=rbd0}").size(), 2u) << "seen again";
  for (const char* left_out : {"64 disks were seen: rbd64 ", "interfaces were seen: veth64 "}) {
    EXPECT_THAT(host_.health_message, HasSubstr(left_out));
    EXPECT_THAT(host_.tables["host"].dump(), HasSubstr(left_out));
  }
}

TEST_F(HostMetricsTest, ATargetThatIsNotSeenAnyMoreIsNotSaidToHaveEnded) {
  shop(10, 100, 0);
  begin(kShop);
  // The port is now another socket's, that nobody here holds.
  fake_.write("proc/net/tcp",
              "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid\n"
              "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 "
              "56 1 0 100 0 0 10 0\n");
  for (int i = 0; i < 12; ++i) {
    fake_.add({.pid = 100 + i});
    tasks_change();
    pass_a_second();
  }
  EXPECT_THAT(host_.events, ElementsAre(::testing::AllOf(HasSubstr("not seen any more: port 8080"),
                                                         Not(HasSubstr("has ended")))));
  EXPECT_THAT(host_.health_message, HasSubstr("port 8080 has a listener, but"));
  EXPECT_THAT(host_.tables["host"].dump(), HasSubstr("port 8080 has a listener, but"));
}

TEST_F(HostMetricsTest, StopWithoutStartIsLegal) { EXPECT_TRUE(make(false)->stop(0)); }

}  // namespace
}  // namespace plumb::host_metrics
