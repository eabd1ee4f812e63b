// plumb-sqlite-inspect: looks at one SQLite database with SQL, reads only, prints one JSON object
// and ends. See README.md beside this file.
#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "file_check.h"
#include "query_plans.h"
#include "read_only_vfs.h"
#include "schema.h"

namespace plumb::sqlite_inspect {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr int kUsageError = 2;
constexpr int64_t kMostBudgetMs = 60'000;
constexpr size_t kMostStatementBytes = 1u << 20;

constexpr char kUsage[] =
    "usage: plumb-sqlite-inspect --database FILE [--statements FILE] [--budget-ms N]\n"
    "\n"
    "Prints the schema of an SQLite database, estimates of its sizes, and how it would run the\n"
    "statements of a file (each ended by ';'), as one JSON object. Reads only, and stops after\n"
    "N milliseconds (1500 by default).\n"
    "  plumb-sqlite-inspect --database shop.db --statements queries.sql\n";

struct Arguments {
  std::string database;
  std::string statements;
  int64_t budget_ms = 1500;
};

std::optional<Arguments> arguments_of(const std::vector<std::string_view>& words) {
  Arguments out;
  for (size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size()) return std::nullopt;
    const std::string_view value = words[i + 1];
    if (words[i] == "--database") {
      out.database = value;
    } else if (words[i] == "--statements") {
      out.statements = value;
    } else if (words[i] == "--budget-ms") {
      const auto parsed = std::from_chars(value.begin(), value.end(), out.budget_ms);
      if (parsed.ec != std::errc() || parsed.ptr != value.end() || out.budget_ms < 1 ||
          out.budget_ms > kMostBudgetMs)
        return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return out.database.empty() ? std::nullopt : std::optional(out);
}

// Whatever becomes of us, or of what we read: no longer, no larger, nothing written, nobody else's
// processor time.
void limit_ourselves(int64_t budget_ms) {
  constexpr rlim_t kMostMemory = rlim_t{512} << 20;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpriority(PRIO_PROCESS, 0, 10);
  const auto seconds = static_cast<rlim_t>(budget_ms / 1000 + 2);
  const auto set = [](auto resource, rlim_t most) {
    const rlimit limit{most, most};
    ::setrlimit(resource, &limit);
  };
  set(RLIMIT_CPU, seconds);
  set(RLIMIT_CORE, 0);
  set(RLIMIT_NOFILE, 32);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  set(RLIMIT_AS, kMostMemory);
#else
  static_cast<void>(kMostMemory);
#endif
  ::alarm(static_cast<unsigned>(seconds));
}

std::string refusal_of(const SQLite::Exception& e) {
  switch (e.getErrorCode()) {
    case SQLITE_NOTADB:
      return "the file is no SQLite database, or is encrypted";
    case SQLITE_CORRUPT:
      return "the database is damaged: run PRAGMA integrity_check on a copy";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "it is locked by its application";
    case SQLITE_INTERRUPT:
      return "there was no time to read its schema between its writers";
    case SQLITE_CANTOPEN:
      return "SQLite cannot open it without writing: its -wal or -shm file is not as it should be";
    default:
      // Extended codes share the low byte.
      if ((e.getErrorCode() & 0xff) == SQLITE_READONLY)
        return "it needs a recovery that only its application may do";
      return std::string("SQLite says: ") + sqlite3_errstr(e.getErrorCode());
  }
}

json index_json(const Index& index) {
  json out{{"name", index.name},
           {"columns", index.columns},
           {"unique", index.unique},
           {"notes", index.notes}};
  if (index.bytes) out["bytes"] = *index.bytes;
  return out;
}

json table_json(const Table& table) {
  json out{{"name", table.name}, {"indexes", json::array()}, {"notes", table.notes}};
  if (table.is_virtual) out["notes"].push_back("virtual table");
  if (table.without_rowid) out["notes"].push_back("WITHOUT ROWID");
  if (table.rows) {
    out["rows"] = *table.rows;
    out["rows_from"] = table.rows_from;
  }
  if (table.bytes) out["bytes"] = *table.bytes;
  for (const Index& index : table.indexes) out["indexes"].push_back(index_json(index));
  return out;
}

Result<std::string> read_statements(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open()) return Status::not_found("cannot read the statements in " + path);
  if (text.size() > kMostStatementBytes)
    return Status::invalid_argument("the statements in " + path + " are more than 1 MiB");
  return text;
}

json inspect(const Arguments& arguments, Connection::Clock::time_point deadline) {
  json out{{"format", kFormat}};
  const auto refuse = [&out](const std::string& why) {
    out["refused"] = why;
    return out;
  };
  const char* vfs = register_read_only_vfs();
  if (vfs == nullptr) return refuse("this SQLite has no file system");
  const Result<FileCheck> file = FileCheck::open(arguments.database);
  if (!file.is_ok()) return refuse(file.status().message());
  Result<std::string> text = read_statements(arguments.statements);
  if (!text.is_ok()) {
    out["notes"].push_back(text.status().message());
    text = std::string();
  }
  Schema schema;
  std::vector<StatementPlan> plans;
  try {
    Connection connection(arguments.database, *file, vfs, deadline);
    schema = read_schema(connection, file->bytes());
    plans = explain(connection, schema, *text);
  } catch (const SQLite::Exception& e) {
    return refuse(refusal_of(e));
  }
  if (file->access() == Access::kClosed && !file->still_closed())
    return refuse("its application opened it while it was read as a closed file");
  for (const std::string& note : schema.notes) out["notes"].push_back(note);
  for (const Table& table : schema.tables) out["tables"].push_back(table_json(table));
  for (const StatementPlan& plan : plans) {
    out["statements"].push_back({{"number", plan.number},
                                 {"text", plan.text},
                                 {"plan", plan.steps},
                                 {"findings", plan.findings}});
  }
  return out;
}

int run(int argc, char** argv) {
  const auto begun = Connection::Clock::now();
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (!words.empty() && (words[0] == "--help" || words[0] == "-h")) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  const auto arguments = arguments_of(words);
  if (!arguments) {
    std::fputs(kUsage, stderr);
    return kUsageError;
  }
  limit_ourselves(arguments->budget_ms);
  const json document =
      inspect(*arguments, begun + std::chrono::milliseconds(arguments->budget_ms));
  const std::string printed = document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return std::fwrite(printed.data(), 1, printed.size(), stdout) == printed.size() ? 0 : 1;
}

}  // namespace
}  // namespace plumb::sqlite_inspect

int main(int argc, char** argv) {
  try {
    return plumb::sqlite_inspect::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "plumb-sqlite-inspect: %s\n", e.what());
    return 1;
  }
}
