#include "core/plan/schema.h"

#include <algorithm>

namespace plumb::plan {
namespace {

void insert(SchemaNode& parent, std::string_view rest, const OptionRow& row) {
  const size_t dot = rest.find('.');
  std::string_view word = rest.substr(0, dot);
  if (word.ends_with("[]")) word.remove_suffix(2);
  auto at = std::find_if(parent.children.begin(), parent.children.end(),
                         [&](const SchemaNode& child) { return child.key == word; });
  if (at == parent.children.end())
    at = parent.children.insert(parent.children.end(),
                                SchemaNode{std::string(word), {.type = OptionType::kSection}, {}});
  if (dot == std::string_view::npos)
    at->row = row;
  else
    insert(*at, rest.substr(dot + 1), row);
}

void collect(const SchemaNode& schema, const Node* node, const std::string& prefix, bool in_plugins,
             std::vector<ConcreteKey>& out) {
  for (const SchemaNode& child : schema.children) {
    const std::string key = prefix + child.key;
    const Node* value = node == nullptr ? nullptr : node->find(child.key);
    if (child.row.type == OptionType::kSection) {
      // A plugin that the plan does not use takes no values.
      if (!in_plugins || value != nullptr)
        collect(child, value, key + ".", prefix.empty() && child.key == "plugins", out);
    } else if (child.row.type == OptionType::kSections) {
      for (size_t i = 0; value != nullptr && i < value->items.size(); ++i)
        collect(child, &value->items[i], key + "." + std::to_string(i) + ".", false, out);
    } else {
      out.push_back({key, &child.row});
    }
  }
}

}  // namespace

const SchemaNode* SchemaNode::find(std::string_view child) const {
  for (const SchemaNode& node : children)
    if (node.key == child) return &node;
  return nullptr;
}

std::vector<std::string> SchemaNode::child_keys() const {
  std::vector<std::string> keys;
  keys.reserve(children.size());
  for (const SchemaNode& node : children) keys.push_back(node.key);
  return keys;
}

SchemaNode make_schema(const std::vector<PluginOptions>& plugins) {
  SchemaNode root;
  root.row.type = OptionType::kSection;
  for (const OptionRow& row : plan_option_table()) insert(root, row.key, row);
  for (const PluginOptions& plugin : plugins) {
    const std::string prefix = "plugins." + plugin.name;
    insert(root, prefix, {.key = plugin.name, .type = OptionType::kSection});
    for (const OptionRow& row : plugin.options) insert(root, prefix + "." + row.key, row);
    if (plugin.role != PLUMB_ROLE_SAMPLER) continue;
    for (const OptionRow& row : sampler_options())
      if (!declares(plugin, row.key)) insert(root, prefix + "." + row.key, row);
  }
  return root;
}

std::vector<ConcreteKey> concrete_keys(const SchemaNode& schema, const Node& root) {
  std::vector<ConcreteKey> out;
  collect(schema, &root, "", false, out);
  return out;
}

}  // namespace plumb::plan
