#include "core/engine/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include "core/base/clock.h"

namespace plumb::engine {
namespace {

using ::testing::HasSubstr;

int64_t soon() { return monotonic_ns() + 20'000'000'000; }

Result<ChildProcess> shell(const std::string& command, int output = -1) {
  ChildSpec spec;
  spec.argv = {"sh", "-c", command};
  spec.output = output;
  return ChildProcess::spawn(spec);
}

// Everything that is written into `fd` until its last writer has gone.
std::string drain(int fd) {
  std::string out;
  char bytes[4'096];
  for (ssize_t n = ::read(fd, bytes, sizeof(bytes)); n > 0; n = ::read(fd, bytes, sizeof(bytes))) {
    out.append(bytes, static_cast<size_t>(n));
  }
  return out;
}

TEST(ChildProcessTest, TellsHowItEnded) {
  auto three = shell("exit 3");
  ASSERT_TRUE(three.is_ok()) << three.status().message();
  EXPECT_EQ(three->wait_end(soon())->text(), "exited with code 3");
  auto killed = shell("kill -SEGV $$");
  EXPECT_EQ(killed->wait_end(soon())->text(), "was killed by SIGSEGV");
  EXPECT_EQ(signal_name(11), "SIGSEGV");
  EXPECT_EQ(signal_name(50), "signal 50");
}

TEST(ChildProcessTest, AProgramThatIsNotThereIsAnError) {
  ChildSpec spec;
  spec.argv = {"/nonexistent/program"};
  const auto child = ChildProcess::spawn(spec);
  EXPECT_EQ(child.status().code(), PLUMB_NOT_FOUND);
  EXPECT_THAT(child.status().message(), HasSubstr("cannot start /nonexistent/program: No such"));
  EXPECT_FALSE(ChildProcess::spawn({}).is_ok());
  errno = 0;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the failed child was not reaped";
}

TEST(ChildProcessTest, NoDescriptorButItsOwnIsPassedOn) {
  // One that forgot close-on-exec.
  const UniqueFd careless(::open("/dev/null", O_RDONLY));
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd in(pipe[0]);
  UniqueFd out(pipe[1]);
  auto child = shell("exec ls /proc/self/fd", out.get());
  ASSERT_TRUE(child.is_ok());
  out.reset();
  // The fourth is the directory that ls reads.
  EXPECT_EQ(drain(in.get()), "0\n1\n2\n3\n");
}

TEST(ChildProcessTest, ItsWholeGroupEndsWithIt) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd in(pipe[0]);
  UniqueFd out(pipe[1]);
  auto child = shell("sleep 1000 & echo started; exit 0", out.get());
  ASSERT_TRUE(child.is_ok());
  out.reset();
  ASSERT_TRUE(child->wait_end(soon()));
  // Returns once the sleeper, which holds the other end, has gone too.
  EXPECT_EQ(drain(in.get()), "started\n");
}

TEST(ChildProcessTest, KillEndsWhatIgnoresEverything) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd in(pipe[0]);
  UniqueFd out(pipe[1]);
  auto child =
      shell("trap '' TERM INT HUP; echo r; exec >&-; while :; do sleep 1; done", out.get());
  ASSERT_TRUE(child.is_ok());
  out.reset();
  ASSERT_EQ(drain(in.get()), "r\n") << "it is ready to ignore";
  child->signal_group(SIGTERM);
  EXPECT_FALSE(child->poll_end());
  EXPECT_EQ(child->kill_and_reap().signal, SIGKILL);
  child->signal_group(SIGTERM);
}

TEST(ChildProcessTest, IsInAGroupOfItsOwn) {
  auto child = shell("exec sleep 1000");
  ASSERT_TRUE(child.is_ok());
  EXPECT_EQ(::getpgid(child->pid()), child->pid());
}

}  // namespace
}  // namespace plumb::engine
