// Any bytes as the JSON of a plan, and any bytes as a condition's literal inside one: no crash, a
// bounded answer, and nothing of the literal in it.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "plugins/pg_stats/plan_text.h"

namespace {

constexpr size_t kMostText = 4000;

void check_bounded(const plumb::pg_stats::PlanSummary& plan) {
  if (plan.text.size() > kMostText || !(plan.cost >= 0)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using plumb::pg_stats::summarise_plan;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto plan = summarise_plan(text); plan.is_ok()) check_bounded(*plan);
  (void)plumb::pg_stats::may_be_planned(text);

  std::string literal = "'";
  for (const char c : text) literal += c == '\'' ? "''" : std::string(1, c);
  literal += "'::text";
  const nlohmann::json node = {{"Node Type", "Seq Scan"},
                               {"Relation Name", "t"},
                               {"Total Cost", 1},
                               {"Plan Rows", 1},
                               {"Filter", "(a = " + literal + ")"},
                               {"Output", literal},
                               {literal, literal}};
  const nlohmann::json document = nlohmann::json::array({{{"Plan", node}}});
  const auto plan =
      summarise_plan(document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  // Only a text too long for a plan is refused.
  if (!plan.is_ok()) return 0;
  if (plan->text != "Seq Scan on t  (cost=1 rows=1)\n    Filter: (a = ?::text)\n") __builtin_trap();
  return 0;
}
