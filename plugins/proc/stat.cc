#include "plugins/proc/stat.h"

#include <unistd.h>

#include <array>

#include "plugins/proc/fields.h"

namespace plumb::proc {

namespace {

// What follows the command, which may itself hold ") " and digits: the last parenthesis ends it.
std::string_view after_comm(std::string_view text) {
  const size_t close = text.rfind(')');
  if (close == std::string_view::npos) return {};
  return text.substr(close + 1);
}

}  // namespace

std::optional<Stat> parse_stat(std::string_view text) {
  // A torn read ends before the newline.
  if (text.empty() || text.back() != '\n') return std::nullopt;
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  Stat out;
  std::string_view head = text.substr(0, open);
  const auto pid = next_number<Pid>(head);
  if (!pid || *pid <= 0) return std::nullopt;
  out.pid = *pid;
  out.comm = std::string(text.substr(open + 1, close - open - 1));

  std::string_view rest = text.substr(close + 1);
  const std::string_view state = next_word(rest);
  if (state.size() != 1) return std::nullopt;
  out.state = state[0];
  const auto ppid = next_number<Pid>(rest);
  if (!ppid || *ppid < 0) return std::nullopt;
  out.ppid = *ppid;

  // Fields 5 to 24 as proc(5) numbers them; some of those skipped may be negative.
  constexpr size_t kFirst = 5;
  constexpr size_t kLast = 24;
  std::array<std::string_view, kLast + 1> field;
  for (size_t i = kFirst; i <= kLast; ++i) field[i] = next_word(rest);
  const auto minor = to_number(field[10]);
  const auto major = to_number(field[12]);
  const auto user = to_number(field[14]);
  const auto system = to_number(field[15]);
  const auto reaped_user = to_number(field[16]);
  const auto reaped_system = to_number(field[17]);
  const auto threads = to_number(field[20]);
  const auto start = to_number(field[22]);
  const auto resident = to_number(field[24]);
  if (!minor || !major || !user || !system || !reaped_user || !reaped_system || !threads ||
      !start || !resident) {
    return std::nullopt;
  }
  out.user_ticks = *user;
  out.system_ticks = *system;
  out.reaped_user_ticks = *reaped_user;
  out.reaped_system_ticks = *reaped_system;
  out.threads = *threads;
  out.start_ticks = *start;
  out.resident_pages = *resident;
  out.minor_faults = *minor;
  out.major_faults = *major;
  return out;
}

std::optional<uint64_t> parse_block_delay(std::string_view text) {
  if (text.empty() || text.back() != '\n') return std::nullopt;
  std::string_view rest = after_comm(text);
  constexpr int kState = 3;  // fields as proc(5) numbers them
  constexpr int kBlockDelay = 42;
  for (int i = kState; i < kBlockDelay; ++i) next_word(rest);
  return next_number(rest);
}

char parse_state(std::string_view text) {
  std::string_view rest = after_comm(text);
  const std::string_view state = next_word(rest);
  return state.size() == 1 && !rest.empty() ? state[0] : '\0';
}

std::optional<SchedStat> parse_schedstat(std::string_view text) {
  if (text.empty() || text.back() != '\n') return std::nullopt;
  const auto run = next_number(text);
  const auto wait = next_number(text);
  const auto slices = next_number(text);
  if (!run || !wait || !slices) return std::nullopt;
  return SchedStat{*run, *wait, *slices};
}

std::optional<Switches> parse_switches(std::string_view text) {
  const auto voluntary = number_after(text, "voluntary_ctxt_switches:");
  const auto involuntary = number_after(text, "nonvoluntary_ctxt_switches:");
  if (!voluntary || !involuntary) return std::nullopt;
  return Switches{*voluntary, *involuntary};
}

std::optional<StorageBytes> parse_io(std::string_view text) {
  const auto read = number_after(text, "read_bytes:");
  const auto written = number_after(text, "write_bytes:");
  if (!read || !written) return std::nullopt;
  return StorageBytes{*read, *written};
}

uint64_t ticks_per_second() {
  static const long ticks = ::sysconf(_SC_CLK_TCK);
  return ticks > 0 ? static_cast<uint64_t>(ticks) : 100;
}

uint64_t page_bytes() {
  static const long bytes = ::sysconf(_SC_PAGESIZE);
  return bytes > 0 ? static_cast<uint64_t>(bytes) : 4096;
}

}  // namespace plumb::proc
