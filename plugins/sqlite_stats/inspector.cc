#include "inspector.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

namespace plumb::sqlite_stats {
namespace {

namespace fs = std::filesystem;

constexpr char kProgram[] = "plumb-sqlite-inspect";
// What the program needs to notice its own deadline, end and print.
constexpr int64_t kGrace = 500'000'000;

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

fs::path own_library() {
  Dl_info info{};
  static const char anchor = 0;
  if (::dladdr(&anchor, &info) == 0 || info.dli_fname == nullptr) return {};
  return info.dli_fname;
}

}  // namespace

Result<std::string> find_inspector() {
  std::error_code error;
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path();
  std::vector<fs::path> places{beside / kProgram};
  if (const fs::path plugins = own_library().parent_path(); !plugins.empty()) {
    const fs::path tree = fs::absolute(plugins, error) / ".." / ".." / "..";
    places.push_back(tree / "bin" / kProgram);
    places.push_back(tree / "libexec" / "plumb" / kProgram);
  }
  for (const fs::path& place : places) {
    if (::access(place.c_str(), X_OK) == 0) return place.lexically_normal().string();
  }
  return Status::not_found(std::string(kProgram) + " is not beside plumb-host in " +
                           beside.string() +
                           ": install it there, or set inspect: false; until then the tables of "
                           "the schema and of query plans are missing");
}

Status Inspector::start(const std::string& database, int64_t now_ns, int64_t budget_ns) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return Status::unavailable(std::string("cannot make a pipe: ") + std::strerror(errno));
  Descriptor output(ends[0]);
  const Descriptor input(ends[1]);
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);

  SpawnActions actions;
  ::posix_spawn_file_actions_addopen(actions.get(), 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), input.get(), 1);
  ::posix_spawn_file_actions_addopen(actions.get(), 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(actions.get(), 3);
  const SpawnAttributes attributes;
  const int64_t budget_ms = std::max<int64_t>(1, budget_ns / 1'000'000);
  std::vector<std::string> words{program_, "--budget-ms", std::to_string(budget_ms)};
  if (!statements_.empty()) words.insert(words.end(), {"--statements", statements_});
  words.insert(words.end(), {"--database", database});
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Nothing of ours is its business, least of all what the environment may hold.
  std::array<char*, 1> environment{nullptr};

  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program_.c_str(), actions.get(), attributes.get(),
                                   argv.data(), environment.data());
  if (failed != 0)
    return Status::unavailable("cannot start " + program_ + ": " + std::strerror(failed));
  pid_ = pid;
  output_ = std::move(output);
  text_.clear();
  deadline_ns_ = now_ns + budget_ns + kGrace;
  return Status::ok();
}

std::optional<Result<Inspection>> Inspector::poll(int64_t now_ns) {
  if (pid_ <= 0) return std::nullopt;
  std::array<char, 16384> bytes;
  ssize_t n = 0;
  while ((n = ::read(output_.get(), bytes.data(), bytes.size())) > 0) {
    text_.append(bytes.data(), static_cast<size_t>(n));
    if (text_.size() <= kMostInspectionBytes) continue;
    kill();
    return Status::resource_exhausted("plumb-sqlite-inspect printed more than 1 MiB");
  }
  const bool more_may_come = n < 0 && (errno == EAGAIN || errno == EINTR);
  int status = 0;
  if (!more_may_come && ::waitpid(pid_, &status, WNOHANG) == pid_) return ended(status);
  if (now_ns < deadline_ns_) return std::nullopt;
  kill();
  return Status::deadline_exceeded("plumb-sqlite-inspect took too long and was ended");
}

Result<Inspection> Inspector::ended(int status) {
  pid_ = -1;
  output_.reset();
  if (WIFSIGNALED(status))
    return Status::unavailable(std::string("plumb-sqlite-inspect was ended by ") +
                               ::strsignal(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0)
    return Status::unavailable("plumb-sqlite-inspect failed with exit code " +
                               std::to_string(WEXITSTATUS(status)));
  return parse_inspection(text_);
}

void Inspector::wait(int64_t wait_ns) const {
  pollfd fd{output_.get(), POLLIN, 0};
  const int64_t wait_ms = std::clamp<int64_t>(wait_ns / 1'000'000, 1, 1000);
  if (::poll(&fd, 1, static_cast<int>(wait_ms)) <= 0 || (fd.revents & POLLIN) != 0) return;
  // Its output has ended and the process is about to: nothing but its end is left to wait for.
  constexpr useconds_t kAboutToEnd = 500;
  ::usleep(kAboutToEnd);
}

void Inspector::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  output_.reset();
}

}  // namespace plumb::sqlite_stats
