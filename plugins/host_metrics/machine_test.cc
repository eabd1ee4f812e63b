#include "plugins/host_metrics/machine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plugins/host_metrics/cpu_frequency.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

constexpr std::string_view kStat =
    "cpu  17564 10 3384 187771 2086 5 108 34 7 0\n"
    "cpu0 8368 5 1720 94093 1230 2 25 16 7 0\n"
    "cpu1 9196 5 1664 93678 856 3 83 18 0 0\n"
    "intr 543687 0 0\nctxt 919274\nbtime 1795218068\nprocesses 24457\nprocs_running 3\n";

TEST(Machine, ProcessorTicksByMode) {
  const auto cpu = parse_cpu(kStat);
  ASSERT_TRUE(cpu);
  EXPECT_EQ(cpu->user, 17574u);
  EXPECT_EQ(cpu->system, 3384u);
  EXPECT_EQ(cpu->interrupt, 113u);
  EXPECT_EQ(cpu->idle, 187771u);
  EXPECT_EQ(cpu->iowait, 2086u);
  EXPECT_EQ(cpu->steal, 34u);
  EXPECT_EQ(cpu->cpus, 2u);
}

TEST(Machine, BusyRatioOfTwoReadings) {
  CpuTicks before;
  before.user = 100;
  before.idle = 100;
  before.iowait = 10;
  CpuTicks now = before;
  now.user += 60;
  now.system += 20;
  now.steal += 20;
  now.idle += 110;
  now.iowait -= 10;  // the kernel lets it slip back
  EXPECT_DOUBLE_EQ(busy_ratio(before, now).value(), 0.5);
  EXPECT_EQ(busy_ratio(now, before), std::nullopt);
  EXPECT_EQ(busy_ratio(now, now), std::nullopt);
}

TEST(Machine, TornProcessorLinesGiveNothing) {
  for (const size_t length : {size_t{0}, size_t{3}, size_t{20}, kStat.find('\n')}) {
    EXPECT_FALSE(parse_cpu(kStat.substr(0, length))) << length;
  }
  EXPECT_FALSE(parse_cpu("cpu  1 2 3 -4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8\n"));
  EXPECT_FALSE(parse_cpu("cpu  99999999999999999999999 2 3 4 5 6 7 8\ncpu0 1\n"));
}

TEST(Machine, RunnableTasks) {
  EXPECT_EQ(parse_runnable("0.31 0.60 0.27 3/181 24457\n"), 3u);
  EXPECT_FALSE(parse_runnable("0.31 0.60"));
  EXPECT_FALSE(parse_runnable("0.31 0.60 0.27 x/181 24457\n"));
}

TEST(Machine, Memory) {
  const auto m = parse_memory(
      "MemTotal:       24682416 kB\nMemFree:        23259500 kB\nMemAvailable:   23969520 kB\n"
      "SwapTotal:          2048 kB\nSwapFree:           1024 kB\n");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->total, uint64_t{24682416} * 1024);
  EXPECT_EQ(m->available, uint64_t{23969520} * 1024);
  EXPECT_EQ(m->swap_used, 1024u * 1024);
  EXPECT_FALSE(parse_memory("MemTotal: 24682416 kB\nMemAvail"));
}

TEST(Machine, PressureTotals) {
  const auto p = parse_pressure(
      "some avg10=24.12 avg60=19.12 avg300=5.92 total=23900986\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=12\n");
  ASSERT_TRUE(p);
  EXPECT_EQ(p->some_us, 23900986u);
  EXPECT_EQ(p->full_us, 12u);
  const auto old = parse_pressure("some avg10=0 avg60=0 avg300=0 total=5\nfull avg10=0.00 avg6");
  ASSERT_TRUE(old);
  EXPECT_FALSE(old->full_us);
  EXPECT_FALSE(parse_pressure(""));
}

TEST(Machine, DisksInBytesAndMilliseconds) {
  const auto disks = parse_disks(
      "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
      " 254       0 vda 100472 21300 3606514 27083 66318 21636 3067160 10562 0 23060 38273 9660\n"
      " 254       1 vda1 torn\n"
      " 259       0 nvme0n1 1 2 3 4 5 6 7");
  ASSERT_EQ(disks.size(), 2u);
  EXPECT_EQ(disks[1].device, "vda");
  EXPECT_EQ(disks[1].operations, 100472u + 66318u);
  EXPECT_EQ(disks[1].read_bytes, uint64_t{3606514} * 512);
  EXPECT_EQ(disks[1].written_bytes, uint64_t{3067160} * 512);
  EXPECT_EQ(disks[1].busy_ms, 23060u);
}

TEST(Machine, InterfacesWithoutLoopback) {
  const auto interfaces = parse_interfaces(
      "Inter-|   Receive                            |  Transmit\n"
      " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop\n"
      "    lo:    5063      50    0    0    0     0          0         0     5063      50    0    "
      "0 0\n"
      "  eth0: 259990483    9821    0    3    0     0          0         0   543113    7481    0   "
      " 4 0\n"
      "  eth1: 12 13");
  ASSERT_EQ(interfaces.size(), 1u);
  EXPECT_EQ(interfaces[0].name, "eth0");
  EXPECT_EQ(interfaces[0].received_bytes, 259990483u);
  EXPECT_EQ(interfaces[0].sent_bytes, 543113u);
  EXPECT_EQ(interfaces[0].drops, 7u);
}

