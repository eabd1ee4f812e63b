#include "plugins/http_load/mcp_tool_table.h"

#include <algorithm>
#include <optional>

namespace plumb::http_load {
namespace {

using nlohmann::json;

json milliseconds(std::optional<double> ns) { return ns ? json(*ns / 1e6) : json(nullptr); }

json column(const char* key, const char* title) { return {{"key", key}, {"title", title}}; }

}  // namespace

McpToolTable::McpToolTable(const LoadPlan& plan, std::span<const Stage> stages) {
  for (size_t i = 0; i < plan.rpc.calls.size(); ++i) {
    if (plan.rpc.calls[i].kind != RpcCall::Kind::kTool) continue;
    Tool& tool = tools_.emplace_back();
    tool.endpoint = i;
    tool.name = plan.requests[i].name == endpoint_of(plan.rpc.calls[i]) ? plan.rpc.calls[i].subject
                                                                        : plan.requests[i].name;
  }
  for (const Stage& stage : stages)
    if (stage.kind == PLUMB_STAGE_STEADY) steady_.emplace_back(stage.start_ns, stage.end_ns);
}

void McpToolTable::add(const Interval& interval) {
  const bool counts = std::any_of(steady_.begin(), steady_.end(), [&](const auto& span) {
    return interval.start_ns >= span.first && interval.end_ns <= span.second;
  });
  if (!counts) return;
  // All histograms here have the one precision, so that merging cannot fail.
  for (Tool& tool : tools_) {
    const EndpointInterval& data = interval.endpoints[tool.endpoint];
    static_cast<void>(tool.ok.merge(data.response[0]));
    if (data.first_event) static_cast<void>(tool.first_event.merge(*data.first_event));
    tool.failed += data.response[1].count();
  }
}

json McpToolTable::to_json() const {
  json rows = json::array();
  for (const Tool& tool : tools_) {
    const uint64_t count = tool.ok.count() + tool.failed;
    json row = json::array();
    row.push_back(tool.name);
    row.push_back(count);
    row.push_back(count == 0
                      ? json(nullptr)
                      : json(static_cast<double>(tool.ok.count()) / static_cast<double>(count)));
    row.push_back(milliseconds(tool.ok.mean()));
    for (const double q : {0.5, 0.95, 0.99}) row.push_back(milliseconds(tool.ok.quantile(q)));
    row.push_back(milliseconds(tool.first_event.quantile(0.5)));
    rows.push_back(std::move(row));
  }
  return {{"title", "MCP tools"},
          {"columns", json::array({column("tool", "Tool"), column("count", "Calls"),
                                   column("success_rate", "Success rate"),
                                   column("mean_ms", "Mean ms"), column("p50_ms", "p50 ms"),
                                   column("p95_ms", "p95 ms"), column("p99_ms", "p99 ms"),
                                   column("first_event_p50_ms", "First event p50 ms")})},
          {"rows", std::move(rows)}};
}

}  // namespace plumb::http_load
