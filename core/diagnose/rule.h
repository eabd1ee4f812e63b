// Rules as data. A rule binds names to facts, says when it matches, what it costs and what to tell.
// docs/rules.md is the reference for authors.
#ifndef PLUMB_CORE_DIAGNOSE_RULE_H_
#define PLUMB_CORE_DIAGNOSE_RULE_H_

#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/signal/signal.h"

namespace plumb::diagnose {

// A name in a rule's expressions and what it stands for.
struct FactBinding {
  std::string name;
  std::string fact;
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

// A text from a table that a plugin emitted: of the first row whose cells say what `where` asks for
// (column and template), or of the first row.
struct TextBinding {
  std::string name;
  std::string table;
  std::string column;
  std::string fallback;
  std::vector<std::pair<std::string, std::string>> where = {};
};

struct MatrixTemplate {
  std::string component;
  std::string metric;
  std::string expected;
  std::string actual;
  std::string cost;  // expression in seconds, or empty
};

struct Rule {
  std::string origin;  // file it came from
  std::string id;      // the cause, or the name of a plain row
  std::string layer;
  std::string for_each;  // a fact name: the rule is tried for every label set it has
  std::vector<FactBinding> let;
  std::vector<Definition> define;
  std::vector<TextBinding> text;
  std::string when;  // empty: a row of the matrix that blames nobody
  std::string cost;  // expression in seconds per request
  double confidence = 0.9;
  std::string says;
  std::string check;
  std::vector<std::string> advice;
  std::vector<std::string> outranks;  // causes that this one explains when both match
  std::optional<MatrixTemplate> matrix;
};

// Reads the rules of one file (a YAML list). Errors name the file, line and column.
Result<std::vector<Rule>> parse_rules(std::string_view origin, std::string_view yaml);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_RULE_H_
