// Test support: diagnoses as text files, facts in and expected answer out. docs/rules.md has the
// format.
#ifndef PLUMB_CORE_DIAGNOSE_GOLDEN_FOR_TESTS_H_
#define PLUMB_CORE_DIAGNOSE_GOLDEN_FOR_TESTS_H_

#include <plumb/status.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/diagnose/signal_list.h"
#include "core/store/run_file.h"

namespace plumb::testing {

// The parts of a file, in its order, each with its lines without their indentation.
struct GoldenFile {
  std::string remarks;  // the comment lines at its top, as they stand
  std::vector<std::string> given;
  std::vector<std::pair<std::string, std::vector<std::string>>> expected;  // by section
};

Result<GoldenFile> read_golden(const std::string& text);

// The run that the given lines describe. Kinds, units, layers and resources are those that the
// series are listed with; a series that nobody lists is an error.
Result<store::RunData> golden_run(const std::vector<std::string>& given,
                                  const diagnose::SignalList& signals);

// What plumb says of it: the lines of verdict, causes, advice, changes, matrix and ledger, by
// section.
using GoldenAnswer = std::vector<std::pair<std::string, std::vector<std::string>>>;
Result<GoldenAnswer> golden_answer(const store::RunData& run);

// The file as it stands with that answer: the sections that it has, or all where it has none.
std::string golden_text(const GoldenFile& file, const GoldenAnswer& answer);

// Line by line: "- " is expected and missing, "+ " is there and not expected.
std::string difference_of(const std::vector<std::string>& expected,
                          const std::vector<std::string>& actual);

}  // namespace plumb::testing

#endif  // PLUMB_CORE_DIAGNOSE_GOLDEN_FOR_TESTS_H_
