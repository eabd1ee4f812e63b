#include "core/facts/facts.h"

#include <cmath>
#include <utility>

namespace plumb::facts {

const Fact* FactSet::add(Fact fact) {
  if (!std::isfinite(fact.value)) return nullptr;
  if (const Fact* known = find(fact.name, fact.labels)) return known;
  fact.id = "F" + std::to_string(facts_.size() + 1);
  by_name_[fact.name].push_back(facts_.size());
  facts_.push_back(std::move(fact));
  return &facts_.back();
}

const Fact* FactSet::add(const Window& window, std::string source, std::string name, double value,
                         std::string unit, Labels labels, std::string help) {
  return add(Fact{.id = {},
                  .name = std::move(name),
                  .value = value,
                  .unit = std::move(unit),
                  .labels = std::move(labels),
                  .start_ns = window.start_ns,
                  .end_ns = window.end_ns,
                  .source = std::move(source),
                  .help = std::move(help)});
}

const Fact* FactSet::find(std::string_view name, const Labels& labels) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  for (const size_t index : found->second)
    if (facts_[index].labels == labels) return &facts_[index];
  return nullptr;
}

std::vector<const Fact*> FactSet::all(std::string_view name) const {
  std::vector<const Fact*> out;
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return out;
  for (const size_t index : found->second) out.push_back(&facts_[index]);
  return out;
}

double FactSet::value_or(std::string_view name, double fallback, const Labels& labels) const {
  const Fact* fact = find(name, labels);
  return fact ? fact->value : fallback;
}

std::optional<double> FactSet::value(std::string_view name, const Labels& labels) const {
  const Fact* fact = find(name, labels);
  return fact ? std::optional(fact->value) : std::nullopt;
}

const Fact* FactSet::by_id(std::string_view id) const {
  if (id.size() < 2 || id[0] != 'F') return nullptr;
  size_t index = 0;
  for (const char c : id.substr(1)) {
    if (c < '0' || c > '9' || index > facts_.size()) return nullptr;
    index = index * 10 + static_cast<size_t>(c - '0');
  }
  return index >= 1 && index <= facts_.size() ? &facts_[index - 1] : nullptr;
}

}  // namespace plumb::facts
