#include "plugins/proc/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "plugins/proc/fake_proc.h"
#include "plugins/proc/processes.h"
#include "plugins/proc/sock_diag.h"

namespace plumb::proc {
namespace {

constexpr const char* kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "5555 1 "
    "0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 "
    "5556 1 "
    "0000000000000000 20 4 30 10 -1\n"
    "   2: 0100007F:0050 00000000:0000 0A 00000000:0000";

TEST(Listeners, AreReadFromTheTable) {
  FakeProc fake;
  fake.write("proc/net/tcp", kTcp);
  const auto listeners = list_listeners(fake.root());
  ASSERT_TRUE(listeners);
  ASSERT_EQ(listeners->size(), 1u);
  EXPECT_EQ(listeners->at(0).port, 8080);
  EXPECT_EQ(listeners->at(0).inode, 5555u);
}

TEST(Listeners, MissingTablesAreSaid) {
  FakeProc fake;
  EXPECT_EQ(list_listeners(fake.root()).status().code(), PLUMB_UNAVAILABLE);
}

TEST(FindTargetByPort, IsWhoHoldsTheListeningSocketAndItsChildren) {
  FakeProc fake;
  fake.write("proc/net/tcp", kTcp);
  fake.add({.pid = 1, .ppid = 0, .comm = "init"});
  fake.descriptor(1, 9, "socket:[5555]");
  fake.add({.pid = 10});
  fake.descriptor(10, 3, "socket:[5555]");
  fake.descriptor(10, 4, "/dev/null");
  fake.add({.pid = 11, .ppid = 10});
  fake.add({.pid = 20});
  fake.descriptor(20, 3, "socket:[5556]");
  Selector s;
  s.port = 8080;
  EXPECT_EQ(find_target(fake.root(), s).value(), (std::vector<Pid>{10, 11}));
  s.port = 81;
  EXPECT_EQ(find_target(fake.root(), s).status().code(), PLUMB_NOT_FOUND);
  EXPECT_EQ(count_descriptors(fake.root(), 10).value(), 2u);
}

TEST(Descriptors, MayBeAsManyAsTheSoftLimitSays) {
  FakeProc fake;
  EXPECT_EQ(descriptor_limit(fake.root(), 10), std::nullopt);
  fake.write("proc/10/limits",
             "Limit                     Soft Limit           Hard Limit           Units     \n"
             "Max processes             7                    7                    processes \n"
             "Max open files            4096                 524288               files     \n");
  EXPECT_EQ(descriptor_limit(fake.root(), 10), 4096u);
}

TEST(Descriptors, OnlyAProcessThatIsGoneHasEnded) {
  FakeProc fake;
  EXPECT_EQ(list_sockets(fake.root(), 10).status().code(), PLUMB_NOT_FOUND);
  fake.write("proc/10/fd", "no directory");
  const Status status = list_sockets(fake.root(), 10).status();
  EXPECT_EQ(status.code(), PLUMB_UNAVAILABLE);
  EXPECT_EQ(status.message().find("has ended"), std::string::npos) << status.message();
}

// As root has it in most containers: without CAP_SYS_PTRACE, which the links of others ask for.
TEST(Descriptors, ThatMayBeListedButNotFollowedAreDenied) {
  if (::geteuid() != 0) GTEST_SKIP() << "asks for root, to lack a capability of its own accord";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t other = ::fork();
  if (other == 0) {
    ::alarm(60);
    if (::setresgid(65534, 65534, 65534) == 0 && ::setresuid(65534, 65534, 65534) == 0 &&
        ::write(ready[1], "x", 1) == 1) {
      ::pause();
    }
    ::_exit(0);
  }
  ::close(ready[1]);
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  const pid_t asker = ::fork();
  if (asker == 0) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    ::syscall(SYS_capget, &header, data);
    data[0].effective &= ~(1u << CAP_SYS_PTRACE);
    ::syscall(SYS_capset, &header, data);
    ::_exit(list_sockets(Root{}, other).status().code());
  }
  int code = 0;
  EXPECT_EQ(::waitpid(asker, &code, 0), asker);
  EXPECT_EQ(WEXITSTATUS(code), PLUMB_PERMISSION_DENIED);
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  ::close(ready[0]);
}

TEST(FindTargetByPort, ARestartIsFoundAtOnce) {
  FakeProc fake;
  fake.write("proc/net/tcp", kTcp);
  fake.add({.pid = 10});
  fake.descriptor(10, 3, "socket:[5555]");
  Selector s;
  s.port = 8080;
  TargetFinder finder(fake.root(), s);
  ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(false));
  EXPECT_EQ(finder.find(list).value(), (std::vector<Pid>{10}));
  fake.end(10);
  fake.add({.pid = 20});
  fake.descriptor(20, 3, "socket:[5555]");
  ASSERT_TRUE(list.refresh(false));
  EXPECT_EQ(finder.find(list).value(), (std::vector<Pid>{20}));
}

