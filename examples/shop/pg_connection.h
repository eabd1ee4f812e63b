#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace shop {

// Rows in text form.
class PgResult {
 public:
  explicit PgResult(PGresult* result) : result_(result, &PQclear) {}

  int rows() const { return PQntuples(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string text(int row, int column) const { return PQgetvalue(result_.get(), row, column); }
  std::int64_t integer(int row, int column) const;

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

// One connection, with the search path set to the schema "shop". Every call throws Unavailable when
// the server does not do as told. For one thread at a time.
class PgConnection {
 public:
  using Values = std::vector<std::string>;

  explicit PgConnection(const std::string& address);

  PgResult query(const char* sql, const Values& values = {});
  void prepare(const char* name, const char* sql);
  PgResult execute(const char* name, const Values& values = {});

  // Fit for another request: connected, and outside any transaction.
  bool usable() const;

  // Undoes a transaction after a failure; leaves the connection unusable() when it cannot.
  void roll_back() noexcept;

 private:
  PgResult checked(PGresult* result);

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

// Undone unless committed.
class PgTransaction {
 public:
  explicit PgTransaction(PgConnection& connection) : connection_(connection) {
    connection_.query("BEGIN");
  }
  ~PgTransaction() {
    if (!committed_) connection_.roll_back();
  }
  PgTransaction(const PgTransaction&) = delete;
  PgTransaction& operator=(const PgTransaction&) = delete;

  void commit() {
    connection_.query("COMMIT");
    committed_ = true;
  }

 private:
  PgConnection& connection_;
  bool committed_ = false;
};

}  // namespace shop
