#include "thread_state.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "plugins/proc/stat.h"

namespace plumb::sqlite_stats {
namespace {

bool is_file_work(int64_t number) {
  constexpr std::array kCalls = {SYS_pwrite64,  SYS_write,     SYS_fsync,
                                 SYS_fdatasync, SYS_ftruncate, SYS_pread64};
  return std::find(kCalls.begin(), kCalls.end(), number) != kCalls.end();
}

// The first argument, a descriptor, of a call that `is_wanted`.
template <typename IsWanted>
std::optional<int> descriptor_of(std::string_view text, IsWanted is_wanted) {
  const char* const end = text.data() + text.size();
  int64_t number = -1;
  const auto call = std::from_chars(text.data(), end, number);
  if (call.ec != std::errc() || !is_wanted(number)) return std::nullopt;
  if (!std::string_view(call.ptr, static_cast<size_t>(end - call.ptr)).starts_with(" 0x"))
    return std::nullopt;
  int descriptor = -1;
  const auto argument = std::from_chars(call.ptr + 3, end, descriptor, 16);
  return argument.ec == std::errc() && descriptor >= 0 ? std::optional(descriptor) : std::nullopt;
}

}  // namespace

ThreadState parse_syscall(std::string_view text) {
  if (text.starts_with("running")) return ThreadState::kActive;
  const char* at = text.data();
  const char* const end = at + text.size();
  int64_t number = -1;
  const auto parsed = std::from_chars(at, end, number);
  if (parsed.ec != std::errc()) return ThreadState::kUnknown;
  at = parsed.ptr;
  std::array<uint64_t, 4> arguments{};
  size_t count = 0;
  while (count < arguments.size() && end - at > 3 && std::string_view(at, 3) == " 0x") {
    const auto argument = std::from_chars(at + 3, end, arguments[count], 16);
    if (argument.ec != std::errc()) break;
    at = argument.ptr;
    ++count;
  }
  if (is_file_work(number)) return ThreadState::kActive;
  if (number == SYS_fcntl && count >= 2 && arguments[1] == F_SETLKW) return ThreadState::kBlocked;
  if (number == SYS_nanosleep && count >= 2)
    return arguments[1] == 0 ? ThreadState::kBusySleep : ThreadState::kSleep;
  if (number == SYS_clock_nanosleep && count >= 4) {
    if (arguments[0] != CLOCK_REALTIME || arguments[1] != 0) return ThreadState::kElse;
    return arguments[3] == 0 ? ThreadState::kBusySleep : ThreadState::kSleep;
  }
  return ThreadState::kElse;
}

ThreadState parse_wchan(std::string_view text) {
  if (text.find("nanosleep") != std::string_view::npos) return ThreadState::kSleep;
  return text.empty() || text == "0" ? ThreadState::kUnknown : ThreadState::kElse;
}

std::optional<int> parse_sync(std::string_view text) {
  return descriptor_of(text,
                       [](int64_t call) { return call == SYS_fsync || call == SYS_fdatasync; });
}

std::optional<int> parse_lock_wait(std::string_view text) {
  if (parse_syscall(text) != ThreadState::kBlocked) return std::nullopt;
  return descriptor_of(text, [](int64_t call) { return call == SYS_fcntl; });
}

ThreadFiles::ThreadFiles(const std::string& directory)
    : syscall_(directory + "/syscall"),
      wchan_(directory + "/wchan"),
      schedstat_(directory + "/schedstat") {}

ThreadState ThreadFiles::state(proc::Buffer& buffer) {
  sync_of_.reset();
  blocked_on_.reset();
  if (syscall_hidden_) return wchan_state(buffer);
  const proc::Text text = syscall_.read(buffer);
  if (text.ok()) {
    sync_of_ = parse_sync(text.text);
    blocked_on_ = parse_lock_wait(text.text);
    return parse_syscall(text.text);
  }
  if (text.error == ESRCH) return ThreadState::kGone;
  if (text.error == EMFILE || text.error == ENFILE) return ThreadState::kUnknown;
  // Shown only to those who may trace the process, or not built into this kernel.
  syscall_hidden_ = true;
  return wchan_state(buffer);
}

ThreadState ThreadFiles::wchan_state(proc::Buffer& buffer) {
  const proc::Text text = wchan_.read(buffer);
  if (text.ok()) return parse_wchan(text.text);
  return text.gone() ? ThreadState::kGone : ThreadState::kUnknown;
}

std::optional<uint64_t> ThreadFiles::timeslices(proc::Buffer& buffer) {
  const proc::Text text = schedstat_.read(buffer);
  if (!text.ok()) return std::nullopt;
  const auto stat = proc::parse_schedstat(text.text);
  return stat ? std::optional(stat->slices) : std::nullopt;
}

}  // namespace plumb::sqlite_stats
