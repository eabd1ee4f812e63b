#include "analysis.h"

#include <nlohmann/json.hpp>

namespace plumb::llm_analyzer {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<double> number_of(const json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_number()) return std::nullopt;
  return at->get<double>();
}

// The objects in a list, or none.
std::vector<json> objects_in(const json& object, const char* key) {
  std::vector<json> out;
  const auto at = object.find(key);
  if (at == object.end() || !at->is_array()) return out;
  for (const json& item : *at) {
    if (item.is_object()) out.push_back(item);
  }
  return out;
}

// A list of strings, or one string.
std::vector<std::string> texts_in(const json& object, const char* key) {
  std::vector<std::string> out;
  const auto at = object.find(key);
  if (at == object.end()) return out;
  if (at->is_string()) out.push_back(at->get<std::string>());
  if (!at->is_array()) return out;
  for (const json& item : *at) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

Fact to_fact(const json& object) {
  Fact fact{text_of(object, "id"),
            text_of(object, "name"),
            number_of(object, "value"),
            text_of(object, "unit"),
            {}};
  const auto labels = object.find("labels");
  if (labels == object.end() || !labels->is_object()) return fact;
  for (const auto& [name, value] : labels->items())
    fact.labels.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  return fact;
}

}  // namespace

const Fact* Analysis::fact(std::string_view id) const {
  for (const Fact& candidate : facts) {
    if (candidate.id == id) return &candidate;
  }
  return nullptr;
}

Result<Analysis> parse_analysis(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object())
    return Status::invalid_argument("what is to be explained is not a JSON object");
  Analysis analysis;
  const json verdict = document.value("verdict", json::object());
  if (verdict.is_object()) {
    analysis.label = text_of(verdict, "label");
    analysis.conclusion = text_of(verdict, "conclusion");
    analysis.bottleneck = text_of(verdict, "bottleneck");
    const auto bottleneck = verdict.find("bottleneck");
    if (bottleneck != verdict.end() && bottleneck->is_object()) {
      analysis.bottleneck = text_of(*bottleneck, "cause");
      if (analysis.bottleneck.empty()) analysis.bottleneck = text_of(*bottleneck, "id");
    }
  }
  for (const json& object : objects_in(document, "findings")) {
    analysis.findings.push_back({text_of(object, "id"), text_of(object, "layer"),
                                 number_of(object, "cost_ms"), text_of(object, "says"),
                                 texts_in(object, "evidence"), texts_in(object, "advice")});
  }
  for (const json& object : objects_in(document, "facts")) {
    Fact fact = to_fact(object);
    if (!fact.id.empty()) analysis.facts.push_back(std::move(fact));
  }
  for (const json& object : objects_in(document, "ledger")) {
    LedgerLine line{text_of(object, "line"), number_of(object, "ms")};
    if (line.name.empty()) line.name = text_of(object, "name");
    if (line.name.empty()) line.name = text_of(object, "layer");
    if (!line.ms) line.ms = number_of(object, "cost_ms");
    if (!line.name.empty()) analysis.ledger.push_back(std::move(line));
  }
  return analysis;
}

}  // namespace plumb::llm_analyzer
