#include "core/plan/layers.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <span>

#include "core/base/nearest.h"
#include "core/plan/quantity.h"

namespace plumb::plan {
namespace {

void stamp(Node& node, Layer layer, const std::string& source) {
  node.layer = layer;
  node.source = source;
  for (Node& item : node.items) stamp(item, layer, source);
  for (Node& entry : node.entries) stamp(entry, layer, source);
}

// The words of load.requests[0].path or load.requests.0.path.
std::vector<std::string> words_of(std::string_view key) {
  std::vector<std::string> words(1);
  for (const char c : key) {
    if (c == '.' || c == '[')
      words.emplace_back();
    else if (c != ']')
      words.back() += c;
  }
  return words;
}

// Makes room for `words` below `root` and gives the value's place, or says why there is none.
Node* place_of(Node& root, const std::vector<std::string>& words, std::string& why_not) {
  if (words.size() > kDeepestNesting) {
    why_not = "the key has more than " + std::to_string(kDeepestNesting) + " words";
    return nullptr;
  }
  Node* at = &root;
  for (const std::string& word : words) {
    if (word.empty()) {
      why_not = "a key is words with dots between them, such as load.rate";
      return nullptr;
    }
    if (at->kind == Node::Kind::kNull) at->kind = Node::Kind::kMap;
    if (at->kind == Node::Kind::kScalar) {
      why_not = "there is nothing below a plain value";
      return nullptr;
    }
    if (at->kind == Node::Kind::kMap) {
      Node* next = at->find(word);
      if (next == nullptr) {
        at->entries.push_back(Node{.layer = Layer::kFlag, .key = word});
        next = &at->entries.back();
      }
      at = next;
      continue;
    }
    const auto index = parse_integer(word);
    if (!index || *index < 0 || static_cast<size_t>(*index) > at->items.size()) {
      why_not = "the list has " + std::to_string(at->items.size()) + " items, counted from 0; " +
                in_quotes(word) + " is none of them";
      return nullptr;
    }
    if (static_cast<size_t>(*index) == at->items.size()) at->items.emplace_back();
    at = &at->items[static_cast<size_t>(*index)];
  }
  return at;
}

void set_value(Node& root, const Override& given, Layer layer, Problems& problems) {
  if (!is_utf8(given.value)) {
    problems.from(given.source, given.key, "the value is not UTF-8 text");
    return;
  }
  Node value{.kind = Node::Kind::kScalar, .text = given.value};
  if (given.value.starts_with('[') || given.value.starts_with('{')) {
    auto parsed = parse_yaml(given.value);
    if (const auto* fault = std::get_if<YamlFault>(&parsed)) {
      problems.from(given.source, given.key, fault->message, fault->hint);
      return;
    }
    value = std::move(std::get<Node>(parsed));
  }
  stamp(value, layer, given.source);
  std::string why_not;
  Node* place = place_of(root, words_of(given.key), why_not);
  if (place == nullptr) {
    problems.from(given.source, given.key, why_not);
    return;
  }
  value.key = std::move(place->key);
  value.key_mark = place->key_mark;
  *place = std::move(value);
}

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_name(std::string_view text) {
  return !text.empty() && is_name_start(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_name_start(c) || std::isdigit(static_cast<unsigned char>(c));
         });
}

class Substitution {
 public:
  Substitution(const Inputs& inputs, Problems& problems) : inputs_(inputs), problems_(problems) {}

  void apply(Node& node, const std::string& key) {
    for (size_t i = 0; i < node.items.size(); ++i)
      apply(node.items[i], key + "." + std::to_string(i));
    for (Node& entry : node.entries) apply(entry, key.empty() ? entry.key : key + "." + entry.key);
    if (node.kind == Node::Kind::kScalar && node.layer == Layer::kPlan) replace(node, key);
  }

