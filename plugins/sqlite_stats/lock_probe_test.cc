// Against the kernel itself: children take the locks that SQLite takes.
#include "lock_probe.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "descriptor.h"
#include "fake_files.h"

namespace plumb::sqlite_stats {
namespace {

struct Range {
  short type;
  int64_t first;
  int64_t last;
};

// A process that holds locks on a file until this ends.
class LockHolder {
 public:
  LockHolder(const std::string& file, std::vector<Range> ranges) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int fd = ::open(file.c_str(), O_RDWR);
      for (const Range& range : ranges) {
        struct flock lock {};
        lock.l_type = range.type;
        lock.l_start = range.first;
        lock.l_len = range.last - range.first + 1;
        if (::fcntl(fd, F_SETLK, &lock) != 0) ::_exit(1);
      }
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      ::pause();
      ::_exit(0);
    }
    ::close(ready[1]);
    char byte = 0;
    held_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  ~LockHolder() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  LockHolder(const LockHolder&) = delete;
  LockHolder& operator=(const LockHolder&) = delete;
  pid_t pid() const { return pid_; }
  bool held() const { return held_; }

 private:
  pid_t pid_ = -1;
  bool held_ = false;
};

class LockProbeTest : public testing::Test {
 protected:
  LockProbeTest() {
    write_file(directory_ / "db", "x");
    write_file(directory_ / "db-shm", "x");
    database_ = Descriptor::open(directory_ / "db");
    shm_ = Descriptor::open(directory_ / "db-shm");
  }
  LockState ask() {
    const auto state = ask_locks(database_.get(), shm_.get());
    EXPECT_TRUE(state.is_ok()) << state.status().message();
    return state.is_ok() ? *state : LockState{};
  }
  TemporaryDirectory directory_;
  Descriptor database_;
  Descriptor shm_;
};

TEST_F(LockProbeTest, FreeFilesAreFree) {
  const LockState state = ask();
  EXPECT_EQ(state.held, WriteLock::kNone);
  EXPECT_FALSE(state.checkpointer);
  EXPECT_FALSE(state.recoverer);
}

TEST_F(LockProbeTest, WalWriterAndCheckpointerAreNamedApart) {
  const LockHolder checkpointer(directory_ / "db-shm", {{F_WRLCK, 121, 121}, {F_RDLCK, 128, 128}});
  ASSERT_TRUE(checkpointer.held());
  EXPECT_EQ(ask().held, WriteLock::kNone);
  const LockHolder writer(directory_ / "db-shm", {{F_WRLCK, 120, 120}, {F_RDLCK, 124, 124}});
  ASSERT_TRUE(writer.held());
  const LockState state = ask();
  EXPECT_EQ(state.held, WriteLock::kWrite);
  EXPECT_EQ(state.holder, writer.pid());
  EXPECT_EQ(state.checkpointer, checkpointer.pid());
  EXPECT_FALSE(state.recoverer);
}

TEST_F(LockProbeTest, MergedLocksOfOneProcessAreAllSeen) {
  const LockHolder writer(directory_ / "db-shm", {{F_WRLCK, 120, 120}, {F_WRLCK, 121, 122}});
  const LockState state = ask();
  EXPECT_EQ(state.holder, writer.pid());
  EXPECT_EQ(state.checkpointer, writer.pid());
  EXPECT_EQ(state.recoverer, writer.pid());
}

TEST_F(LockProbeTest, RollbackLocksAreToldApartFromReaders) {
  const LockHolder reader(directory_ / "db", {{F_RDLCK, kSharedFirst, kSharedLast}});
  EXPECT_EQ(ask().held, WriteLock::kNone);
  {
    const LockHolder reserved(directory_ / "db", {{F_WRLCK, kReservedByte, kReservedByte}});
    EXPECT_EQ(ask().held, WriteLock::kReserved);
    EXPECT_EQ(ask().holder, reserved.pid());
  }
  const LockHolder pending(directory_ / "db", {{F_WRLCK, kPendingByte, kReservedByte}});
  EXPECT_EQ(ask().held, WriteLock::kPending);
}

TEST_F(LockProbeTest, ExclusiveIsSeenWithAndWithoutReserved) {
  {
    const LockHolder writer(directory_ / "db", {{F_WRLCK, kPendingByte, kSharedLast}});
    EXPECT_EQ(ask().held, WriteLock::kExclusive);
    EXPECT_EQ(ask().holder, writer.pid());
  }
  // As who rolls a hot journal back.
  const LockHolder recovering(directory_ / "db", {{F_WRLCK, kPendingByte, kPendingByte},
                                                  {F_WRLCK, kSharedFirst, kSharedLast}});
  EXPECT_EQ(ask().held, WriteLock::kExclusive);
}

TEST_F(LockProbeTest, ReadersAreNamedWithTheirSlots) {
  std::vector<ReaderLock> readers{{1, 1}};
  ask_readers(shm_.get(), readers);
  EXPECT_TRUE(readers.empty());
  const LockHolder first(directory_ / "db-shm", {{F_RDLCK, 123, 123}, {F_RDLCK, 128, 128}});
  const LockHolder second(directory_ / "db-shm", {{F_RDLCK, 125, 126}});  // two connections
  const LockHolder mover(directory_ / "db-shm", {{F_WRLCK, 127, 127}});
  ask_readers(shm_.get(), readers);
  ASSERT_EQ(readers.size(), 3u);
  EXPECT_EQ(readers[0].pid, first.pid());
  EXPECT_EQ(readers[0].slot, 0);
  EXPECT_EQ(readers[1].pid, second.pid());
  EXPECT_EQ(readers[1].slot, 2);
  EXPECT_EQ(readers[2].slot, 3);
  ask_readers(-1, readers);
  EXPECT_TRUE(readers.empty());
}

TEST_F(LockProbeTest, AskingTakesNoLock) {
  ask();
  const LockHolder writer(directory_ / "db-shm", {{F_WRLCK, 120, 128}});
  EXPECT_TRUE(writer.held());
}

TEST_F(LockProbeTest, MissingIndexIsNoError) {
  const auto state = ask_locks(database_.get(), -1);
  ASSERT_TRUE(state.is_ok());
  EXPECT_EQ(state->held, WriteLock::kNone);
}

TEST_F(LockProbeTest, ClosedDescriptorIsAnErrorAndNoFreeLock) {
  const auto state = ask_locks(-1, -1);
  ASSERT_FALSE(state.is_ok());
  EXPECT_THAT(state.status().message(), testing::HasSubstr("who holds locks"));
}

}  // namespace
}  // namespace plumb::sqlite_stats
