#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

#include "core/base/json_text.h"
#include "core/base/mutex.h"
#include "core/store/batch_codec.h"
#include "core/store/run_file.h"

namespace plumb::store {
namespace {

using nlohmann::json;

constexpr const char* kSchema = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE series(id INTEGER PRIMARY KEY, plugin TEXT NOT NULL, name TEXT NOT NULL,
  unit TEXT NOT NULL, help TEXT NOT NULL, kind INTEGER NOT NULL, layer INTEGER NOT NULL,
  part INTEGER NOT NULL, labels TEXT NOT NULL, ledger_line TEXT NOT NULL, resource TEXT NOT NULL);
CREATE TABLE samples(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE histograms(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE events(seq INTEGER PRIMARY KEY, plugin TEXT NOT NULL, time_ns INTEGER NOT NULL,
  level INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL, attributes TEXT NOT NULL);
CREATE TABLE tables(plugin TEXT NOT NULL, name TEXT NOT NULL, time_ns INTEGER NOT NULL,
  json TEXT NOT NULL, PRIMARY KEY(plugin, name)) WITHOUT ROWID;
CREATE TABLE stacks(seq INTEGER PRIMARY KEY, plugin TEXT NOT NULL, profile TEXT NOT NULL,
  unit TEXT NOT NULL, help TEXT NOT NULL, layer INTEGER NOT NULL, start_ns INTEGER NOT NULL,
  end_ns INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE health(seq INTEGER PRIMARY KEY, plugin TEXT NOT NULL, time_ns INTEGER NOT NULL,
  health INTEGER NOT NULL, message TEXT NOT NULL);
CREATE TABLE stages(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL,
  start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL);
CREATE TABLE documents(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)sql";

json labels_json(const Labels& labels) {
  json out = json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

}  // namespace

class RunWriter::Impl {
 public:
  // A batch of stacks that waits to be written: its stacks are packed already, for they are many.
  struct PackedStacks {
    StackBatch batch;  // without its stacks
    std::string data;
  };
  struct Buffer {
    std::vector<SeriesInfo> series;
    std::vector<Sample> samples;
    std::vector<HistogramRecord> histograms;
    std::vector<Event> events;
    std::vector<TableRecord> tables;
    std::vector<PackedStacks> stacks;
    std::vector<HealthChange> health;
    std::vector<StageSpan> stages;
    bool replace_stages = false;
    std::vector<std::pair<std::string, std::string>> documents;
    bool empty() const {
      return series.empty() && samples.empty() && histograms.empty() && events.empty() &&
             tables.empty() && stacks.empty() && health.empty() && stages.empty() &&
             documents.empty() && !replace_stages;
    }
  };

  Impl(const std::string& file, const RunHeader& header)
      : db_(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_FULLMUTEX) {
    // Without syncs a run survives SIGKILL (the kernel has the pages), and plumb's own writes never
    // queue before those of the system it watches.
    db_.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0;");
    db_.exec("PRAGMA application_id=" + std::to_string(kApplicationId) +
             "; PRAGMA user_version=" + std::to_string(kSchemaVersion) + ";");
    SQLite::Transaction transaction(db_);
    db_.exec(kSchema);
    put_meta("id", header.id);
    put_meta("name", header.name);
    put_meta("started_unix_ms", std::to_string(header.started_unix_ms));
    put_meta("started_ns", std::to_string(header.started_ns));
    put_meta("state", std::string(run_state_name(RunState::kRunning)));
    put_meta("plan", json_text(header.plan));
    put_meta("environment", json_text(header.environment));
    put_meta("rules", json_text(header.rules));
    transaction.commit();
    flusher_ = std::jthread([this](const std::stop_token& stop) { flush_each_second(stop); });
  }

  ~Impl() {
    flusher_.request_stop();
    wake_.notify_all();
  }

  template <typename Change>
  void buffer(Change&& change) {
    MutexLock lock(buffer_mutex_);
    if (!accepting_) return;
    change(buffer_);
  }

  Status flush() {
    Buffer batch;
    {
      MutexLock lock(buffer_mutex_);
      std::swap(batch, buffer_);
    }
    MutexLock lock(db_mutex_);
    if (batch.empty() || !status_.is_ok()) return status_;
    try {
      SQLite::Transaction transaction(db_);
      write(batch);
      transaction.commit();
    } catch (const std::exception& e) {
      fail(e.what());
    }
    return status_;
  }

  Status status() {
    MutexLock lock(db_mutex_);
    return status_;
  }

  Status finish(RunState state) {
    {
      MutexLock lock(db_mutex_);
      if (finished_) return status_;
      finished_ = true;
    }
    flusher_.request_stop();
    wake_.notify_all();
    if (flusher_.joinable()) flusher_.join();
    PLUMB_RETURN_IF_ERROR(flush());
    MutexLock lock(db_mutex_);
    try {
      put_meta("state", std::string(run_state_name(state)));
      db_.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE;");
    } catch (const std::exception& e) {
      fail(e.what());
    }
    MutexLock buffer_lock(buffer_mutex_);
    accepting_ = false;
    return status_;
  }

 private:
  void flush_each_second(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      {
        MutexLock lock(wake_mutex_);
        wake_.wait_until(wake_mutex_, std::chrono::steady_clock::now() + std::chrono::seconds(1));
      }
      // A failure is kept in status_, which the engine asks for.
      (void)flush();
    }
  }

  void fail(const std::string& why) PLUMB_REQUIRES(db_mutex_) {
    if (!status_.is_ok()) return;
    status_ =
        Status::unavailable("the run file " + db_.getFilename() + " cannot be written: " + why +
                            ". What was written until now stays readable.");
    MutexLock lock(buffer_mutex_);
    accepting_ = false;
  }

  void put_meta(const std::string& key, const std::string& value) {
    SQLite::Statement q(db_, "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)");
    q.bind(1, key);
    q.bind(2, value);
    q.exec();
  }

  void write_blob(const char* table, const std::string& blob) {
    SQLite::Statement q(db_, std::string("INSERT INTO ") + table + "(data) VALUES(?)");
    q.bind(1, blob.data(), static_cast<int>(blob.size()));
    q.exec();
  }

  void write(const Buffer& batch) {
    write_series(batch.series);
    if (!batch.samples.empty()) write_blob("samples", encode_samples(batch.samples));
    if (!batch.histograms.empty()) write_blob("histograms", encode_histograms(batch.histograms));
    write_events(batch.events);
    write_tables(batch.tables);
    write_stacks(batch.stacks);
    write_health(batch.health);
    if (batch.replace_stages) db_.exec("DELETE FROM stages");
    write_stages(batch.stages);
    for (const auto& [key, value] : batch.documents) {
      SQLite::Statement q(db_, "INSERT OR REPLACE INTO documents(key, value) VALUES(?, ?)");
      q.bind(1, key);
      q.bind(2, value);
      q.exec();
    }
  }

  void write_series(const std::vector<SeriesInfo>& list) {
    if (list.empty()) return;
    SQLite::Statement q(db_, "INSERT OR IGNORE INTO series VALUES(?,?,?,?,?,?,?,?,?,?,?)");
    for (const SeriesInfo& s : list) {
      q.bind(1, s.id);
      q.bind(2, s.plugin);
      q.bind(3, s.name);
      q.bind(4, s.unit);
      q.bind(5, s.help);
      q.bind(6, s.kind);
      q.bind(7, s.layer);
      q.bind(8, s.part);
      q.bind(9, json_text(labels_json(s.labels)));
      q.bind(10, s.ledger_line);
      q.bind(11, s.resource);
      q.exec();
      q.reset();
    }
  }

  void write_events(const std::vector<Event>& list) {
    if (list.empty()) return;
    SQLite::Statement q(db_,
                        "INSERT INTO events(plugin, time_ns, level, kind, message, attributes) "
                        "VALUES(?,?,?,?,?,?)");
    for (const Event& e : list) {
      q.bind(1, e.plugin);
      q.bind(2, e.time_ns);
      q.bind(3, e.level);
      q.bind(4, e.kind);
      q.bind(5, e.message);
      q.bind(6, e.attributes);
      q.exec();
      q.reset();
    }
  }

  void write_tables(const std::vector<TableRecord>& list) {
    if (list.empty()) return;
    SQLite::Statement q(db_,
                        "INSERT OR REPLACE INTO tables(plugin, name, time_ns, json) "
                        "VALUES(?,?,?,?)");
    for (const TableRecord& t : list) {
      q.bind(1, t.plugin);
      q.bind(2, t.name);
      q.bind(3, t.time_ns);
      q.bind(4, t.json);
      q.exec();
      q.reset();
    }
  }

  void write_stacks(const std::vector<PackedStacks>& list) {
    if (list.empty()) return;
    SQLite::Statement q(db_,
                        "INSERT INTO stacks(plugin, profile, unit, help, layer, start_ns, end_ns, "
                        "data) VALUES(?,?,?,?,?,?,?,?)");
    for (const auto& [batch, data] : list) {
      q.bind(1, batch.plugin);
      q.bind(2, batch.profile);
      q.bind(3, batch.unit);
      q.bind(4, batch.help);
      q.bind(5, batch.layer);
      q.bind(6, batch.start_ns);
      q.bind(7, batch.end_ns);
      q.bind(8, data.data(), static_cast<int>(data.size()));
      q.exec();
      q.reset();
    }
  }

  void write_health(const std::vector<HealthChange>& list) {
    if (list.empty()) return;
    SQLite::Statement q(db_,
                        "INSERT INTO health(plugin, time_ns, health, message) VALUES(?,?,?,?)");
    for (const HealthChange& h : list) {
      q.bind(1, h.plugin);
      q.bind(2, h.time_ns);
      q.bind(3, h.health);
      q.bind(4, h.message);
      q.exec();
      q.reset();
    }
  }

  void write_stages(const std::vector<StageSpan>& list) {
    if (list.empty()) return;
    SQLite::Statement q(db_, "INSERT INTO stages(kind, name, start_ns, end_ns) VALUES(?,?,?,?)");
    for (const StageSpan& s : list) {
      q.bind(1, s.kind);
      q.bind(2, s.name);
      q.bind(3, s.start_ns);
      q.bind(4, s.end_ns);
      q.exec();
      q.reset();
    }
  }

  Mutex buffer_mutex_;
  Buffer buffer_ PLUMB_GUARDED_BY(buffer_mutex_);
  bool accepting_ PLUMB_GUARDED_BY(buffer_mutex_) = true;

  Mutex db_mutex_;
  SQLite::Database db_;  // written under db_mutex_, but for the constructor
  Status status_ PLUMB_GUARDED_BY(db_mutex_);
  bool finished_ PLUMB_GUARDED_BY(db_mutex_) = false;

  Mutex wake_mutex_;
  CondVar wake_;
  std::jthread flusher_;  // last: it uses all of the above
};

Result<std::unique_ptr<RunWriter>> RunWriter::create(const std::filesystem::path& file,
                                                     const RunHeader& header) {
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  if (error)
    return Status::unavailable("cannot make the directory " + file.parent_path().string() + ": " +
                               error.message());
  if (std::filesystem::exists(file, error))
    return Status::invalid_argument("the run file " + file.string() + " exists already");
  try {
    return std::unique_ptr<RunWriter>(new RunWriter(std::make_unique<Impl>(file.string(), header)));
  } catch (const std::exception& e) {
    for (const char* suffix : {"", "-wal", "-shm"})
      std::filesystem::remove(file.string() + suffix, error);
    return Status::unavailable("cannot create the run file " + file.string() + ": " + e.what());
  }
}

RunWriter::RunWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunWriter::~RunWriter() { (void)impl_->finish(RunState::kInterrupted); }

void RunWriter::on_series(const SeriesInfo& series) {
  impl_->buffer([&](auto& b) { b.series.push_back(series); });
}
void RunWriter::on_samples(const std::vector<Sample>& samples) {
  impl_->buffer(
      [&](auto& b) { b.samples.insert(b.samples.end(), samples.begin(), samples.end()); });
}
void RunWriter::on_histogram(const HistogramRecord& histogram) {
  impl_->buffer([&](auto& b) { b.histograms.push_back(histogram); });
}
void RunWriter::on_event(const Event& event) {
  impl_->buffer([&](auto& b) { b.events.push_back(event); });
}
void RunWriter::on_table(const TableRecord& table) {
  impl_->buffer([&](auto& b) { b.tables.push_back(table); });
}
void RunWriter::on_stacks(const StackBatch& batch) {
  Impl::PackedStacks packed{{batch.plugin,
                             batch.profile,
                             batch.unit,
                             batch.help,
                             batch.layer,
                             batch.start_ns,
                             batch.end_ns,
                             {}},
                            encode_stacks(batch.stacks)};
  impl_->buffer([&](auto& b) { b.stacks.push_back(std::move(packed)); });
}
void RunWriter::on_health(const HealthChange& change) {
  impl_->buffer([&](auto& b) { b.health.push_back(change); });
}
void RunWriter::on_stage(const StageSpan& stage) {
  impl_->buffer([&](auto& b) { b.stages.push_back(stage); });
}
void RunWriter::set_stages(const std::vector<StageSpan>& stages) {
  impl_->buffer([&](auto& b) {
    b.stages = stages;
    b.replace_stages = true;
  });
}
void RunWriter::set_document(const std::string& key, const json& value) {
  impl_->buffer([&](auto& b) { b.documents.emplace_back(key, json_text(value)); });
}
Status RunWriter::flush() { return impl_->flush(); }
Status RunWriter::status() const { return impl_->status(); }
Status RunWriter::finish(RunState state) { return impl_->finish(state); }

}  // namespace plumb::store