 private:
  void replace(Node& node, const std::string& key) {
    std::string out;
    std::string_view rest = node.text;
    for (size_t at = rest.find("${"); at != std::string_view::npos; at = rest.find("${")) {
      if (at > 0 && rest[at - 1] == '$') {
        out.append(rest.substr(0, at - 1)).append("${");
        rest.remove_prefix(at + 2);
        continue;
      }
      out.append(rest.substr(0, at));
      const size_t end = rest.find('}', at);
      if (end == std::string_view::npos) {
        problems_.at(node, key, "${ without its }", "write ${NAME}, or $${ for a plain ${");
        return;
      }
      const std::string_view inside = rest.substr(at + 2, end - at - 2);
      const auto value = value_of(inside, node, key);
      if (!value) return;
      out += *value;
      node.substituted = true;
      rest.remove_prefix(end + 1);
    }
    node.text = out.append(rest);
  }

  std::optional<std::string> value_of(std::string_view inside, const Node& node,
                                      const std::string& key) {
    const size_t colon = inside.find(":-");
    const std::string name(inside.substr(0, colon));
    if (!is_name(name)) {
      problems_.at(node, key, in_quotes(name) + " is no name of a variable",
                   "write ${NAME} or ${NAME:-default}");
      return std::nullopt;
    }
    const auto found = inputs_.environment.find(name);
    const bool given = found != inputs_.environment.end();
    if (colon != std::string_view::npos && (!given || found->second.empty()))
      return std::string(inside.substr(colon + 2));
    if (!given) {
      problems_.at(node, key, "the environment variable " + name + " is not set",
                   "export " + name + "=..., or write ${" + name + ":-default} in the plan");
      return std::nullopt;
    }
    if (!is_utf8(found->second)) {
      problems_.at(node, key, "the environment variable " + name + " is not UTF-8 text");
      return std::nullopt;
    }
    return found->second;
  }

