// "Did you mean": the candidate that a mistyped word most likely stands for.
#ifndef PLUMB_CORE_BASE_NEAREST_H_
#define PLUMB_CORE_BASE_NEAREST_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plumb {

// How many insertions, deletions, substitutions and swaps of neighbours lead from a to b
// (Damerau-Levenshtein, optimal string alignment), counted in bytes.
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, the first of several equally near; none when even that one is
// further than a third of the word (at least one, at most three edits) and does not begin with it.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// " Did you mean 'x'?", with the space before, or nothing: to be put after a sentence.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace plumb

#endif  // PLUMB_CORE_BASE_NEAREST_H_
