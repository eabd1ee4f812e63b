#include "core/engine/process_cost.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace plumb::engine {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The number of kB after `key` at the start of a line; nothing when there is none.
std::optional<double> kilobytes(const std::string& text, const std::string& key) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    std::istringstream rest(line.substr(key.size()));
    double value = 0;
    if (rest >> value) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> cpu_seconds_of_stat(std::string_view stat, long ticks_per_second) {
  // The command may hold spaces and parentheses: fields are counted from the last ')'.
  const size_t close = stat.rfind(')');
  if (close == std::string_view::npos) return std::nullopt;
  std::istringstream in{std::string(stat.substr(close + 1))};
  std::string skipped;
  for (int field = 3; field < 14; ++field) in >> skipped;
  double user = 0;
  double system = 0;
  if (!(in >> user >> system)) return std::nullopt;
  return (user + system) / static_cast<double>(ticks_per_second);
}

std::optional<double> read_cpu_seconds(pid_t pid, const std::filesystem::path& proc) {
  return cpu_seconds_of_stat(read_text(proc / std::to_string(pid) / "stat"),
                             ::sysconf(_SC_CLK_TCK));
}

std::optional<double> read_memory_bytes(pid_t pid, const std::filesystem::path& proc) {
  const std::filesystem::path dir = proc / std::to_string(pid);
  std::optional<double> kib = kilobytes(read_text(dir / "smaps_rollup"), "Pss:");
  if (!kib) kib = kilobytes(read_text(dir / "status"), "VmRSS:");
  if (!kib) return std::nullopt;
  return *kib * 1024;
}

bool is_runnable(pid_t pid, const std::filesystem::path& proc) {
  std::error_code error;
  const std::filesystem::directory_iterator tasks(proc / std::to_string(pid) / "task", error);
  for (auto task = begin(tasks); !error && task != end(tasks); task.increment(error)) {
    const std::string stat = read_text(task->path() / "stat");
    const size_t close = stat.rfind(')');
    if (close != std::string::npos && stat.substr(close).starts_with(") R")) return true;
  }
  return false;
}

}  // namespace plumb::engine
