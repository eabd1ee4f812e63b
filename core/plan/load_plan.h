// From a YAML file to a checked Plan. Values come, the first that is given, from flags, from
// PLUMB_* variables of the environment, from the file, from the load profile, from the default.
// The text is not trusted, and every problem is collected, not only the first.
#ifndef PLUMB_CORE_PLAN_LOAD_PLAN_H_
#define PLUMB_CORE_PLAN_LOAD_PLAN_H_

#include <filesystem>
#include <map>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/options.h"
#include "core/plan/plan.h"

namespace plumb::plan {

// A value given on the command line (or by a caller of the API) for a dotted key; list items by
// index, such as load.requests.0.path. A value that begins with [ or { is read as YAML.
struct Override {
  std::string key;
  std::string value;
  std::string source = "--set";  // how messages call it
};

struct Inputs {
  std::vector<Override> overrides = {};  // a later one of the same key wins
  std::map<std::string, std::string> environment = {};
  std::vector<PluginOptions> plugins = {};  // what is installed
  // A plan that comes from elsewhere must not read or write files as whoever runs it does: then the
  // load's files (log, replay, feeders) are problems, and none is looked at.
  bool may_name_files = true;
};

struct Problem {
  std::string source;  // the file, or "--set", or "PLUMB_LOAD_RATE"
  int line = 0;        // from 1; 0: none
  int column = 0;
  std::string key;  // dotted, or empty
  std::string message;
  std::string hint;  // what to do, or empty

  // plan.yaml:12:9: load.rate: expected a rate ..., and the hint on a line of its own.
  std::string text() const;
};

// `plan` is complete only when there are no problems.
struct Outcome {
  Plan plan;
  std::vector<std::string> keys;  // the dotted keys that have a value, in the documented order
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
  bool ok() const { return problems.empty(); }
  // All problems, one after the other, with a line break between them.
  std::string text() const;
};

// `file` is what messages call the text.
Outcome parse_plan(std::string_view text, const std::string& file, const Inputs& inputs);
// As parse_plan; that the file cannot be read is a problem too.
Outcome read_plan(const std::filesystem::path& file, const Inputs& inputs);
// As read_plan; the status holds all problems.
Result<Plan> load_plan(const std::filesystem::path& file, const Inputs& inputs);

std::map<std::string, std::string> process_environment();

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_LOAD_PLAN_H_