  const Inputs& inputs_;
  Problems& problems_;
};

void put(Node& map, const std::string& key, Node value) {
  value.key = key;
  for (Node& entry : map.entries)
    if (entry.key == key) {
      value.key_mark = entry.key_mark;
      entry = std::move(value);
      return;
    }
  map.entries.push_back(std::move(value));
}

void remove(Node& map, std::string_view key) {
  std::erase_if(map.entries, [&](const Node& entry) { return entry.key == key; });
}

void expand_profile(Node& load) {
  const Node* chosen = load.find("profile");
  if (chosen == nullptr) return;
  const auto& profiles = load_profiles();
  const auto profile = std::find_if(profiles.begin(), profiles.end(),
                                    [&](const Profile& p) { return p.name == chosen->text; });
  if (profile == profiles.end()) return;  // the check of its type says so
  const Layer layer = chosen->layer == Layer::kFlag          ? Layer::kProfileInFlag
                      : chosen->layer == Layer::kEnvironment ? Layer::kProfileInEnvironment
                                                             : Layer::kProfileInPlan;
  const Mark mark = chosen->mark;
  for (const auto& [key, text] : profile->values) {
    const Node* present = load.find(key);
    if (present != nullptr && present->layer > layer) continue;
    Node value{.kind = Node::Kind::kScalar, .text = text};
    if (text.starts_with('[')) value = std::move(std::get<Node>(parse_yaml(text)));
    stamp(value, layer, "profile " + profile->name);
    value.mark = mark;
    put(load, key, std::move(value));
  }
}

constexpr std::string_view kOpenKeys[] = {"rate", "arrivals", "replay"};
constexpr std::string_view kClosedKeys[] = {"users", "spawn_rate", "think", "pacing"};

// The one key of these that says how much load there is: that of the highest layer. Null when there
// is none or more than one, which is a problem then. rate and users are told apart by the model.
const Node* settle_source(Node& load, Problems& problems) {
  constexpr std::string_view kSources[] = {"stages", "replay", "rate", "users"};
  Layer highest = Layer::kDefault;
  for (const std::string_view key : kSources)
    if (const Node* value = load.find(key)) highest = std::max(highest, value->layer);
  const Node* stages = load.find("stages");
  const Node* replay = load.find("replay");
  if (stages != nullptr && stages->layer < highest) remove(load, "stages");
  if (replay != nullptr && replay->layer < highest) remove(load, "replay");
  for (const std::string_view chosen : {"stages", "replay"}) {
    if (load.find(chosen) == nullptr) continue;
    for (const std::string_view other : kSources) {
      const Node* value = load.find(other);
      if (value == nullptr || other == chosen) continue;
      if (value->layer < highest) {
        remove(load, other);
        continue;
      }
      problems.at(*value, "load." + std::string(other),
                  "both " + std::string(chosen) + " and " + std::string(other) + " are given",
                  "keep one of them");
      return nullptr;
    }
    return load.find(chosen);
  }
  return nullptr;
}

bool any_stage_has(const Node& stages, std::string_view key) {
  return std::any_of(stages.items.begin(), stages.items.end(),
                     [&](const Node& stage) { return stage.find(key) != nullptr; });
}

// Stages say the model, the warm-up and the duration themselves.
void settle_stages(Node& load, const Node& stages, Problems& problems) {
  const Layer layer = stages.layer;
  const bool open = any_stage_has(stages, "rate");
  const bool closed = any_stage_has(stages, "users");
  std::vector<std::string_view> idle = {"warmup", "duration", "spawn_rate", "model"};
  if (!open) idle.push_back("arrivals");
  if (!closed) idle.insert(idle.end(), {"think", "pacing"});
  for (const std::string_view key : idle) {
    const Node* value = load.find(key);
    if (value == nullptr) continue;
    if (value->layer >= layer)
      problems.at(*value, "load." + std::string(key), "has no effect beside stages",
                  key == "spawn_rate" ? "write a stage {ramp: 10s, users: 50}" : "remove it");
    remove(load, key);
  }
  put(load, "model",
      Node{.kind = Node::Kind::kScalar,
           .text = open ? "open" : "closed",
           .layer = layer,
           .source = "default"});
}

// Where the model is not written it follows from the key of the highest layer.
void infer_model(Node& load, Problems& problems) {
  if (load.find("model") != nullptr) return;
  const Node* rate = load.find(load.find("replay") != nullptr ? "replay" : "rate");
  const Node* users = load.find("users");
  if (rate != nullptr && users != nullptr && rate->layer == users->layer) {
    problems.at(*users, "load.users", "both rate and users are given",
                "rate is for the open model, users for the closed one: keep one of them");
    return;
  }
  const bool open = rate != nullptr && (users == nullptr || rate->layer > users->layer);
  const Layer layer = open ? rate->layer : users != nullptr ? users->layer : Layer::kDefault;
  put(load, "model",
      Node{.kind = Node::Kind::kScalar,
           .text = open ? "open" : "closed",
           .layer = layer,
           .source = "default"});
}

// What a request is called whose name is not given: what it asks for.
std::string name_of(const Node& request) {
  const auto text = [&](const char* key) {
    const Node* value = request.find(key);
    return value != nullptr && value->kind == Node::Kind::kScalar ? value->text : std::string();
  };
  if (const std::string tool = text("tool"); !tool.empty()) return "tools/call " + tool;
  if (const std::string uri = text("resource"); !uri.empty()) return "resources/read " + uri;
  if (const std::string prompt = text("prompt"); !prompt.empty()) return "prompts/get " + prompt;
  if (const std::string list = text("list"); !list.empty()) return list + "/list";
  if (std::string method = text("rpc"); !method.empty()) return method;
  const Node* path = request.find("path");
  return path == nullptr ? "/" : path->text;
}

}  // namespace

