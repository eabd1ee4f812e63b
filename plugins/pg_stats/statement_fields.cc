#include "plugins/pg_stats/statement_fields.h"

#include <initializer_list>
#include <string_view>

namespace plumb::pg_stats {
namespace {

constexpr double kMs = 0.001;
constexpr StatementField kFields[] = {
    {"calls", "Calls", nullptr, "pg_statement_calls_total", "calls", 1, "Calls of the statement"},
    {"total", "Total", "ms", "pg_statement_seconds_total", "seconds", kMs,
     "Time planning and executing the statement"},
    {"rows", "Rows", nullptr, "pg_statement_rows_total", "rows", 1,
     "Rows that the statement returned or changed"},
    {"blocks_hit", "Blocks hit", nullptr, "pg_statement_blocks_hit_total", "blocks", 1,
     "Blocks that the statement found in the shared buffers"},
    {"blocks_read", "Blocks read", nullptr, "pg_statement_blocks_read_total", "blocks", 1,
     "Blocks that the statement read from the operating system"},
    {"planning", "Planning", "ms", "pg_statement_plan_seconds_total", "seconds", kMs,
     "Time planning the statement"},
    {"io_read", "Reading", "ms", "pg_statement_io_read_seconds_total", "seconds", kMs,
     "Time the statement waited for blocks to be read"},
    {"io_write", "Writing", "ms", "pg_statement_io_write_seconds_total", "seconds", kMs,
     "Time the statement waited for blocks to be written"},
    {"blocks_dirtied", "Blocks dirtied", nullptr, "pg_statement_blocks_dirtied_total", "blocks", 1,
     "Blocks that the statement made dirty"},
    {"blocks_written", "Blocks written", nullptr, "pg_statement_blocks_written_total", "blocks", 1,
     "Blocks that the statement had to write out itself"},
    {"local_blocks", "Local blocks", nullptr, "pg_statement_local_blocks_total", "blocks", 1,
     "Blocks of temporary tables that the statement read or wrote"},
    {"temp_blocks", "Temporary blocks", nullptr, nullptr, nullptr, 1, ""},
    {"temp_bytes", "Temporary files", "bytes", "pg_statement_temp_bytes_total", "bytes", 1,
     "Bytes of temporary files that the statement read or wrote"},
    {"wal", "WAL", "bytes", "pg_statement_wal_bytes_total", "bytes", 1,
     "Bytes of WAL that the statement generated"},
    {"wal_records", "WAL records", nullptr, nullptr, nullptr, 1, ""},
    {"wal_full_pages", "Full pages in WAL", nullptr, "pg_statement_wal_full_pages_total", "1", 1,
     "Full page images that the statement wrote to WAL"},
    {"jit", "JIT", "ms", "pg_statement_jit_seconds_total", "seconds", kMs,
     "Time compiling the statement to machine code"},
};
static_assert(std::size(kFields) == kStatementFields);

constexpr std::string_view kView = "pg_stat_statements";

// The sum of `columns`, or "" unless all are there.
std::string sum_of(const ServerFacts& facts, std::initializer_list<std::string_view> columns) {
  std::string out;
  for (const std::string_view column : columns) {
    if (!facts.has(kView, column)) return {};
    if (!out.empty()) out += " + ";
    out += column;
  }
  return out;
}

// Version 17 split the times by kind of buffer; 15 added those of temporary files.
std::string io_time(const ServerFacts& facts, std::string_view what) {
  if (!facts.tracks_io_time) return {};
  const auto named = [&](const char* kind) {
    return std::string(kind) + "blk_" + std::string(what) + "_time";
  };
  std::string out = sum_of(facts, {named("shared_"), named("local_")});
  if (out.empty()) out = sum_of(facts, {named("")});
  if (!out.empty() && facts.has(kView, named("temp_"))) out += " + " + named("temp_");
  return out;
}

}  // namespace

std::span<const StatementField, kStatementFields> statement_fields() { return kFields; }

std::string statement_field_source(const StatementField& field, const ServerFacts& facts) {
  const std::string_view key = field.key;
  if (key == "calls") return "calls";
  if (key == "rows") return "rows";
  if (key == "total") {
    std::string ms = sum_of(facts, {"total_exec_time", "total_plan_time"});
    return ms.empty() ? "total_time" : ms;
  }
  if (key == "blocks_hit") return "shared_blks_hit";
  if (key == "blocks_read") return "shared_blks_read";
  if (key == "blocks_dirtied") return "shared_blks_dirtied";
  if (key == "blocks_written") return "shared_blks_written";
  if (key == "local_blocks") return "local_blks_hit + local_blks_read + local_blks_written";
  if (key == "temp_blocks") return "temp_blks_read + temp_blks_written";
  if (key == "temp_bytes")
    return "(temp_blks_read + temp_blks_written) * " + std::to_string(facts.block_size);
  if (key == "planning")
    return facts.tracks_planning ? sum_of(facts, {"total_plan_time"}) : std::string();
  if (key == "io_read") return io_time(facts, "read");
  if (key == "io_write") return io_time(facts, "write");
  if (key == "wal") return sum_of(facts, {"wal_bytes"});
  if (key == "wal_records") return sum_of(facts, {"wal_records"});
  if (key == "wal_full_pages") return sum_of(facts, {"wal_fpi"});
  if (key == "jit")
    return sum_of(facts, {"jit_generation_time", "jit_inlining_time", "jit_optimization_time",
                          "jit_emission_time"});
  return {};
}

}  // namespace plumb::pg_stats
