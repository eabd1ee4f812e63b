// Checks a tree against the option tables: types, ranges, unknown, missing and duplicate keys.
#ifndef PLUMB_CORE_PLAN_CHECK_H_
#define PLUMB_CORE_PLAN_CHECK_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/plan/problems.h"
#include "core/plan/schema.h"

namespace plumb::plan {

// One checked value.
struct Value {
  nlohmann::json carried;  // in carried units (ns, bytes, per second, ratio); of a list its length
  std::string written;     // of a scalar, as the user wrote it
  Mark mark;
  Layer layer = Layer::kDefault;
  std::string source;  // empty: the plan
  bool secret = false;
};

struct Checked {
  std::map<std::string, Value> values;   // by dotted key, defaults included
  std::vector<std::string> order;        // the keys as documented
  std::map<std::string, Mark> sections;  // where each section and list item began, by dotted key
  nlohmann::json resolved = nlohmann::json::object();  // in the form of a plan, secrets redacted
  std::vector<std::string>
      secrets;  // what was redacted in requests: values of the environment, and of secret names
};

// What stands in for a secret.
inline constexpr const char* kRedacted = "***";

Checked check(const Node& root, const SchemaNode& schema, Problems& problems);

// A header whose value is a credential.
bool is_secret_header(std::string_view name);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_CHECK_H_
