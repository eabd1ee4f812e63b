// What changed inside a run although the load did not.
#ifndef PLUMB_CORE_FACTS_CHANGES_H_
#define PLUMB_CORE_FACTS_CHANGES_H_

#include <optional>
#include <span>
#include <string_view>

#include "core/facts/course.h"
#include "core/facts/facts.h"

namespace plumb::facts {

// What is watched over the run.
struct ChangeMeasure {
  std::string_view name;  // as the label `measure` has it: a fact of the load, or a series
  std::string_view unit;
  std::string_view told;  // inside a sentence
  LeastEffect least;
  double least_requests = 0;  // that a part needs; 0 for series
};
std::span<const ChangeMeasure> change_measures();
// Null for a name that is none of them.
const ChangeMeasure* find_change_measure(std::string_view name);

// The longest stretch of steady stages, one behind the other, in which the load stayed the same.
// Empty where none is as long as 30 s.
std::optional<Window> even_stretch(const store::RunData& run);

// Adds for each measure that the run has, over its even stretch in at most 60 parts of whole
// seconds:
//   change.first, change.last     the levels at its beginning and end, the same where nothing is
//                                 clear
//   change.at, .before, .after    of each step: seconds since the run began, and the levels
// labelled by `measure`, and those of a step by `change` (1, 2, ...) where there are several. Each
// has the stretch as its window. first and last that differ without a step: it went bit by bit.
void add_changes(const store::RunData& run, FactSet& facts);

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_CHANGES_H_
