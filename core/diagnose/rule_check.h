// Whether rules could ever match: their facts exist, their labels do, and their sums are of the
// unit that they say.
#ifndef PLUMB_CORE_DIAGNOSE_RULE_CHECK_H_
#define PLUMB_CORE_DIAGNOSE_RULE_CHECK_H_

#include <map>
#include <string>
#include <vector>

#include "core/diagnose/rule.h"
#include "core/diagnose/signal_list.h"

namespace plumb::diagnose {

// A fact that a run may have.
struct KnownFact {
  std::string unit;  // or facts::kOwnUnit, where a label says what is measured
  std::vector<ListedLabel> labels;
};

// Every fact of the listed series, and those that the core derives from them and from the load.
class FactCatalog {
 public:
  explicit FactCatalog(const SignalList& signals);

  // Null when no run has such a fact.
  const KnownFact* find(const std::string& name) const;
  // True where nothing is known of such names: of a family, whose kind, unit and labels are open.
  bool is_open(const std::string& name) const;
  // The name that was probably meant; empty when none is near.
  std::string nearest_to(const std::string& name) const;
  // Whether a series of that name is listed.
  bool has_series(const std::string& name) const;

 private:
  void add_series(const ListedSeries& series);
  void add_derived();

  std::map<std::string, KnownFact> facts_;
  std::vector<std::string> families_;
  std::vector<std::string> series_;
};

struct RuleProblem {
  std::string text;              // a sentence, with the rule's id and file
  bool is_unknown_fact = false;  // no listed series gives it
  bool has_fallback = false;     // the rule does without it
};

// What is wrong with the rule. Units are probed by scaling: where every
// time is twice as long, and every rate half, what is said to be in seconds must be twice as large
// and a ratio the same.
std::vector<RuleProblem> check_rule(const Rule& rule, const FactCatalog& catalog);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_RULE_CHECK_H_
