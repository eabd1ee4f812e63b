// Rules as data. A rule binds names to facts, says when it matches, what it costs and what to tell.
// docs/rules.md is the reference for authors.
#ifndef PLUMB_CORE_DIAGNOSE_RULE_H_
#define PLUMB_CORE_DIAGNOSE_RULE_H_

#include <map>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/signal/signal.h"

namespace plumb::diagnose {

// What the cells of a table's row must say: column and template.
using RowConditions = std::vector<std::pair<std::string, std::string>>;

// A name in a rule's expressions and what it stands for: a fact, or how many rows of a table say
// what `where` asks for.
struct FactBinding {
  std::string name;
  std::string fact;
  std::string table = {};
  RowConditions where = {};
  Labels labels = {};
  bool same = false;  // take the labels of the for_each item
  std::optional<double> fallback =
      {};  // used when the fact is absent; without it the rule is silent
};

struct Definition {
  std::string name;
  std::string expression;
  std::string unit;  // how {name} is told
};

// A text from a table that a plugin emitted: of the first row whose cells say what `where` asks
// for, or of the first row; or of all of them, parted by commas. Or a value of the plan.
struct TextBinding {
  std::string name;
  std::string plan = {};  // a dotted key, list items by index; empty: of a table
  std::string table;
  std::string column;
  std::string fallback;
  RowConditions where = {};
  bool all = false;
};

struct MatrixTemplate {
  std::string component;
  std::string metric;
  std::string expected;
  std::string actual;
  std::string cost;         // expression in seconds, or empty
  std::string exceeded;     // expression: the limit is broken; empty: where the rule matches
  std::string of;           // the name of `let` whose fact it shows, which an SLO may limit
  bool or_unknown = false;  // a row too where a fact is missing and the plugin says other things
};

struct Advice {
  std::string text;
  std::string when;  // expression; empty: always
};

// Of which resource a finding takes the load when it is gone, for the throughput bound without it.
// `cpu`, `app_cpu`, `database_cpu`, `quota`, `pool`, `main_thread`, `accept`, or the series that
// measures a serial resource.
using Freed = std::vector<std::string>;

struct Rule {
  std::string origin;  // file it came from
  std::string id;      // the cause, or the name of a plain row
  std::string layer;
  std::string for_each;  // a fact name: the rule is tried for every label set it has
  std::map<std::string, std::vector<std::string>> except;  // but for these values of a label
  std::vector<FactBinding> let;
  std::vector<Definition> define;
  std::vector<TextBinding> text;
  std::string when;  // empty: a row of the matrix that blames nobody
  std::string cost;  // expression in seconds per request
  // What it takes of what is left until the service fails, 0 to 1, where it costs no time yet.
  std::string headroom;
  bool explains_errors = false;  // it says why requests fail, not why they are slow
  double confidence = 0.9;
  std::string says;
  std::string check;
  std::vector<Advice> advice;
  std::vector<std::string> outranks;  // causes that this one explains when both match
  Freed frees;
  std::optional<MatrixTemplate> matrix;
};

// Reads the rules of one file (a YAML list). Errors name the file, line and column.
Result<std::vector<Rule>> parse_rules(std::string_view origin, std::string_view yaml);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_RULE_H_
