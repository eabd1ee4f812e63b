#include "plugins/pg_stats/index_findings.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <tuple>

namespace plumb::pg_stats {
namespace {

// Smaller ones cost next to nothing to keep.
constexpr double kLeastUnusedBytes = 64 * 1024;

bool keeps_a_promise(const IndexEntry& index) { return index.unique || index.constrained; }

bool comparable(const IndexEntry& a, const IndexEntry& b) {
  return a.method == b.method && a.predicate == b.predicate && a.expressions == b.expressions &&
         a.valid && b.valid;
}

// Whether the first key columns of `longer` are those of `shorter`.
bool begins_with(const IndexEntry& longer, const IndexEntry& shorter) {
  if (shorter.keys > longer.keys || shorter.keys > shorter.columns.size() ||
      longer.keys > longer.columns.size() || shorter.sort.size() < shorter.keys ||
      longer.sort.size() < shorter.keys)
    return false;
  for (size_t i = 0; i < shorter.keys; ++i)
    if (shorter.columns[i] != longer.columns[i] || shorter.sort[i] != longer.sort[i]) return false;
  return true;
}

// Columns that `a` only includes are there in `b`, too.
bool covers_included(const IndexEntry& b, const IndexEntry& a) {
  return std::all_of(a.columns.begin() + static_cast<std::ptrdiff_t>(a.keys), a.columns.end(),
                     [&](int column) { return std::ranges::count(b.columns, column) > 0; });
}

// Who stays of two equal indexes: who keeps a promise, then who is used more, then the older.
auto rank(const IndexEntry& index) {
  return std::tuple(keeps_a_promise(index), index.scans, -index.oid);
}

std::string judge(const IndexEntry& index, const std::vector<const IndexEntry*>& siblings) {
  if (!index.valid) return "invalid: left behind by a CREATE INDEX CONCURRENTLY that failed";
  std::string prefix_of;
  for (const IndexEntry* other : siblings) {
    if (other->oid == index.oid || keeps_a_promise(index) || !comparable(index, *other) ||
        !begins_with(*other, index) || !covers_included(*other, index))
      continue;
    if (other->keys == index.keys) {
      const bool same = covers_included(index, *other);
      if (same && rank(*other) > rank(index)) return "duplicate of " + other->name;
      if (!same && prefix_of.empty()) prefix_of = other->name;
    } else if (prefix_of.empty() && index.predicate.empty()) {
      prefix_of = other->name;
    }
  }
  if (!prefix_of.empty()) return "redundant prefix of " + prefix_of;
  if (index.scans <= 0 && !keeps_a_promise(index) && index.bytes >= kLeastUnusedBytes)
    return "unused";
  return {};
}

}  // namespace

std::vector<std::string> sort_of_columns(const std::string& catalog, size_t keys) {
  std::vector<std::string> out(keys);
  std::istringstream parts(catalog);
  std::string part;
  while (std::getline(parts, part, '/')) {
    std::istringstream words(part);
    std::string word;
    for (size_t i = 0; i < keys; ++i) {
      if (!(words >> word)) return {};
      out[i] += word + " ";
    }
  }
  return out;
}

std::vector<IndexFinding> find_needless_indexes(const std::vector<IndexEntry>& indexes) {
  std::map<int64_t, std::vector<const IndexEntry*>> by_table;
  for (const IndexEntry& index : indexes) by_table[index.table_oid].push_back(&index);
  std::vector<IndexFinding> out;
  for (const auto& [table, siblings] : by_table)
    for (const IndexEntry* index : siblings)
      if (std::string finding = judge(*index, siblings); !finding.empty())
        out.push_back({index->name, index->table, index->bytes, index->scans, std::move(finding)});
  std::ranges::stable_sort(out, std::greater<>{}, &IndexFinding::bytes);
  return out;
}

}  // namespace plumb::pg_stats
