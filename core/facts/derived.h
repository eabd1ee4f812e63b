// The facts that the core derives itself, besides the statistics of series: one table, from which
// rules are checked and which docs/rules.md explains.
#ifndef PLUMB_CORE_FACTS_DERIVED_H_
#define PLUMB_CORE_FACTS_DERIVED_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace plumb::facts {

// `family` holds what may stand for the <...> in the name, parted by blanks; empty: what a plugin
// declares, such as a line of the ledger. `labels` are parted by blanks; a '?' behind one says that
// the fact is there without it too.
struct DerivedFact {
  std::string_view name;
  std::string_view unit;
  std::string_view labels;
  std::string_view family;
};

std::span<const DerivedFact> derived_facts();

// The statistics that a series of that kind (enum plumb_kind) gives, and what each is of: the
// series' own unit ("="), its unit per second ("/s"), or a unit of its own.
struct Statistic {
  std::string_view name;
  std::string_view unit;
};
std::span<const Statistic> statistics_of(uint32_t kind);

// A unit as facts per second carry it: seconds/s, requests/s, ...
inline constexpr std::string_view kOwnUnit = "=";
inline constexpr std::string_view kPerSecond = "/s";

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_DERIVED_H_
