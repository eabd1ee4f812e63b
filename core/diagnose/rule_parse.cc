#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

#include "core/base/nearest.h"
#include "core/diagnose/rule.h"

namespace plumb::diagnose {
namespace {

// Thrown and caught in this file only: parsing is a deep descent with one way out.
struct RuleError {
  YAML::Mark mark;
  std::string message;
};

[[noreturn]] void fail(const YAML::Node& at, std::string message) {
  throw RuleError{at.Mark(), std::move(message)};
}

std::string text_of(const YAML::Node& node, const std::string& what) {
  if (!node.IsScalar()) fail(node, what + " must be text");
  return node.Scalar();
}

void check_keys(const YAML::Node& map, const std::vector<std::string>& known,
                const std::string& what) {
  if (!map.IsMap()) fail(map, what + " must be a mapping");
  for (const auto& entry : map) {
    const std::string key = text_of(entry.first, "a key");
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    fail(entry.first, "unknown key '" + key + "' in " + what + "." + did_you_mean(key, known));
  }
}

std::string get(const YAML::Node& map, const char* key, const std::string& fallback = {}) {
  return map[key] ? text_of(map[key], key) : fallback;
}

std::string need(const YAML::Node& map, const char* key, const std::string& what) {
  if (!map[key]) fail(map, what + " needs '" + key + "'");
  return text_of(map[key], key);
}

double number_of(const YAML::Node& node, const std::string& what) {
  double value = 0;
  if (!node.IsScalar() || !YAML::convert<double>::decode(node, value))
    fail(node, what + " must be a number");
  return value;
}

Labels labels_of(const YAML::Node& node) {
  Labels labels;
  if (!node) return labels;
  if (!node.IsMap()) fail(node, "labels must be a mapping");
  for (const auto& entry : node)
    labels.emplace_back(text_of(entry.first, "a label"), text_of(entry.second, "a label's value"));
  std::sort(labels.begin(), labels.end());
  return labels;
}

RowConditions conditions_of(const YAML::Node& node, const std::string& what) {
  RowConditions out;
  if (!node) return out;
  if (!node.IsMap()) fail(node, what + ".where must be a mapping of columns");
  for (const auto& entry : node)
    out.emplace_back(text_of(entry.first, "a column"), text_of(entry.second, "a cell"));
  return out;
}

FactBinding binding_of(const std::string& name, const YAML::Node& node) {
  FactBinding out{.name = name, .fact = {}};
  if (node.IsScalar()) {
    out.fact = node.Scalar();
    return out;
  }
  const std::string what = "let." + name;
  check_keys(node, {"fact", "labels", "same", "or", "table", "where"}, what);
  if (node["table"]) {
    if (node["fact"]) fail(node, what + " counts the rows of a table or is a fact, not both");
    out.table = text_of(node["table"], "table");
    out.where = conditions_of(node["where"], what);
  } else {
    out.fact = need(node, "fact", what);
  }
  out.labels = labels_of(node["labels"]);
  out.same = get(node, "same") == "true";
  if (node["or"]) out.fallback = number_of(node["or"], "let." + name + ".or");
  return out;
}

Definition definition_of(const std::string& name, const YAML::Node& node) {
  if (node.IsScalar()) return {name, node.Scalar(), "1"};
  check_keys(node, {"is", "unit"}, "define." + name);
  return {name, need(node, "is", "define." + name), get(node, "unit", "1")};
}

TextBinding text_binding_of(const std::string& name, const YAML::Node& node) {
  const std::string what = "text." + name;
  check_keys(node, {"plan", "table", "column", "where", "or", "all"}, what);
  if (node["plan"]) {
    check_keys(node, {"plan", "or"}, what);
    return {name, text_of(node["plan"], "plan"), {}, {}, get(node, "or", "unknown")};
  }
  return {name,
          {},
          need(node, "table", what),
          need(node, "column", what),
          get(node, "or", "unknown"),
          conditions_of(node["where"], what),
          get(node, "all") == "true"};
}

template <typename T, typename Parse>
std::vector<T> each(const YAML::Node& map, const char* what, Parse&& parse) {
  std::vector<T> out;
  if (!map) return out;
  if (!map.IsMap()) fail(map, std::string(what) + " must be a mapping");
  for (const auto& entry : map) out.push_back(parse(text_of(entry.first, "a name"), entry.second));
  return out;
}

std::vector<std::string> list_of(const YAML::Node& node, const char* what) {
  std::vector<std::string> out;
  if (!node) return out;
  if (!node.IsSequence()) fail(node, std::string(what) + " must be a list");
  for (const auto& item : node) out.push_back(text_of(item, what));
  return out;
}

std::vector<Advice> advice_of(const YAML::Node& node) {
  std::vector<Advice> out;
  if (!node) return out;
  if (!node.IsSequence()) fail(node, "advice must be a list");
  for (const auto& item : node) {
    if (item.IsScalar()) {
      out.push_back({item.Scalar(), {}});
      continue;
    }
    check_keys(item, {"say", "when"}, "advice");
    out.push_back({need(item, "say", "advice"), need(item, "when", "advice")});
  }
  return out;
}

void read_for_each(const YAML::Node& node, Rule& rule) {
  if (!node) return;
  if (node.IsScalar()) {
    rule.for_each = node.Scalar();
    return;
  }
  check_keys(node, {"fact", "except"}, "for_each");
  rule.for_each = need(node, "fact", "for_each");
  const YAML::Node except = node["except"];
  if (!except) return;
  if (!except.IsMap()) fail(except, "for_each.except must be a mapping of labels");
  for (const auto& entry : except)
    rule.except[text_of(entry.first, "a label")] = list_of(entry.second, "for_each.except");
}

MatrixTemplate matrix_of(const YAML::Node& node, const std::string& what) {
  check_keys(node,
             {"component", "metric", "expected", "actual", "cost", "exceeded", "of", "or_unknown"},
             what);
  return {need(node, "component", what),
          need(node, "metric", what),
          get(node, "expected"),
          need(node, "actual", what),
          get(node, "cost"),
          get(node, "exceeded"),
          get(node, "of"),
          get(node, "or_unknown") == "true"};
}

bool explains_errors(const YAML::Node& node) {
  if (!node) return false;
  const std::string what = text_of(node, "explains");
  if (what != "errors" && what != "latency") fail(node, "explains is latency or errors");
  return what == "errors";
}

Rule rule_of(const YAML::Node& node) {
  check_keys(node,
             {"id", "layer", "for_each", "let", "define", "text", "when", "cost", "confidence",
              "headroom", "says", "check", "advice", "outranks", "frees", "explains", "matrix"},
             "a rule");
  Rule rule;
  rule.id = need(node, "id", "a rule");
  const std::string what = "rule " + rule.id;
  rule.layer = need(node, "layer", what);
  static constexpr std::array<std::string_view, 8> kLayers = {
      "client", "network", "app", "database", "sqlite", "downstream", "host", "validity"};
  if (std::find(kLayers.begin(), kLayers.end(), rule.layer) == kLayers.end())
    fail(node["layer"], what + ": unknown layer '" + rule.layer + "'");
  read_for_each(node["for_each"], rule);
  rule.let = each<FactBinding>(node["let"], "let", binding_of);
  rule.define = each<Definition>(node["define"], "define", definition_of);
  rule.text = each<TextBinding>(node["text"], "text", text_binding_of);
  rule.when = get(node, "when");
  rule.cost = get(node, "cost");
  if (node["confidence"]) rule.confidence = number_of(node["confidence"], "confidence");
  rule.says = get(node, "says");
  rule.check = get(node, "check");
  rule.headroom = get(node, "headroom");
  rule.explains_errors = explains_errors(node["explains"]);
  rule.advice = advice_of(node["advice"]);
  rule.outranks = list_of(node["outranks"], "outranks");
  rule.frees = list_of(node["frees"], "frees");
  if (const YAML::Node matrix = node["matrix"]) rule.matrix = matrix_of(matrix, what + ".matrix");
  if (rule.when.empty() && !rule.matrix)
    fail(node, what + " has neither 'when' nor 'matrix': it could never say anything");
  if (!rule.when.empty() && ((rule.cost.empty() && rule.headroom.empty()) || rule.says.empty()))
    fail(node, what + " has 'when' and so needs 'says', and 'cost' or 'headroom'");
  return rule;
}

}  // namespace

Result<std::vector<Rule>> parse_rules(std::string_view origin, std::string_view yaml) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsSequence()) fail(root, "a file of rules is a list");
    std::vector<Rule> rules;
    for (const auto& node : root) {
      rules.push_back(rule_of(node));
      rules.back().origin = origin;
    }
    return rules;
  } catch (const RuleError& e) {
    return Status::invalid_argument(std::string(origin) + ":" + std::to_string(e.mark.line + 1) +
                                    ":" + std::to_string(e.mark.column + 1) + ": " + e.message);
  } catch (const YAML::Exception& e) {
    return Status::invalid_argument(std::string(origin) + ":" + std::to_string(e.mark.line + 1) +
                                    ":" + std::to_string(e.mark.column + 1) + ": " + e.msg);
  }
}

}  // namespace plumb::diagnose