std::optional<uint64_t> counter_of(std::string_view text, std::string_view protocol,
                                   std::string_view key) {
  std::optional<uint64_t> value;
  parse_protocol_counters(text, protocol, {&key, 1}, {&value, 1});
  return value;
}

TEST(Machine, ProtocolCountersAreFoundByName) {
  constexpr std::string_view kSnmp =
      "Ip: Forwarding DefaultTTL\nIp: 2 64\n"
      "Tcp: RtoAlgorithm MaxConn RetransSegs InErrs\nTcp: 1 -1 42 0\n";
  EXPECT_EQ(counter_of(kSnmp, "Tcp", "RetransSegs"), 42u);
  EXPECT_FALSE(counter_of(kSnmp, "Tcp", "ListenOverflows"));
  EXPECT_FALSE(counter_of(kSnmp, "TcpExt", "ListenOverflows"));
  EXPECT_FALSE(counter_of("Tcp: A RetransSegs\nTcp: 1 4", "Tcp", "RetransSegs"));
  EXPECT_FALSE(counter_of("Tcp: A RetransSegs\n", "Tcp", "RetransSegs"));
}

TEST(Machine, EachProcessor) {
  std::vector<CoreTicks> cores;
  parse_cores(kStat, cores);
  ASSERT_EQ(cores.size(), 2u);
  EXPECT_EQ(cores[1].core, 1u);
  EXPECT_EQ(cores[1].busy, 9196u + 5 + 1664 + 3 + 83 + 18);
  EXPECT_EQ(cores[1].idle, 93678u + 856);
  CoreTicks later = cores[1];
  later.busy += 30;
  later.idle += 10;
  EXPECT_EQ(busy_ratio(cores[1], later), 0.75);
  EXPECT_FALSE(busy_ratio(later, cores[1]));
  parse_cores("cpu 1\ncpu0 1 2 3\ncpux 1 2 3 4 5 6 7 8\ncpu1 1 2 3 4 5 6 7", cores);
  EXPECT_TRUE(cores.empty());
}

TEST(Machine, SchedulingAndPaging) {
  const Scheduling s = parse_scheduling(kStat);
  EXPECT_EQ(s.context_switches, 919274u);
  EXPECT_EQ(s.forks, 24457u);
  EXPECT_FALSE(s.blocked);
  const Paging p = parse_paging("nr_free_pages 5\npswpin 1\npswpout 2\npgmajfault 3\noom_ki");
  EXPECT_EQ(p.swapped_in_pages, 1u);
  EXPECT_EQ(p.swapped_out_pages, 2u);
  EXPECT_EQ(p.major_faults, 3u);
  EXPECT_FALSE(p.oom_kills);
  EXPECT_FALSE(parse_paging("pswpin -1\n").swapped_in_pages);
}

TEST(Machine, SeveralCountersOfAProtocolAtOnce) {
  const std::string_view keys[] = {"B", "missing", "A"};
  std::optional<uint64_t> values[3];
  parse_protocol_counters("Ip: A\nIp: 9\nTcp: A B\nTcp: 1 2\n", "Tcp", keys, values);
  EXPECT_EQ(values[0], 2u);
  EXPECT_FALSE(values[1]);
  EXPECT_EQ(values[2], 1u);
  parse_protocol_counters("Tcp: A B\nTcp: 1 2", "Tcp", keys, values);
  EXPECT_FALSE(values[0]) << "torn";
}

TEST(Machine, ClockFrequenciesAreLookedForAtTheFirstReadingAndNotBefore) {
  proc::FakeProc fake;
  CpuFrequency frequency(fake.root());
  fake.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2400000\n");
  fake.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "800000\n");
  const auto reading = frequency.read();
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->mean_hertz, 1.6e9);
  EXPECT_EQ(reading->least_hertz, 8e8);
}

TEST(Machine, SocketTotalsAndPorts) {
  const auto s = parse_sockstat("sockets: used 15\nTCP: inuse 1 orphan 4 tw 102 alloc 1 mem 0\n");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->time_wait, 102u);
  EXPECT_EQ(s->orphans, 4u);
  EXPECT_FALSE(parse_sockstat("TCP: inuse 1 orphan 4 tw 1"));
  EXPECT_FALSE(parse_sockstat("TCP: inuse x tw 5\n"));
  EXPECT_EQ(parse_port_range("32768\t60999\n")->size(), 28232u);
  EXPECT_FALSE(parse_port_range("60999 32768\n"));
  EXPECT_FALSE(parse_port_range("1 99999\n"));
}

TEST(Machine, DisksTellWaitingAndQueue) {
  const auto disks = parse_disks(" 254 0 vda 10 0 100 40 20 0 200 60 2 3000 777 0 0 0 0 5 1\n");
  ASSERT_EQ(disks.size(), 1u);
  EXPECT_EQ(disks[0].waited_ms, 100u);
  EXPECT_EQ(disks[0].in_flight, 2u);
  EXPECT_EQ(disks[0].queued_ms, 777u);
}

}  // namespace
}  // namespace plumb::host_metrics