class UnownedPort : public ::testing::Test {
 protected:
  UnownedPort() {
    listener(5555);
    for (Pid pid = 10; pid < 20; ++pid) {
      fake_.add({.pid = pid});
      fake_.descriptor(pid, 0, "/dev/null");
    }
    selector_.port = 8080;
    finder_.emplace(fake_.root(), selector_);
  }
  void listener(int inode) {
    fake_.write(
        "proc/net/tcp",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 " +
            std::to_string(inode) + " 1 0 100 0 0 10 0\n");
  }
  Result<std::vector<Pid>> find() {
    EXPECT_TRUE(list_.refresh(false));
    return finder_->find(list_);
  }
  // How many calls it takes until it is found; at most 100.
  int calls() {
    int n = 1;
    while (n < 100 && !find()) ++n;
    return n;
  }
  FakeProc fake_;
  Selector selector_;
  std::optional<TargetFinder> finder_;
  ProcessList list_{fake_.root()};
};

TEST_F(UnownedPort, WhoWasLookedIntoInVainIsLookedIntoEverMoreRarely) {
  for (int i = 0; i < 64; ++i) EXPECT_EQ(find().status().code(), PLUMB_NOT_FOUND);
  fake_.descriptor(15, 3, "socket:[5555]");  // handed over by somebody
  const int taken = calls();
  EXPECT_GT(taken, 1);
  EXPECT_LE(taken, 30);
}

TEST_F(UnownedPort, WhoComesNewIsLookedIntoAtOnce) {
  for (int i = 0; i < 64; ++i) EXPECT_FALSE(find());
  fake_.add({.pid = 30});
  fake_.descriptor(30, 3, "socket:[5555]");
  EXPECT_EQ(find().value(), (std::vector<Pid>{30}));
}

TEST_F(UnownedPort, AnotherListenerIsLookedForAtOnceAmongAll) {
  for (int i = 0; i < 64; ++i) EXPECT_FALSE(find());
  fake_.descriptor(15, 3, "socket:[5556]");
  listener(5556);
  EXPECT_EQ(find().value(), (std::vector<Pid>{15}));
}

TEST_F(UnownedPort, DescriptorsThatCannotBeReadAreSaidAndNotTakenForNone) {
  fake_.remove("proc/15/fd");
  fake_.write("proc/15/fd", "no directory");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(find().status().code(), PLUMB_UNAVAILABLE);
    EXPECT_NE(find().status().message().find("process 15"), std::string::npos);
  }
}

TEST(FindTargetByPort, WhoIsKnownStaysKnownWhileListenersCannotBeListed) {
  FakeProc fake;
  fake.write("proc/net/tcp", kTcp);
  fake.add({.pid = 10});
  fake.descriptor(10, 3, "socket:[5555]");
  Selector s;
  s.port = 8080;
  TargetFinder finder(fake.root(), s);
  ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(false));
  ASSERT_TRUE(finder.find(list));
  fake.remove("proc/net/tcp");
  for (int call = 0; call < 30; ++call)
    EXPECT_EQ(finder.find(list).value(), (std::vector<Pid>{10}));
}

