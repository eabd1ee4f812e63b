// The option tables as a tree: which keys a plan may hold, and where.
#ifndef PLUMB_CORE_PLAN_SCHEMA_H_
#define PLUMB_CORE_PLAN_SCHEMA_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/plan/options.h"
#include "core/plan/yaml_tree.h"

namespace plumb::plan {

struct SchemaNode {
  std::string key;
  OptionRow row;  // of the root: a section without a name
  std::vector<SchemaNode> children = {};

  const SchemaNode* find(std::string_view child) const;
  std::vector<std::string> child_keys() const;
};

// The plan's own keys, and below `plugins` those of every plugin installed.
SchemaNode make_schema(const std::vector<PluginOptions>& plugins);

// A key that can be given from outside the file, with its place in lists filled in.
struct ConcreteKey {
  std::string key;  // load.requests.0.path
  const OptionRow* row;
};
// All keys that `root` has room for: every row, list items and plugins as the tree has them.
std::vector<ConcreteKey> concrete_keys(const SchemaNode& schema, const Node& root);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_SCHEMA_H_
