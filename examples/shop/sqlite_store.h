#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <string>

#include "pool.h"
#include "store.h"

namespace shop {

// Creates the schema and the first orders where they are missing, and makes the index on orders
// be there or, as the fault asks, not. Returns the number of orders that the shop began with.
std::int64_t prepare_sqlite(SQLite::Database& db, const Options& options);

// The embedded store. Each request has a connection of its own, so that concurrent writers meet at
// SQLite's write lock as they would in several processes.
class SqliteStore : public Store {
 public:
  explicit SqliteStore(const Options& options);  // throws Unavailable
  ~SqliteStore() override;

  void check() override;
  std::int64_t customers() const override { return customers_; }
  std::int64_t products() const override;
  std::vector<Product> product_page(const std::string& category, std::int64_t after) override;
  std::optional<Product> product(std::int64_t id) override;
  std::vector<Order> latest_orders(std::int64_t customer) override;
  std::vector<CategoryTotal> report(std::int64_t customer) override;
  Receipt checkout(const Purchase& purchase) override;

 private:
  struct Connection;

  template <typename Work>
  auto with_connection(Work work);
  static std::vector<Order> orders_at_once(Connection& connection, std::int64_t customer);
  static std::vector<Order> orders_one_by_one(Connection& connection, std::int64_t customer);

  const Faults faults_;
  std::int64_t customers_ = 0;
  Pool<Connection> connections_;
};

}  // namespace shop
