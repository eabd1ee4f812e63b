#include "core/imports/csv_record.h"

#include <algorithm>

#include "core/imports/text_values.h"

namespace plumb::imports {

bool CsvRecord::add(std::string_view line) {
  if (pending_.empty()) return split(line);
  pending_ += '\n';
  pending_ += line;
  // Only a line that closes the open field is worth splitting the whole record again.
  if (std::count(line.begin(), line.end(), '"') % 2 == 0) return false;
  complete_ = pending_;
  pending_.clear();
  return split(complete_);
}

// False when a quoted field has no end yet; then the text is kept for the next line.
bool CsvRecord::split(std::string_view record) {
  cells_.clear();
  unquoted_.clear();
  size_t at = 0;
  for (;;) {
    const size_t column = at + 1;
    if (at < record.size() && record[at] == '"') {
      std::string text;
      for (++at;; ++at) {
        if (at >= record.size()) {
          pending_.assign(record);
          return false;
        }
        if (record[at] != '"') {
          text += record[at];
        } else if (at + 1 < record.size() && record[at + 1] == '"') {
          text += '"';
          ++at;
        } else {
          ++at;
          break;
        }
      }
      // What stands behind a closing quote belongs to the field: nothing is lost.
      const size_t end = std::min(record.find(delimiter_, at), record.size());
      text += record.substr(at, end - at);
      at = end;
      cells_.push_back({unquoted_.emplace_back(std::move(text)), column});
    } else {
      const size_t end = std::min(record.find(delimiter_, at), record.size());
      cells_.push_back({record.substr(at, end - at), column});
      at = end;
    }
    if (at >= record.size()) return true;
    ++at;
  }
}

CsvHeader::CsvHeader(const std::vector<CsvCell>& cells) {
  for (const CsvCell& cell : cells) names_.emplace_back(trimmed(cell.text));
}

std::optional<size_t> CsvHeader::index(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  return static_cast<size_t>(found - names_.begin());
}

}  // namespace plumb::imports
