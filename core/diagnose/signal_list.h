// The series that a plugin says it may emit (its signals.yaml), so that rules can be checked before
// a run.
#ifndef PLUMB_CORE_DIAGNOSE_SIGNAL_LIST_H_
#define PLUMB_CORE_DIAGNOSE_SIGNAL_LIST_H_

#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/signal/signal.h"

namespace plumb::diagnose {

struct ListedLabel {
  std::string name;
  bool optional = false;            // the series is there without it too
  std::vector<std::string> values;  // empty: any
};

struct ListedSeries {
  std::string name;        // or, of a family, what its names begin with
  bool is_family = false;  // of any kind, unit and labels
  uint32_t kind = PLUMB_KIND_GAUGE;
  std::string unit;
  std::vector<ListedLabel> labels;
  std::vector<std::string> layers;  // one of them; empty: none is said
  std::string ledger_line;
  std::string resource;
};

using SignalList = std::vector<ListedSeries>;

// Reads one signals.yaml. Errors name the file, line and column.
Result<SignalList> parse_signals(std::string_view origin, std::string_view yaml);

// The series that the engine emits itself.
const SignalList& engine_signals();

// The entry of that name, or of the family that the name is of; null when there is none.
const ListedSeries* find_listed(const SignalList& list, std::string_view name);

// What of the series is not as listed, as a sentence; empty when it is.
std::string difference_to_list(const SignalList& list, const SeriesInfo& series);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_SIGNAL_LIST_H_
