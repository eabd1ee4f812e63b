#include "thread_state.h"

#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace plumb::sqlite_stats {
namespace {

constexpr size_t kMostText = 512;

bool is_file_work(int64_t number) {
  constexpr std::array kCalls = {SYS_pwrite64,  SYS_write,     SYS_fsync,
                                 SYS_fdatasync, SYS_ftruncate, SYS_pread64};
  return std::find(kCalls.begin(), kCalls.end(), number) != kCalls.end();
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

std::optional<uint64_t> parse_timeslices(std::string_view schedstat) {
  const size_t space = schedstat.find_last_of(' ');
  if (space == std::string_view::npos) return std::nullopt;
  uint64_t value = 0;
  const std::string_view last = schedstat.substr(space + 1);
  const auto parsed = std::from_chars(last.data(), last.data() + last.size(), value);
  return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

ThreadState ThreadFiles::state() {
  if (syscall_hidden_) return wchan_state();
  if (!syscall_.valid()) syscall_ = Descriptor::open(directory_ + "/syscall");
  if (syscall_.valid() && syscall_.read_once(text_, kMostText)) return parse_syscall(text_);
  if (errno == ESRCH) return ThreadState::kGone;
  // Shown only to those who may trace the process, or not built into this kernel.
  syscall_hidden_ = true;
  syscall_.reset();
  return wchan_state();
}

ThreadState ThreadFiles::wchan_state() {
  if (!wchan_.valid()) wchan_ = Descriptor::open(directory_ + "/wchan");
  if (!wchan_.valid() || !wchan_.read_once(text_, kMostText))
    return errno == ESRCH || errno == ENOENT ? ThreadState::kGone : ThreadState::kUnknown;
  return parse_wchan(text_);
}

std::optional<uint64_t> ThreadFiles::timeslices() {
  if (!schedstat_.valid()) schedstat_ = Descriptor::open(directory_ + "/schedstat");
  if (!schedstat_.valid() || !schedstat_.read_once(text_, kMostText)) return std::nullopt;
  return parse_timeslices(text_);
}

}  // namespace plumb::sqlite_stats
