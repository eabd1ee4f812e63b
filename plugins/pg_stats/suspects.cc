#include "plugins/pg_stats/suspects.h"

#include <algorithm>

#include "plugins/pg_stats/statement_text.h"

namespace plumb::pg_stats {
namespace {

constexpr double kFewestRows = 10'000;  // read by sequential scans, in all
constexpr double kFewestRowsPerScan = 1'000;
constexpr double kLeastShareOfPages = 1.0 / 3;
constexpr size_t kMostResponsible = 3;  // of one table

bool is_name_part(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

// Reads one identifier at `at`, or "" when there is none there.
std::string identifier(std::string_view text, size_t& at) {
  std::string out;
  if (text[at] == '"') {
    ++at;
    while (at < text.size()) {
      if (text[at] == '"') {
        if (at + 1 >= text.size() || text[at + 1] != '"') break;
        ++at;
      }
      out += text[at++];
    }
    if (at < text.size()) ++at;
    return out;
  }
  while (at < text.size() && is_name_part(text[at])) {
    const char c = text[at++];
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return out;
}

}  // namespace

std::set<std::string> names_in_statement(std::string_view sql) {
  const std::string text = redact_statement(sql);
  std::set<std::string> names;
  std::string before;  // the identifier that a dot follows
  for (size_t at = 0; at < text.size();) {
    std::string name = text[at] == '"' || is_name_part(text[at]) ? identifier(text, at) : "";
    if (name.empty()) {
      ++at;
      before.clear();
      continue;
    }
    if (!before.empty()) names.insert(before + "." + name);
    const bool dot = at + 1 < text.size() && text[at] == '.';
    before = dot ? name : "";
    if (dot) ++at;
    names.insert(std::move(name));
  }
  return names;
}

std::vector<Suspect> find_suspects(const std::vector<ScannedTable>& tables,
                                   const std::vector<StatementUse>& statements, size_t most) {
  std::vector<ScannedTable> scanned;
  for (const ScannedTable& t : tables)
    if (t.seq_scans > 0 && t.seq_tuples >= kFewestRows &&
        t.seq_tuples / t.seq_scans >= kFewestRowsPerScan)
      scanned.push_back(t);
  std::ranges::sort(scanned, std::greater<>{}, &ScannedTable::seq_tuples);
  if (scanned.size() > most) scanned.resize(most);

  std::vector<Suspect> out;
  for (const ScannedTable& t : scanned) {
    Suspect suspect{t.name, t.seq_tuples / t.seq_scans, {}};
    const std::string bare = t.name.substr(t.name.find('.') + 1);
    std::vector<std::pair<double, int64_t>> responsible;  // blocks
    for (const StatementUse& s : statements) {
      if (!s.names.contains(t.name) && !s.names.contains(bare)) continue;
      if (s.calls <= 0 || s.blocks / s.calls < t.pages * kLeastShareOfPages) continue;
      responsible.emplace_back(s.blocks, s.query_id);
    }
    std::ranges::sort(responsible, std::greater<>{});
    for (size_t i = 0; i < responsible.size() && i < kMostResponsible; ++i)
      suspect.query_ids.push_back(responsible[i].second);
    out.push_back(std::move(suspect));
  }
  return out;
}

}  // namespace plumb::pg_stats
