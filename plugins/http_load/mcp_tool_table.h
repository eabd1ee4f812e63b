// The table mcp_tools: how each tool of a server of MCP did over the measured part of the load.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_MCP_TOOL_TABLE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_MCP_TOOL_TABLE_H_

#include <nlohmann/json.hpp>
#include <plumb/histogram.hpp>
#include <plumb/plugin.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/recorder.h"

namespace plumb::http_load {

class McpToolTable {
 public:
  // `plan` has been through discover_mcp(). Intervals within the steady ones of `stages` count.
  McpToolTable(const LoadPlan& plan, std::span<const Stage> stages);
  void add(const Interval& interval);
  // As Host::table takes it. Times are those of calls that succeeded; null where there were none.
  nlohmann::json to_json() const;

 private:
  struct Tool {
    std::string name;
    size_t endpoint = 0;
    Histogram ok;
    Histogram first_event;
    uint64_t failed = 0;
  };
  std::vector<Tool> tools_;
  std::vector<std::pair<int64_t, int64_t>> steady_;  // from, to
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_MCP_TOOL_TABLE_H_
