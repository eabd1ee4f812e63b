// What this machine lets plumb see, and how to let it see more.
#ifndef PLUMB_CORE_CLI_DOCTOR_H_
#define PLUMB_CORE_CLI_DOCTOR_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/engine/catalog.h"
#include "core/engine/examine.h"

namespace plumb::cli {

enum class CheckState { kOk, kMissing, kBroken };  // broken: plumb cannot run

struct Check {
  std::string name;
  CheckState state = CheckState::kOk;
  std::string found;  // what was seen
  std::string fix;    // what to do; empty when nothing is to be done
};

// The kernel's side. `root` stands for /, so that it can be tried on copies.
std::vector<Check> check_kernel(const std::filesystem::path& root);
// This process: descriptors, run directory, plumb-host, plugins.
std::vector<Check> check_installation(const engine::Catalog& catalog,
                                      const std::filesystem::path& run_dir);
// The plan's target and plugins, once they have been tried.
std::vector<Check> check_plan(const engine::Examination& examination);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_DOCTOR_H_
