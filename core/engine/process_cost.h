// What a process of plumb's costs, and whether it works, from /proc.
#ifndef PLUMB_CORE_ENGINE_PROCESS_COST_H_
#define PLUMB_CORE_ENGINE_PROCESS_COST_H_

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string_view>

namespace plumb::engine {

// Nothing when the process is not there. `proc` is /proc but in tests.
std::optional<double> read_cpu_seconds(pid_t pid, const std::filesystem::path& proc);
// Proportional set size; the resident set size where the kernel does not tell the former.
std::optional<double> read_memory_bytes(pid_t pid, const std::filesystem::path& proc);

// Whether any of its threads runs or waits for a processor. False when the process is not there.
bool is_runnable(pid_t pid, const std::filesystem::path& proc);

// user + system seconds out of the text of /proc/<pid>/stat; nothing when it is torn.
std::optional<double> cpu_seconds_of_stat(std::string_view stat, long ticks_per_second);

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_PROCESS_COST_H_
