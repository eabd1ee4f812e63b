// Test support: runs whose stacks are held in memory.
#ifndef PLUMB_CORE_PROFILE_STACKS_FOR_TESTS_H_
#define PLUMB_CORE_PROFILE_STACKS_FOR_TESTS_H_

#include <utility>
#include <vector>

#include "core/facts/run_builder.h"

namespace plumb::testing {

inline constexpr int64_t kSecond = RunBuilder::kSecond;

inline StackBatch stacks_of(std::string profile, int64_t start_ns, int64_t end_ns,
                            std::vector<FoldedStack> stacks, std::string unit = "seconds",
                            std::string plugin = "stack_profile") {
  return {std::move(plugin), std::move(profile), std::move(unit), "help",
          PLUMB_LAYER_APP,   start_ns,           end_ns,          std::move(stacks)};
}

inline store::StackReader reader_of(std::vector<StackBatch> batches) {
  return [batches = std::move(batches)](const std::function<Status(const StackBatch&)>& take) {
    for (const StackBatch& batch : batches) PLUMB_RETURN_IF_ERROR(take(batch));
    return Status::ok();
  };
}

// A run as RunBuilder makes it: 2 s of warm-up, steady until second 12.
inline store::RunData run_with(std::vector<StackBatch> batches) {
  store::RunData run = std::move(RunBuilder().data());
  run.stacks = reader_of(std::move(batches));
  return run;
}

}  // namespace plumb::testing

#endif  // PLUMB_CORE_PROFILE_STACKS_FOR_TESTS_H_