// A connected pair on loopback, and their inodes.
class Pair {
 public:
  Pair() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(a);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&a), size), 0);
    EXPECT_EQ(::listen(listener_, 4), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&a), &size);
    port = ntohs(a.sin_port);
    client_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(client_, reinterpret_cast<sockaddr*>(&a), size), 0);
    server_ = ::accept(listener_, nullptr, nullptr);
    EXPECT_EQ(::write(client_, "abc", 3), 3);
    char bytes[3];
    EXPECT_EQ(::read(server_, bytes, 3), 3);
  }
  ~Pair() {
    for (const int fd : {client_, server_, listener_}) ::close(fd);
  }
  uint64_t inode() const {
    struct stat s {};
    ::fstat(client_, &s);
    return s.st_ino;
  }
  uint16_t port = 0;

 private:
  int listener_, client_, server_;
};

TEST(SockDiag, ShowsRealSocketsAndReadsThemAgain) {
  const Pair pair;
  auto diag = SockDiag::open();
  if (!diag) GTEST_SKIP() << diag.status().message();
  std::vector<TcpSocket> all;
  ASSERT_TRUE(diag->dump(SockDiag::kEstablished, true, {}, all));
  std::erase_if(all, [&](const TcpSocket& s) { return s.peer_port != pair.port; });
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].inode, pair.inode());
  EXPECT_EQ(all[0].info.bytes_sent, 3u);
  EXPECT_EQ(all[0].info.data_segments_out, 1u);
  EXPECT_EQ(all[0].info.bytes_received, 0u);
  std::vector<TcpSocket> again;
  ASSERT_TRUE(diag->refresh(all, again));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].inode, pair.inode());
}

TEST(SockDiag, TheKernelLeavesOutTheLocalPortsGiven) {
  const Pair first;
  const Pair second;
  auto diag = SockDiag::open();
  if (!diag) GTEST_SKIP() << diag.status().message();
  const uint16_t except[] = {80, first.port, UINT16_MAX, second.port};
  std::vector<TcpSocket> all;
  ASSERT_TRUE(diag->dump(SockDiag::kEstablished, true, except, all));
  const auto count = [&](auto&& test) { return std::count_if(all.begin(), all.end(), test); };
  EXPECT_EQ(count([&](const TcpSocket& s) { return s.local_port == first.port; }), 0);
  EXPECT_EQ(count([&](const TcpSocket& s) { return s.local_port == second.port; }), 0);
  EXPECT_EQ(count([&](const TcpSocket& s) { return s.peer_port == first.port; }), 1);
  EXPECT_EQ(count([&](const TcpSocket& s) { return s.peer_port == second.port; }), 1);
}

TEST(SockDiag, ASocketThatIsGoneIsLeftOut) {
  std::vector<TcpSocket> all;
  auto diag = SockDiag::open();
  if (!diag) GTEST_SKIP() << diag.status().message();
  {
    const Pair pair;
    ASSERT_TRUE(diag->dump(SockDiag::kEstablished, true, {}, all));
    std::erase_if(all, [&](const TcpSocket& s) { return s.inode != pair.inode(); });
    ASSERT_EQ(all.size(), 1u);
  }
  std::vector<TcpSocket> again;
  ASSERT_TRUE(diag->refresh(all, again));
  std::erase_if(again, [](const TcpSocket& s) { return s.state != 1; });
  EXPECT_TRUE(again.empty());
}

TEST(Listeners, OfTheMachineAreTheSameByBothWays) {
  const Pair pair;
  const auto holds = [&](const std::vector<Listener>& listeners) {
    return std::any_of(listeners.begin(), listeners.end(),
                       [&](const Listener& l) { return l.port == pair.port && l.inode != 0; });
  };
  EXPECT_TRUE(holds(list_listeners(Root{}).value()));
  EXPECT_TRUE(holds(list_listeners(Root{"/proc/.", "/sys"}).value()));
  Selector s;
  s.port = pair.port;
  const auto target = find_target(Root{}, s);
  ASSERT_TRUE(target) << target.status().message();
  EXPECT_EQ(target->front(), ::getpid());
}

}  // namespace
}  // namespace plumb::proc
