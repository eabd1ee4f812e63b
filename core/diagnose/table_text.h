// Texts that rules take from the tables of a run.
#ifndef PLUMB_CORE_DIAGNOSE_TABLE_TEXT_H_
#define PLUMB_CORE_DIAGNOSE_TABLE_TEXT_H_

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/store/run_file.h"

namespace plumb::diagnose {

// What a cell must say for its row to be taken: the same text, or, where no row says that and
// either is a list parted by spaces or commas, one entry in common.
struct CellCondition {
  std::string column;
  std::string text;
};

// The tables of one run, each parsed once. Not thread-safe.
class TableTexts {
 public:
  explicit TableTexts(const store::RunData& run) : run_(run) {}

  // The cell of `column` in the first row that meets every condition, or `fallback`. A condition
  // with an empty text is met by no row.
  std::string find(const std::string& table, const std::string& column,
                   const std::vector<CellCondition>& where, const std::string& fallback);
  // The same of every such row, without doubles and at most 20, parted by commas.
  std::string find_all(const std::string& table, const std::string& column,
                       const std::vector<CellCondition>& where, const std::string& fallback);
  // How many rows meet every condition; empty when the run has no such table.
  std::optional<size_t> count(const std::string& table, const std::vector<CellCondition>& where);

 private:
  const nlohmann::json& parsed(const std::string& table);

  const store::RunData& run_;
  std::map<std::string, nlohmann::json> tables_;
};

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_TABLE_TEXT_H_
