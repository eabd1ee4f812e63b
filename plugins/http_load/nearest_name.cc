#include "plugins/http_load/nearest_name.h"

#include <algorithm>
#include <vector>

namespace plumb::http_load {
namespace {

constexpr size_t kMostListed = 12;

// Insertions, deletions, substitutions and swaps of neighbours that lead from a to b, in bytes.
size_t distance_of(std::string_view a, std::string_view b) {
  std::vector<size_t> above2(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    above2.swap(above);
    above.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], above2[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string name_hint(std::string_view word, std::span<const std::string> candidates) {
  const size_t allowed = std::clamp<size_t>(word.size() / 3, 1, 3);
  const std::string* best = nullptr;
  size_t best_distance = allowed + 1;
  for (const std::string& candidate : candidates) {
    // The column of a feeder, without the feeder.
    const bool is_column = !word.empty() && candidate.ends_with("." + std::string(word));
    const size_t distance = is_column ? 1 : distance_of(word, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = &candidate;
  }
  if (best != nullptr) return " Did you mean '" + *best + "'?";
  std::string known;
  for (size_t i = 0; i < std::min(candidates.size(), kMostListed); ++i)
    known += (i == 0 ? "" : ", ") + candidates[i];
  return known.empty() ? "" : " Known here: " + known + ".";
}

}  // namespace plumb::http_load
