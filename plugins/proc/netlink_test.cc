// Answers of the kernel over netlink: real ones, torn ones and hostile ones.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/genetlink.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "plugins/proc/sock_diag_reply.h"
#include "plugins/proc/taskstats.h"

namespace plumb::proc {
namespace {

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string message(uint16_t type, uint32_t sequence, const std::string& body) {
  std::string out;
  append(out,
         nlmsghdr{static_cast<uint32_t>(sizeof(nlmsghdr) + body.size()), type, 0, sequence, 0});
  out += body;
  out.resize((out.size() + 3) & ~size_t{3});
  return out;
}

std::string attribute(uint16_t type, const std::string& value) {
  std::string out;
  append(out, nlattr{static_cast<uint16_t>(sizeof(nlattr) + value.size()), type});
  out += value;
  out.resize((out.size() + 3) & ~size_t{3});
  return out;
}

std::string socket_body(uint64_t inode, bool info) {
  inet_diag_msg m{};
  m.idiag_family = 2;
  m.idiag_state = 1;
  m.id.idiag_sport = htons(40000);
  m.id.idiag_dport = htons(5432);
  m.idiag_rqueue = 11;
  m.idiag_wqueue = 22;
  m.idiag_inode = static_cast<uint32_t>(inode);
  std::string out;
  append(out, m);
  if (info) out += attribute(INET_DIAG_INFO, std::string(100, '\x01'));
  return out;
}

TEST(SockDiagReply, TakesTheSocketsOfItsRequest) {
  const std::string datagram = message(20, 7, socket_body(5, true)) +
                               message(20, 6, socket_body(6, true)) +
                               message(20, 7, socket_body(8, false)) + message(NLMSG_DONE, 7, "");
  std::vector<TcpSocket> out;
  const SockDiagReply reply = parse_sock_diag(datagram, 7, true, out);
  EXPECT_EQ(reply.answers, 3u);
  EXPECT_TRUE(reply.done);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].inode, 5u);
  EXPECT_EQ(out[0].local_port, 40000);
  EXPECT_EQ(out[0].receive_queue, 11u);
  EXPECT_EQ(out[0].send_queue, 22u);
  out.clear();
  (void)parse_sock_diag(datagram, 7, false, out);
  EXPECT_EQ(out.size(), 2u);
}

TEST(SockDiagReply, ErrorsAreTold) {
  std::string body;
  append(body, nlmsgerr{-EPERM, {}});
  std::vector<TcpSocket> out;
  EXPECT_EQ(parse_sock_diag(message(NLMSG_ERROR, 7, body), 7, true, out).error, EPERM);
}

TEST(SockDiagReply, TornAndHostileDatagramsGiveWhatIsWhole) {
  const std::string whole = message(20, 7, socket_body(5, true));
  for (size_t n = 0; n < whole.size(); ++n) {
    std::vector<TcpSocket> out;
    EXPECT_EQ(parse_sock_diag({whole.data(), n}, 7, true, out).answers, 0u) << n;
    EXPECT_TRUE(out.empty());
  }
  std::string lying = whole;
  lying[0] = '\x11';  // a length that is no multiple of four, just above the header's
  lying[1] = lying[2] = lying[3] = 0;
  std::vector<TcpSocket> out;
  (void)parse_sock_diag(lying, 7, true, out);
  EXPECT_TRUE(out.empty());
  std::string long_attribute = socket_body(5, true);
  long_attribute[sizeof(inet_diag_msg)] = '\xff';
  (void)parse_sock_diag(message(20, 7, long_attribute), 7, true, out);
  EXPECT_TRUE(out.empty());
}

std::string taskstats_answer(size_t bytes) {
  taskstats raw{};
  raw.cpu_delay_total = 1;
  raw.blkio_delay_total = 2;
  raw.swapin_delay_total = 3;
  raw.freepages_delay_total = 4;
  raw.thrashing_delay_total = 5;
  std::string stats(reinterpret_cast<const char*>(&raw), sizeof(raw));
  stats.resize(bytes);
  std::string body;
  append(body, genlmsghdr{TASKSTATS_CMD_NEW, 1, 0});
  body += attribute(TASKSTATS_TYPE_AGGR_TGID, attribute(TASKSTATS_TYPE_TGID, "abcd") +
                                                  attribute(TASKSTATS_TYPE_STATS, stats));
  return message(30, 1, body);
}

TEST(Taskstats, AreReadWhateverTheKernelsAgeIfTheyAreLongEnough) {
  for (const size_t bytes : {sizeof(taskstats), sizeof(taskstats) + 64}) {
    const auto delays = parse_taskstats(taskstats_answer(bytes));
    ASSERT_TRUE(delays);
    EXPECT_EQ(delays->runqueue_ns, 1u);
    EXPECT_EQ(delays->block_io_ns, 2u);
    EXPECT_EQ(delays->swap_in_ns, 3u);
    EXPECT_EQ(delays->reclaim_ns, 4u);
    EXPECT_EQ(delays->thrashing_ns, 5u);
  }
  EXPECT_FALSE(parse_taskstats(taskstats_answer(100)));
}

TEST(Taskstats, TornAnswersGiveNothing) {
  const std::string whole = taskstats_answer(sizeof(taskstats));
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(parse_taskstats({whole.data(), n})) << n;
    EXPECT_FALSE(parse_family({whole.data(), n}));
  }
  EXPECT_FALSE(parse_taskstats(message(NLMSG_ERROR, 1, std::string(400, '\0'))));
}

TEST(Taskstats, OfThisProcessAreToldWhereTheUserMayAsk) {
  auto stats = Taskstats::open();
  if (!stats) GTEST_SKIP() << stats.status().message();
  const auto own = stats->of_process(::getpid());
  if (!own) {
    EXPECT_EQ(own.status().code(), PLUMB_PERMISSION_DENIED) << own.status().message();
    GTEST_SKIP() << own.status().message();
  }
  EXPECT_EQ(stats->of_process(0x3ffffff0).status().code(), PLUMB_NOT_FOUND);
}

}  // namespace
}  // namespace plumb::proc
