#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/base/json_text.h"
#include "core/store/batch_codec.h"
#include "core/store/run_file.h"

namespace plumb::store {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kStates = {"running", "finished", "interrupted",
                                                     "failed"};

RunState state_of(const std::string& name) {
  const auto found = std::find(kStates.begin(), kStates.end(), name);
  return found == kStates.end() ? RunState::kFailed
                                : static_cast<RunState>(found - kStates.begin());
}

json parse(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json() : value;
}

Labels labels_of(const std::string& text) {
  Labels labels;
  const json parsed = parse(text);
  for (const auto& [name, value] : parsed.items())
    if (value.is_string()) labels.emplace_back(name, value.get<std::string>());
  return labels;
}

// Gives the version of the file's layout.
int check_is_run_file(SQLite::Database& db) {
  if (db.execAndGet("PRAGMA application_id").getInt() != kApplicationId)
    throw std::runtime_error("it is an SQLite database, but not a run of plumb");
  const int version = db.execAndGet("PRAGMA user_version").getInt();
  if (version > kSchemaVersion)
    throw std::runtime_error("it was written by a newer plumb (run file version " +
                             std::to_string(version) + ", this plumb reads up to " +
                             std::to_string(kSchemaVersion) + "): use that version or a later one");
  return version;
}

void read_header(SQLite::Database& db, RunData& run) {
  std::map<std::string, std::string> meta;
  SQLite::Statement q(db, "SELECT key, value FROM meta");
  while (q.executeStep()) meta[q.getColumn(0).getString()] = q.getColumn(1).getString();
  run.header.id = meta["id"];
  run.header.name = meta["name"];
  run.header.started_unix_ms = std::strtoll(meta["started_unix_ms"].c_str(), nullptr, 10);
  run.header.started_ns = std::strtoll(meta["started_ns"].c_str(), nullptr, 10);
  run.header.plan = parse(meta["plan"]);
  run.header.environment = parse(meta["environment"]);
  run.header.rules = parse(meta["rules"]);
  run.state = state_of(meta["state"]);

  SQLite::Statement stages(db, "SELECT kind, name, start_ns, end_ns FROM stages ORDER BY start_ns");
  while (stages.executeStep())
    run.stages.push_back({stages.getColumn(0).getUInt(), stages.getColumn(1).getString(),
                          stages.getColumn(2).getInt64(), stages.getColumn(3).getInt64()});
  SQLite::Statement documents(db, "SELECT key, value FROM documents");
  while (documents.executeStep())
    run.documents[documents.getColumn(0).getString()] = parse(documents.getColumn(1).getString());
}

using SeriesIndex = std::unordered_map<uint32_t, size_t>;

SeriesIndex read_series(SQLite::Database& db, RunData& run) {
  SeriesIndex index;
  SQLite::Statement q(db,
                      "SELECT id, plugin, name, unit, help, kind, layer, part, labels, "
                      "ledger_line, resource FROM series ORDER BY id");
  while (q.executeStep()) {
    SeriesData data;
    data.info.id = q.getColumn(0).getUInt();
    data.info.plugin = q.getColumn(1).getString();
    data.info.name = q.getColumn(2).getString();
    data.info.unit = q.getColumn(3).getString();
    data.info.help = q.getColumn(4).getString();
    data.info.kind = q.getColumn(5).getUInt();
    data.info.layer = q.getColumn(6).getUInt();
    data.info.part = q.getColumn(7).getUInt();
    data.info.labels = labels_of(q.getColumn(8).getString());
    data.info.ledger_line = q.getColumn(9).getString();
    data.info.resource = q.getColumn(10).getString();
    index[data.info.id] = run.series.size();
    run.series.push_back(std::move(data));
  }
  return index;
}

void read_signals(SQLite::Database& db, const SeriesIndex& index, RunData& run) {
  const auto each_blob = [&](const char* sql, auto&& decode) {
    SQLite::Statement q(db, sql);
    while (q.executeStep()) {
      const SQLite::Column column = q.getColumn(0);
      const std::string_view blob(static_cast<const char*>(column.getBlob()),
                                  static_cast<size_t>(column.getBytes()));
      if (Status status = decode(blob); !status.is_ok()) throw std::runtime_error(status.message());
    }
  };
  std::vector<Sample> samples;
  each_blob("SELECT data FROM samples ORDER BY seq", [&](std::string_view blob) {
    samples.clear();
    PLUMB_RETURN_IF_ERROR(decode_samples(blob, samples));
    for (const Sample& s : samples) {
      const auto found = index.find(s.series);
      if (found == index.end()) continue;
      run.series[found->second].times_ns.push_back(s.time_ns);
      run.series[found->second].values.push_back(s.value);
      run.ended_ns = std::max(run.ended_ns, s.time_ns);
    }
    return Status::ok();
  });
  std::vector<HistogramRecord> histograms;
  each_blob("SELECT data FROM histograms ORDER BY seq", [&](std::string_view blob) {
    histograms.clear();
    PLUMB_RETURN_IF_ERROR(decode_histograms(blob, histograms));
    for (HistogramRecord& h : histograms) {
      const auto found = index.find(h.series);
      if (found == index.end()) continue;
      run.ended_ns = std::max(run.ended_ns, h.end_ns);
      run.series[found->second].histograms.push_back(std::move(h));
    }
    return Status::ok();
  });
  // A plugin may say them in another order, and whoever looks for a window relies on theirs.
  const auto by_middle = [](const HistogramRecord& a, const HistogramRecord& b) {
    return a.start_ns + (a.end_ns - a.start_ns) / 2 < b.start_ns + (b.end_ns - b.start_ns) / 2;
  };
  for (SeriesData& series : run.series)
    if (!std::is_sorted(series.histograms.begin(), series.histograms.end(), by_middle))
      std::stable_sort(series.histograms.begin(), series.histograms.end(), by_middle);
}

void read_records(SQLite::Database& db, RunData& run) {
  SQLite::Statement events(
      db, "SELECT plugin, time_ns, level, kind, message, attributes FROM events ORDER BY time_ns");
  while (events.executeStep())
    run.events.push_back({events.getColumn(0).getString(), events.getColumn(1).getInt64(),
                          events.getColumn(2).getUInt(), events.getColumn(3).getString(),
                          events.getColumn(4).getString(), events.getColumn(5).getString()});
  SQLite::Statement tables(db, "SELECT plugin, time_ns, name, json FROM tables ORDER BY name");
  while (tables.executeStep())
    run.tables.push_back({tables.getColumn(0).getString(), tables.getColumn(1).getInt64(),
                          tables.getColumn(2).getString(), tables.getColumn(3).getString()});
  SQLite::Statement health(db,
                           "SELECT plugin, time_ns, health, message FROM health ORDER BY time_ns");
  while (health.executeStep())
    run.health.push_back({health.getColumn(0).getString(), health.getColumn(1).getInt64(),
                          health.getColumn(2).getUInt(), health.getColumn(3).getString()});
}

// Opens for reading. A run whose writer was killed has a write-ahead log beside it, which SQLite
// can read as it is; where the directory cannot be written to, the log is left out by `immutable`.
SQLite::Database open_to_read(const std::filesystem::path& file) {
  try {
    SQLite::Database db(file.string(), SQLite::OPEN_READWRITE, 2000);
    // Reading changes nothing, not even the time of the last write.
    sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    db.execAndGet("SELECT count(*) FROM sqlite_master");
    return db;
  } catch (const SQLite::Exception&) {
    SQLite::Database db("file:" + file.string() + "?immutable=1",
                        SQLite::OPEN_READONLY | SQLite::OPEN_URI);
    db.execAndGet("SELECT count(*) FROM sqlite_master");
    return db;
  }
}

constexpr int kFirstWithStacks = 2;

Status each_stack_batch(const std::filesystem::path& file,
                        const std::function<Status(const StackBatch&)>& take) {
  try {
    SQLite::Database db = open_to_read(file);
    if (check_is_run_file(db) < kFirstWithStacks) return Status::ok();
    SQLite::Statement q(db,
                        "SELECT plugin, profile, unit, help, layer, start_ns, end_ns, data "
                        "FROM stacks ORDER BY seq");
    while (q.executeStep()) {
      StackBatch batch{q.getColumn(0).getString(), q.getColumn(1).getString(),
                       q.getColumn(2).getString(), q.getColumn(3).getString(),
                       q.getColumn(4).getUInt(),   q.getColumn(5).getInt64(),
                       q.getColumn(6).getInt64(),  {}};
      const SQLite::Column data = q.getColumn(7);
      PLUMB_RETURN_IF_ERROR(decode_stacks(std::string_view(static_cast<const char*>(data.getBlob()),
                                                           static_cast<size_t>(data.getBytes())),
                                          batch.stacks));
      PLUMB_RETURN_IF_ERROR(take(batch));
    }
    return Status::ok();
  } catch (const std::exception& e) {
    return Status::invalid_argument("cannot read the stacks of " + file.string() + ": " + e.what());
  }
}

template <typename Read>
Result<RunData> read_with(const std::filesystem::path& file, Read&& read) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error))
    return Status::not_found("there is no run file " + file.string());
  try {
    SQLite::Database db = open_to_read(file);
    const int version = check_is_run_file(db);
    SQLite::Transaction one_view(db);
    RunData run;
    read_header(db, run);
    if (version >= kFirstWithStacks &&
        db.execAndGet("SELECT EXISTS(SELECT 1 FROM stacks)").getInt() != 0)
      run.stacks = [file](const auto& take) { return each_stack_batch(file, take); };
    read(db, run);
    return run;
  } catch (const std::exception& e) {
    return Status::invalid_argument("cannot read " + file.string() + " as a run file: " + e.what());
  }
}

}  // namespace

std::string_view run_state_name(RunState state) { return kStates[static_cast<size_t>(state)]; }

Result<RunData> read_run(const std::filesystem::path& file) {
  return read_with(file, [](SQLite::Database& db, RunData& run) {
    const SeriesIndex index = read_series(db, run);
    read_signals(db, index, run);
    read_records(db, run);
  });
}

Result<RunData> read_run_header(const std::filesystem::path& file) {
  return read_with(file, [](SQLite::Database&, RunData&) {});
}

Status put_document(const std::filesystem::path& file, const std::string& key, const json& value) {
  try {
    SQLite::Database db(file.string(), SQLite::OPEN_READWRITE, 2000);
    check_is_run_file(db);
    SQLite::Statement q(db, "INSERT OR REPLACE INTO documents(key, value) VALUES(?, ?)");
    q.bind(1, key);
    q.bind(2, json_text(value));
    q.exec();
  } catch (const std::exception& e) {
    return Status::unavailable("cannot write " + key + " into " + file.string() + ": " + e.what());
  }
  return Status::ok();
}

}  // namespace plumb::store
