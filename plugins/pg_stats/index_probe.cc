#include "plugins/pg_stats/index_probe.h"

#include "plugins/pg_stats/catalog_queries.h"
#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

constexpr int kPage = 500;
constexpr size_t kMostIndexes = 100'000;
constexpr size_t kMostFindings = 500;

}  // namespace

Status IndexProbe::step(Session& session, const ServerFacts& facts) {
  if (done_) return Status::ok();
  PLUMB_ASSIGN_OR_RETURN(
      const Rows rows,
      session.query(indexes_query(facts), {std::to_string(last_oid_), std::to_string(kPage)}));
  for (int r = 0; r < rows.count(); ++r) {
    IndexEntry index;
    index.oid = rows.integer(r, 0);
    index.name = rows.text(r, 1);
    index.table_oid = rows.integer(r, 2);
    index.table = rows.text(r, 3);
    index.method = rows.integer(r, 4);
    index.keys = static_cast<size_t>(rows.integer(r, 5));
    index.columns = rows.integers(r, 6);
    index.sort = sort_of_columns(std::string(rows.text(r, 7)), index.keys);
    index.expressions = rows.text(r, 8);
    index.predicate = rows.text(r, 9);
    index.unique = rows.boolean(r, 10);
    index.constrained = rows.boolean(r, 11);
    index.valid = rows.boolean(r, 12);
    index.bytes = rows.number(r, 13);
    index.scans = rows.number(r, 14);
    last_oid_ = index.oid;
    indexes_.push_back(std::move(index));
  }
  if (rows.count() == kPage && indexes_.size() < kMostIndexes) return Status::ok();
  done_ = true;
  const std::vector<IndexFinding> findings = find_needless_indexes(indexes_);
  indexes_ = {};
  TableJson table("Indexes that nobody needs, by size", {{"index", "Index"},
                                                         {"table", "Table"},
                                                         {"bytes", "Size", "bytes"},
                                                         {"scans", "Scans"},
                                                         {"finding", "Finding"}});
  for (size_t i = 0; i < findings.size() && i < kMostFindings; ++i) {
    const IndexFinding& f = findings[i];
    table.add({f.index, f.table, f.bytes, f.scans, f.finding});
  }
  return host_.table("pg_indexes", table.text());
}

}  // namespace plumb::pg_stats
