#include "plugins/pg_stats/setting_remarks.h"

#include <charconv>
#include <cstdio>
#include <utility>

namespace plumb::pg_stats {
namespace {

constexpr const char* kSettingNames[] = {
    "autovacuum",
    "autovacuum_max_workers",
    "autovacuum_naptime",
    "checkpoint_completion_target",
    "checkpoint_timeout",
    "commit_delay",
    "compute_query_id",
    "data_checksums",
    "deadlock_timeout",
    "default_transaction_isolation",
    "effective_cache_size",
    "effective_io_concurrency",
    "fsync",
    "full_page_writes",
    "huge_pages",
    "io_method",
    "jit",
    "jit_above_cost",
    "log_autovacuum_min_duration",
    "log_checkpoints",
    "log_lock_waits",
    "log_min_duration_statement",
    "log_statement",
    "log_temp_files",
    "maintenance_work_mem",
    "max_connections",
    "max_parallel_workers_per_gather",
    "max_wal_size",
    "max_worker_processes",
    "pg_stat_statements.max",
    "pg_stat_statements.track",
    "random_page_cost",
    "seq_page_cost",
    "server_version",
    "shared_buffers",
    "standard_conforming_strings",
    "superuser_reserved_connections",
    "synchronous_commit",
    "synchronous_standby_names",
    "track_activities",
    "track_activity_query_size",
    "track_counts",
    "track_io_timing",
    "track_wal_io_timing",
    "wal_buffers",
    "wal_compression",
    "wal_level",
    "wal_sync_method",
    "work_mem",
};

constexpr double kMiB = 1024.0 * 1024;

struct SettingUnit {
  std::string_view name;
  double factor;
  bool bytes;
};
constexpr SettingUnit kSettingUnits[] = {
    {"B", 1, true},        {"kB", 1024, true}, {"8kB", 8192, true},       {"16kB", 16384, true},
    {"32kB", 32768, true}, {"MB", kMiB, true}, {"GB", 1024 * kMiB, true}, {"us", 1e-6, false},
    {"ms", 1e-3, false},   {"s", 1, false},    {"min", 60, false},        {"h", 3600, false},
    {"d", 86400, false}};

const SettingUnit* setting_unit(std::string_view name) {
  for (const SettingUnit& unit : kSettingUnits)
    if (unit.name == name) return &unit;
  return nullptr;
}

std::optional<double> setting_number(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

std::string with_digits(double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.4g %s", value, unit);
  return text;
}

std::string bytes_text(double bytes) {
  const char* unit = "B";
  for (const char* next : {"kB", "MB", "GB", "TB"}) {
    if (bytes < 1024) break;
    bytes /= 1024;
    unit = next;
  }
  return with_digits(bytes, unit);
}

std::string seconds_text(double seconds) {
  if (seconds < 1) return with_digits(seconds * 1000, "ms");
  if (seconds < 120) return with_digits(seconds, "s");
  if (seconds < 7200) return with_digits(seconds / 60, "min");
  return with_digits(seconds / 3600, "h");
}

std::string remark_on_size(std::string_view name, double bytes, const SettingContext& context) {
  if (name == "shared_buffers" && context.database_bytes && *context.database_bytes > bytes)
    return "the database has " + bytes_text(*context.database_bytes) +
           ": what does not fit is read from the operating system";
  if (name == "work_mem" && bytes < 4 * kMiB)
    return "small: sorts and hashes spill to temporary files early";
  if (name == "max_wal_size" && bytes < 1024 * kMiB)
    return "small: writing loads force checkpoints before their time";
  if (name == "wal_buffers" && bytes < 1 * kMiB)
    return "small: busy writers wait for room in the WAL buffers";
  if (name == "effective_cache_size" && context.shared_buffers_bytes &&
      bytes < *context.shared_buffers_bytes)
    return "less than shared_buffers: index scans look dearer to the planner than they are";
  return {};
}

std::string remark_on_word(std::string_view name, std::string_view value) {
  const bool off = value == "off";
  if (name == "fsync" && off)
    return "a crash of the machine loses or corrupts data, and commits look cheaper than they are";
  if (name == "full_page_writes" && off) return "a crash may leave torn pages behind";
  if (name == "synchronous_commit" && off)
    return "commits do not wait for the disk: the last moments are lost in a crash";
  if (name == "synchronous_commit" && (value == "remote_apply" || value == "remote_write"))
    return "commits wait for a standby where synchronous_standby_names names one";
  if (name == "synchronous_standby_names" && !value.empty())
    return "commits wait for these standbys";
  if (name == "autovacuum" && off) return "dead rows stay, and statistics grow stale";
  if (name == "track_counts" && off) return "tables and autovacuum are not watched";
  if (name == "track_io_timing" && off) return "times of reads and writes are not known";
  if (name == "jit" && value == "on")
    return "compiling may cost more than it saves where short statements look dear to the planner";
  if (name == "log_statement" && (value == "all" || value == "mod"))
    return "every statement is written to the log, which costs each of them";
  if (name == "standard_conforming_strings" && off)
    return "backslashes escape inside plain strings";
  if (name == "wal_compression" && off) return "full page images go to WAL uncompressed";
  if (name == "default_transaction_isolation" && value == "serializable")
    return "transactions may have to be repeated under contention";
  return {};
}

std::string remark_on_number(std::string_view name, double value, std::string_view unit) {
  if (name == "random_page_cost" && value >= 4)
    return "meant for spinning disks: on SSDs 1.1 lets the planner choose indexes";
  if (name == "max_connections" && value > 500)
    return "many backends at once cost memory and snapshots: a pooler needs fewer";
  if (name == "effective_io_concurrency" && value <= 1)
    return "bitmap scans read hardly ahead: SSDs bear 200";
  if (name == "log_min_duration_statement" && value == 0)
    return "every statement is written to the log, which costs each of them";
  if (name == "commit_delay" && value > 0)
    return "commits wait for each other by this many microseconds";
  if (name == "checkpoint_completion_target" && value < 0.7)
    return "checkpoints write in bursts: 0.9 spreads them";
  const std::optional<double> seconds =
      unit.empty() ? std::nullopt : std::optional(value * setting_unit(unit)->factor);
  if (name == "checkpoint_timeout" && seconds && *seconds < 120)
    return "frequent checkpoints write full pages to WAL again and again";
  return {};
}

}  // namespace

std::span<const char* const> settings_worth_knowing() { return kSettingNames; }

std::optional<double> setting_in_base_unit(std::string_view value, std::string_view unit) {
  const SettingUnit* known = setting_unit(unit);
  const std::optional<double> amount = setting_number(value);
  if (known == nullptr || !amount || *amount < 0) return std::nullopt;
  return *amount * known->factor;
}

std::string remark_on_setting(std::string_view name, std::string_view value, std::string_view unit,
                              const SettingContext& context) {
  const std::optional<double> amount = setting_number(value);
  if (!amount) return remark_on_word(name, value);
  const SettingUnit* known = setting_unit(unit);
  if (known != nullptr && known->bytes)
    return *amount < 0 ? std::string() : remark_on_size(name, *amount * known->factor, context);
  return remark_on_number(name, *amount, known == nullptr ? std::string_view() : unit);
}

std::string setting_text(std::string_view value, std::string_view unit) {
  const std::optional<double> amount = setting_in_base_unit(value, unit);
  if (!amount || *amount == 0) return std::string(value);
  return setting_unit(unit)->bytes ? bytes_text(*amount) : seconds_text(*amount);
}

}  // namespace plumb::pg_stats
