// Runs a program of the build as a user would, with its output kept.
#ifndef PLUMB_TESTS_SUPPORT_RUN_PROGRAM_H_
#define PLUMB_TESTS_SUPPORT_RUN_PROGRAM_H_

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace plumb::test_support {

// A directory that is gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A program of the build tree (build/<preset>/bin), started in the source directory. Whatever is
// still running when the object goes is killed.
class Program {
 public:
  // `environment` has entries NAME=value that are set beside this process's own.
  Program(const std::string& name, const std::vector<std::string>& arguments,
          const std::vector<std::string>& environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Waits for its end. Returns the exit code, 128 + signal, or -1 when it had to be killed because
  // it took longer than `limit`.
  int wait(std::chrono::seconds limit);
  std::string out() const;  // what it wrote to stdout until now
  std::string err() const;  // to stderr

 private:
  TemporaryDirectory directory_;
  pid_t pid_ = -1;
};

// Polls `condition` until it holds; false when `limit` passed.
template <typename Condition>
bool eventually(std::chrono::seconds limit, Condition&& condition);

// The pause between two looks of `eventually`.
void pause_between_looks();

template <typename Condition>
bool eventually(std::chrono::seconds limit, Condition&& condition) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    pause_between_looks();
  }
  return true;
}

}  // namespace plumb::test_support

#endif  // PLUMB_TESTS_SUPPORT_RUN_PROGRAM_H_
