// Option tables: what a key takes. The plan's own keys and those of every plugin are described by
// the same rows, and validation, `plumb validate --print`, docs/plan.md and `plumb plugin info` are
// derived from them.
#ifndef PLUMB_CORE_PLAN_OPTIONS_H_
#define PLUMB_CORE_PLAN_OPTIONS_H_

#include <plumb/abi/plugin.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::plan {

// The first seven are those of enum plumb_option_type; the rest occur in the plan's own table only.
enum class OptionType : uint32_t {
  kString = PLUMB_OPTION_STRING,
  kInteger = PLUMB_OPTION_INTEGER,
  kNumber = PLUMB_OPTION_NUMBER,
  kBoolean = PLUMB_OPTION_BOOLEAN,
  kDuration = PLUMB_OPTION_DURATION,  // carried as integer nanoseconds
  kSize = PLUMB_OPTION_SIZE,          // carried as integer bytes
  kPath = PLUMB_OPTION_PATH,
  kRate = 32,  // written 200/s; carried per second
  kRatio,      // written 0.1% or 0.001; carried 0 to 1
  kStrings,    // list of strings
  kIntegers,   // list of integers, or one
  kStringMap,  // names to strings
  kAny,        // any YAML value, carried as JSON
  kSection,    // holds the keys below it
  kSections,   // list of sections; their keys are written with [] after the list's
};

struct OptionRow {
  std::string key =
      {};  // in the plan's own table dotted from the root, such as load.requests[].path
  OptionType type = OptionType::kString;
  std::string unit = {};
  // As a user would write them.
  std::optional<std::string> default_value = {};
  std::optional<std::string> minimum = {};
  std::optional<std::string> maximum = {};
  std::vector<std::string> one_of = {};
  bool required = false;
  bool secret = false;  // redacted wherever plumb writes
  bool open = false;    // of a map: a value is no secret for the sake of its name
  std::string help = {};
};

// What a plan needs to know of an installed plugin.
struct PluginOptions {
  std::string name;
  uint32_t role = PLUMB_ROLE_SAMPLER;  // enum plumb_role
  std::vector<OptionRow> options = {};
};

bool declares(const PluginOptions& plugin, std::string_view key);

// "duration", "rate", "list of strings", ...
std::string_view option_type_name(OptionType type);
// What a user is told to write, such as "a duration such as 100ms, 5s or 2m".
std::string_view option_type_expectation(OptionType type);

// The plan's own keys, sections before their keys, in the order in which they are documented.
const std::vector<OptionRow>& plan_option_table();

// What every sampler takes besides its own options: `interval` and `cpu_budget`. A plugin that
// declares an option of such a name itself gets the value instead.
const std::vector<OptionRow>& sampler_options();

struct Profile {
  std::string name;
  // Keys of load: and their values, as a user would write them.
  std::vector<std::pair<std::string, std::string>> values;
  std::string help;
};
const std::vector<Profile>& load_profiles();

// Limits that common operations are held to, for slos[].preset.
struct SloPreset {
  std::string name;
  std::vector<std::pair<std::string, std::string>> limits;  // metric and value, as written
  std::string help;
};
const std::vector<SloPreset>& slo_presets();

// docs/plan.md.
std::string plan_reference();

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_OPTIONS_H_