std::string variable_of(std::string_view key) {
  std::string name = "PLUMB_";
  for (const char c : key)
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void apply_overrides(Node& root, const SchemaNode& schema, const Inputs& inputs, Problems& problems,
                     std::vector<std::string>& warnings) {
  std::set<std::string> known;
  for (const ConcreteKey& key : concrete_keys(schema, root)) {
    const std::string variable = variable_of(key.key);
    known.insert(variable);
    const auto found = inputs.environment.find(variable);
    if (found != inputs.environment.end())
      set_value(root, {key.key, found->second, variable}, Layer::kEnvironment, problems);
  }
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& [variable, value] : inputs.environment)
    for (const char* prefix : {"PLUMB_LOAD_", "PLUMB_TARGET_", "PLUMB_SLOS_", "PLUMB_PLUGINS_"})
      if (variable.starts_with(prefix) && !known.contains(variable))
        warnings.push_back("the environment variable " + variable +
                           " names no key of this plan and has no effect." +
                           did_you_mean(variable, names));
  for (const Override& given : inputs.overrides) set_value(root, given, Layer::kFlag, problems);
}

void substitute_variables(Node& root, const Inputs& inputs, Problems& problems) {
  Substitution(inputs, problems).apply(root, "");
}

void settle_load(Node& root, Problems& problems) {
  Node* load = root.find("load");
  if (load != nullptr && load->kind == Node::Kind::kNull) load->kind = Node::Kind::kMap;
  if (load == nullptr || load->kind != Node::Kind::kMap) return;
  expand_profile(*load);
  const Node* source = settle_source(*load, problems);
  if (const Node* stages = load->find("stages"); stages != nullptr && source == stages)
    return settle_stages(*load, Node(*stages), problems);
  infer_model(*load, problems);
  const Node* model = load->find("model");
  if (model == nullptr || (model->text != "open" && model->text != "closed")) return;
  const bool open = model->text == "open";
  const Layer layer = model->layer;
  const std::span<const std::string_view> idle =
      open ? std::span<const std::string_view>(kClosedKeys) : kOpenKeys;
  bool contradictory = false;
  for (const std::string_view key : idle) {
    const Node* value = load->find(key);
    if (value == nullptr) continue;
    contradictory = contradictory || value->layer >= layer;
    if (value->layer >= layer)
      problems.at(*value, "load." + std::string(key),
                  std::string("is for the ") + (open ? "closed" : "open") +
                      " model, and load.model is " + model->text,
                  std::string("remove it, or set load.model to ") + (open ? "closed" : "open"));
    remove(*load, key);
  }
  const char* needed = !open ? "users" : load->find("replay") != nullptr ? "replay" : "rate";
  if (load->find(needed) == nullptr && !contradictory)
    problems.at(load->mark, std::string("load.") + needed,
                std::string("is missing: the ") + model->text + " model needs it",
                open ? "add rate: 200/s" : "add users: 20, or rate: 200/s, or profile: light");
}

void settle_names(Node& root, const std::string& plan_name) {
  const auto add = [](Node& map, const std::string& key, const std::string& text) {
    put(map, key,
        Node{.kind = Node::Kind::kScalar,
             .text = text,
             .mark = map.mark,
             .layer = Layer::kDefault,
             .source = "default"});
  };
  if (root.find("name") == nullptr) add(root, "name", plan_name);
  Node* load = root.find("load");
  if (load == nullptr || load->kind != Node::Kind::kMap) return;
  const Node* requests = load->find("requests");
  const bool is_missing = requests == nullptr || requests->kind == Node::Kind::kNull;
  const Node* protocol = load->find("protocol");
  // What a server of MCP offers is asked of it when the load begins.
  if (is_missing && protocol != nullptr && protocol->text == "mcp") return;
  if (is_missing) {
    Node one{.kind = Node::Kind::kMap, .layer = Layer::kDefault, .source = "default"};
    add(one, "path", "/");
    put(*load, "requests",
        Node{.kind = Node::Kind::kList,
             .layer = Layer::kDefault,
             .source = "default",
             .items = {std::move(one)}});
  }
  for (Node& request : load->find("requests")->items) {
    if (request.kind != Node::Kind::kMap) continue;
    if (request.find("name") == nullptr) add(request, "name", name_of(request));
    if (Node* method = request.find("method"))
      for (char& c : method->text)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
}

}  // namespace plumb::plan
