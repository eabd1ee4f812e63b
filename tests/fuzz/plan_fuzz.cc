// Fuzzes the plan parser: any text gives a plan or problems, in bounded time, and a plan that is
// accepted resolves to a plan that is accepted too.
#include <cstdint>
#include <cstdlib>

#include "core/plan/load_plan.h"
#include "core/plan/plan_for_tests.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plumb::plan;
  static const Inputs inputs = [] {
    Inputs all = inputs_for_tests();
    all.environment["A"] = "a";
    return all;
  }();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome first = parse_plan(text, "plan.yaml", inputs);
  (void)first.text();
  if (!first.ok()) return 0;
  // Written with the same syntax, a value that holds ${ would be substituted anew.
  const std::string resolved = first.plan.resolved.dump();
  if (resolved.find("${") != std::string::npos) return 0;
  const Outcome second = parse_plan(resolved, "plan.yaml", inputs);
  if (!second.ok() || second.plan.resolved != first.plan.resolved) std::abort();
  return 0;
}
