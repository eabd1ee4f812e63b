#include "core/engine/listener.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "tests/integration/free_port.h"

namespace plumb::engine {
namespace {

TEST(ListenerTest, FindsItself) {
  const LoopbackListener listening = listen_on_loopback();
  const auto found = find_listener(listening.port, "/proc");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->pid, ::getpid());
  EXPECT_FALSE(found->command.empty());
}

TEST(ListenerTest, NobodyListensOnAFreePort) { EXPECT_FALSE(find_listener(free_port(), "/proc")); }

TEST(ListenerTest, TornTablesGiveNothing) {
  std::string proc = ::testing::TempDir() + "/plumb-net-XXXXXX";
  ASSERT_NE(::mkdtemp(proc.data()), nullptr);
  EXPECT_FALSE(find_listener(80, proc));
  std::filesystem::create_directory(proc + "/net");
  std::ofstream(proc + "/net/tcp") << "  sl local\n 0: 0100007F:0050 00000000:0000 0A 0\n";
  EXPECT_FALSE(find_listener(80, proc));
  std::filesystem::remove_all(proc);
}

}  // namespace
}  // namespace plumb::engine
