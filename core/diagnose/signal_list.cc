#include "core/diagnose/signal_list.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

namespace plumb::diagnose {
namespace {

constexpr std::array<std::string_view, 8> kKeys = {"name",   "prefix", "kind",        "unit",
                                                   "labels", "layer",  "ledger_line", "resource"};

// Thrown and caught in this file only.
struct ListError {
  YAML::Mark mark;
  std::string message;
};

std::string listed_scalar(const YAML::Node& node, const char* what) {
  if (!node.IsScalar()) throw ListError{node.Mark(), std::string(what) + " must be text"};
  return node.Scalar();
}

std::string listed_text(const YAML::Node& map, const char* key) {
  return map[key] ? listed_scalar(map[key], key) : "";
}

// One text, or a list of them.
std::vector<std::string> listed_texts(const YAML::Node& node, const char* what) {
  std::vector<std::string> out;
  if (!node) return out;
  if (node.IsScalar()) return {node.Scalar()};
  if (!node.IsSequence()) throw ListError{node.Mark(), std::string(what) + " must be a list"};
  for (const auto& item : node) out.push_back(listed_scalar(item, what));
  return out;
}

uint32_t listed_kind(const YAML::Node& node) {
  const std::string kind = listed_text(node, "kind");
  for (const uint32_t known :
       {uint32_t{PLUMB_KIND_COUNTER}, uint32_t{PLUMB_KIND_GAUGE}, uint32_t{PLUMB_KIND_HISTOGRAM}})
    if (kind_name(known) == kind) return known;
  throw ListError{node.Mark(), "kind is counter, gauge or histogram"};
}

std::vector<ListedLabel> listed_labels(const YAML::Node& node) {
  std::vector<ListedLabel> out;
  if (!node) return out;
  if (!node.IsMap()) throw ListError{node.Mark(), "labels must be a mapping"};
  for (const auto& entry : node) {
    ListedLabel label{listed_scalar(entry.first, "a label"), false,
                      listed_texts(entry.second, "a label")};
    if (label.name.ends_with('?')) {
      label.name.pop_back();
      label.optional = true;
    }
    out.push_back(std::move(label));
  }
  return out;
}

ListedSeries listed_series(const YAML::Node& node) {
  if (!node.IsMap()) throw ListError{node.Mark(), "a series is a mapping"};
  for (const auto& entry : node) {
    const std::string key = listed_scalar(entry.first, "a key");
    if (std::ranges::find(kKeys, key) == kKeys.end())
      throw ListError{entry.first.Mark(), "unknown key '" + key + "' in a series"};
  }
  ListedSeries out;
  if (node["prefix"]) {
    out.name = listed_text(node, "prefix");
    out.is_family = true;
    return out;
  }
  out.name = listed_text(node, "name");
  out.unit = listed_text(node, "unit");
  if (out.name.empty() || out.unit.empty())
    throw ListError{node.Mark(), "a series needs 'name', 'kind' and 'unit'"};
  out.kind = listed_kind(node);
  out.labels = listed_labels(node["labels"]);
  out.layers = listed_texts(node["layer"], "layer");
  out.ledger_line = listed_text(node, "ledger_line");
  out.resource = listed_text(node, "resource");
  return out;
}

Status problem(std::string_view origin, const YAML::Mark& mark, const std::string& message) {
  return Status::invalid_argument(std::string(origin) + ":" + std::to_string(mark.line + 1) + ":" +
                                  std::to_string(mark.column + 1) + ": " + message);
}

bool has_labels_of(const ListedSeries& listed, const Labels& labels) {
  const bool all_known = std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto known = std::find_if(listed.labels.begin(), listed.labels.end(),
                                    [&](const ListedLabel& l) { return l.name == label.first; });
    return known != listed.labels.end() &&
           (known->values.empty() ||
            std::ranges::find(known->values, label.second) != known->values.end());
  });
  return all_known &&
         std::all_of(listed.labels.begin(), listed.labels.end(), [&](const ListedLabel& label) {
           return label.optional ||
                  std::any_of(labels.begin(), labels.end(),
                              [&](const auto& given) { return given.first == label.name; });
         });
}

constexpr std::string_view kEngineSignals = R"(
- {name: plumb_cpu_seconds_total, kind: counter, unit: seconds, labels: {plugin: []}}
- {name: plumb_resident_bytes, kind: gauge, unit: bytes, labels: {plugin: []}}
- {name: plumb_dropped_total, kind: counter, unit: "1", labels: {plugin: []}}
- {name: plumb_collect_interval_seconds, kind: gauge, unit: seconds, labels: {plugin: []}}
- {name: plumb_collect_late_seconds, kind: gauge, unit: seconds, labels: {plugin: []}}
- {name: plumb_collects_skipped_total, kind: counter, unit: samples, labels: {plugin: []}}
- {name: plumb_collects_failed_total, kind: counter, unit: samples, labels: {plugin: []}}
)";

}  // namespace

Result<SignalList> parse_signals(std::string_view origin, std::string_view yaml) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsSequence()) throw ListError{root.Mark(), "a file of signals is a list"};
    SignalList out;
    for (const auto& node : root) out.push_back(listed_series(node));
    return out;
  } catch (const ListError& e) {
    return problem(origin, e.mark, e.message);
  } catch (const YAML::Exception& e) {
    return problem(origin, e.mark, e.msg);
  }
}

const SignalList& engine_signals() {
  static const SignalList list = parse_signals("engine", kEngineSignals).value();
  return list;
}

const ListedSeries* find_listed(const SignalList& list, std::string_view name) {
  for (const ListedSeries& series : list)
    if (series.is_family ? name.starts_with(series.name) : series.name == name) return &series;
  return nullptr;
}

std::string difference_to_list(const SignalList& list, const SeriesInfo& series) {
  const ListedSeries* listed = find_listed(list, series.name);
  if (listed == nullptr) return series.name + " is not listed";
  if (listed->is_family) return {};
  if (listed->kind != series.kind)
    return series.name + " is a " + std::string(kind_name(series.kind)) + ", listed as a " +
           std::string(kind_name(listed->kind));
  if (listed->unit != series.unit)
    return series.name + " is in '" + series.unit + "', listed in '" + listed->unit + "'";
  if (!has_labels_of(*listed, series.labels)) {
    std::string labels;
    for (const auto& [name, value] : series.labels) labels += " " + name + "=" + value;
    return series.name + " has other labels than those listed:" + labels;
  }
  const std::string layer(layer_name(series.layer));
  if (!listed->layers.empty() && std::ranges::find(listed->layers, layer) == listed->layers.end())
    return series.name + " is of layer " + layer + ", which is not listed";
  if (listed->ledger_line != series.ledger_line)
    return series.name + " feeds the line '" + series.ledger_line + "', listed '" +
           listed->ledger_line + "'";
  const bool may_have_none = listed->layers.size() > 1;
  if (listed->resource != series.resource && !(may_have_none && series.resource.empty()))
    return series.name + " measures '" + series.resource + "', listed '" + listed->resource + "'";
  return {};
}

}  // namespace plumb::diagnose
