// Timed metrics from any CSV: the first column is the time, each other one a metric.
#ifndef PLUMB_CORE_IMPORTS_METRIC_TABLE_H_
#define PLUMB_CORE_IMPORTS_METRIC_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/imports/byte_source.h"

namespace plumb::imports {

struct MetricTable {
  std::vector<std::string> names;  // of the metrics, in the order of their columns
  std::vector<int64_t> times_ns;   // ascending
  // Row after row, one cell for each metric; NaN where there is no number.
  std::vector<double> cells;
  // Times are seconds since some start, not of the epoch.
  bool relative = false;
  size_t rows_read = 0;
  // Every so many of the rows are kept: more than fit into memory are thinned out evenly.
  size_t stride = 1;
  size_t words = 0;  // cells that hold neither a number nor one of the words for none

  double at(size_t row, size_t metric) const { return cells[row * names.size() + metric]; }
};

// Fields are parted by commas, semicolons or tabs. A heading names the metrics; without one they
// are column 2, column 3, and so on. Cells that are empty, NaN, null, N/A, - or infinite are
// missing, and so are those behind the last of a short row. Rows may come in any order.
// INVALID_ARGUMENT says which line, which column, and what was expected. At most `most_cells` are
// held.
inline constexpr size_t kMostCells = size_t{1} << 26;  // 512 MiB
Result<MetricTable> read_metric_table(std::unique_ptr<ByteSource> bytes, const std::string& name,
                                      size_t most_cells = kMostCells);

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_METRIC_TABLE_H_
