#include "plugins/pg_stats/series_board.h"

#include <cmath>

namespace plumb::pg_stats {

Result<SeriesBoard::Entry*> SeriesBoard::find(const Meaning& meaning, uint32_t kind,
                                              const Labels& labels) {
  key_ = meaning.name;
  for (const auto& [name, value] : labels) key_.append(1, '\0').append(value);
  auto at = entries_.find(key_);
  if (at == entries_.end()) {
    PLUMB_ASSIGN_OR_RETURN(const Series series, host_.declare({.name = meaning.name,
                                                               .unit = meaning.unit,
                                                               .kind = kind,
                                                               .layer = PLUMB_LAYER_DATABASE,
                                                               .part = meaning.part,
                                                               .help = meaning.help,
                                                               .labels = labels}));
    at = entries_.emplace(key_, Entry{series, {}}).first;
  }
  return &at->second;
}

Status SeriesBoard::gauge(const Meaning& meaning, double value, const Labels& labels) {
  if (!std::isfinite(value) || value < 0) return Status::ok();
  PLUMB_ASSIGN_OR_RETURN(Entry * entry, find(meaning, PLUMB_KIND_GAUGE, labels));
  batch_.push_back({entry->series.id, 0, now_ns_, value});
  return Status::ok();
}

Status SeriesBoard::counter(const Meaning& meaning, double value, double own,
                            const Labels& labels) {
  if (!std::isfinite(value) || value < 0) return Status::ok();
  PLUMB_ASSIGN_OR_RETURN(Entry * entry, find(meaning, PLUMB_KIND_COUNTER, labels));
  batch_.push_back({entry->series.id, 0, now_ns_, entry->total.update(value, own)});
  return Status::ok();
}

}  // namespace plumb::pg_stats
