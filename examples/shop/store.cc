#include "store.h"

#include "postgres_store.h"
#include "sqlite_store.h"

namespace shop {

std::unique_ptr<Store> open_store(const Options& options) {
  if (is_postgres(options.db)) return std::make_unique<PostgresStore>(options);
  return std::make_unique<SqliteStore>(options);
}

}  // namespace shop
