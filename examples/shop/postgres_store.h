#pragma once

#include <string>

#include "pg_connection.h"
#include "pool.h"
#include "store.h"

namespace shop {

// Creates the schema "shop" and the first orders where they are missing, and makes the index on
// orders be there or, as the fault asks, not. Returns the number of orders that the shop began
// with.
std::int64_t prepare_postgres(PgConnection& connection, const Options& options);

// The store in PostgreSQL, over a pool of connections with prepared statements.
class PostgresStore : public Store {
 public:
  explicit PostgresStore(const Options& options);  // throws Unavailable

  void check() override;
  std::int64_t customers() const override { return customers_; }
  std::int64_t products() const override;
  std::vector<Product> product_page(const std::string& category, std::int64_t after) override;
  std::optional<Product> product(std::int64_t id) override;
  std::vector<Order> latest_orders(std::int64_t customer) override;
  std::vector<CategoryTotal> report(std::int64_t customer) override;
  Receipt checkout(const Purchase& purchase) override;

 private:
  static std::vector<Order> orders_at_once(PgConnection& connection, std::int64_t customer);
  static std::vector<Order> orders_one_by_one(PgConnection& connection, std::int64_t customer);

  const Faults faults_;
  std::int64_t customers_ = 0;
  Pool<PgConnection> connections_;
};

}  // namespace shop
