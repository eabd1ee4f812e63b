// A run in stretches of time.
#ifndef PLUMB_CORE_COMPARE_SLICE_H_
#define PLUMB_CORE_COMPARE_SLICE_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/compare/bootstrap.h"
#include "core/facts/facts.h"
#include "core/store/run_file.h"

namespace plumb::compare {

// Equal slices, without a rest, of about `seconds` each; at least one.
std::vector<facts::Window> split(const facts::Window& window, double seconds);

// What the client saw of one endpoint (of all: empty), in cells of a second or as long as the load
// plugin's intervals are, but at most kMostCells of them. Empty without any response.
inline constexpr size_t kMostCells = 240;
Cells response_cells(const store::RunData& run, const facts::Window& window,
                     std::string_view endpoint);

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_SLICE_H_
