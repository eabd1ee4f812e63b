// The runs of one plan that a directory holds, each in a few figures.
#ifndef PLUMB_CORE_SESSION_HISTORY_H_
#define PLUMB_CORE_SESSION_HISTORY_H_

#include <filesystem>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/compare/trend.h"

namespace plumb::session {

// The names of the plans whose runs are there, that of the newest run first; each once.
std::vector<std::string> plans_in(const std::filesystem::path& directory);

// In the order of their start. Figures come from the summary that a run keeps, and of a run without
// one (made by an earlier plumb, or killed) from its signals. Runs that are under way or cannot be
// read are left out.
std::vector<compare::HistoryRun> history(const std::filesystem::path& directory,
                                         const std::string& plan);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_HISTORY_H_
