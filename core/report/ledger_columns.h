// The ledger over time: one column of stacked layers for each slice of the window.
#ifndef PLUMB_CORE_REPORT_LEDGER_COLUMNS_H_
#define PLUMB_CORE_REPORT_LEDGER_COLUMNS_H_

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/report/svg_chart.h"

namespace plumb::report {

// From the bottom of a column to its top.
inline constexpr std::array<std::string_view, 8> kLedgerLayers = {
    "client", "network", "app", "database", "downstream", "host", "queue", "unexplained"};

struct LedgerColumn {
  double start_s = 0;
  double end_s = 0;
  std::vector<std::pair<std::string_view, double>> layers;  // of kLedgerLayers, with milliseconds
};

// The figure with its table. The columns ascend and are not empty. Stages are named above the
// columns, and a broken line stands where something changed.
std::string ledger_columns_html(const std::vector<LedgerColumn>& columns,
                                const std::vector<ChartStage>& stages,
                                const std::vector<double>& changes_s);
// What the page's script needs to tell the values under the pointer; null where the columns are not
// of one width.
nlohmann::json ledger_columns_data(const std::vector<LedgerColumn>& columns);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_LEDGER_COLUMNS_H_
