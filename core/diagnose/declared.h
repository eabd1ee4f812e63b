// The lines of the ledger that plugins declare for themselves (SeriesInfo::ledger_line).
#ifndef PLUMB_CORE_DIAGNOSE_DECLARED_H_
#define PLUMB_CORE_DIAGNOSE_DECLARED_H_

#include <string>
#include <vector>

#include "core/facts/facts.h"
#include "core/store/run_file.h"

namespace plumb::diagnose {

// One series of a line.
struct DeclaredPart {
  const facts::Fact* fact = nullptr;
  bool per_request = false;  // seconds of each request; else how many wait at an instant
};

struct DeclaredLine {
  std::string key;
  std::string layer;
  std::string label;
  std::vector<DeclaredPart> parts;  // the line is their sum
};

// In the order in which they were declared. Series of one name that differ in their labels are the
// parts of one line, and none of their time is in it twice: a series whose labels hold all those of
// another is a part of that other one and left out, and so is a second plugin that says the same.
// Series of other names are lines of their own, with the same key where they feed the same line.
std::vector<DeclaredLine> declared_lines(const store::RunData& run, const facts::FactSet& facts);

// What tells a series from others of its name: "shop.db", or "shop.db write" for two labels.
std::string label_values(const Labels& labels);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_DECLARED_H_
