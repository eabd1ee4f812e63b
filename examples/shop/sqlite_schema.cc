#include <SQLiteCpp/VariadicBind.h>

#include <chrono>

#include "errors.h"
#include "seed.h"
#include "sqlite_store.h"

namespace shop {
namespace {

constexpr std::int64_t kDefaultOrders = 20'000;

constexpr char kSchema[] = R"(
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    price_cents INTEGER NOT NULL,
    stock INTEGER NOT NULL CHECK (stock >= 0));
  CREATE INDEX products_by_category ON products (category, id);
  CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    created_at INTEGER NOT NULL,
    total_cents INTEGER NOT NULL);
  CREATE TABLE order_items (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL,
    price_cents INTEGER NOT NULL);
  CREATE INDEX order_items_by_order ON order_items (order_id);
  CREATE TABLE seed (orders INTEGER NOT NULL);
)";

constexpr char kDropAll[] = R"(
  DROP TABLE order_items;
  DROP TABLE orders;
  DROP TABLE products;
  DROP TABLE customers;
  DROP TABLE seed;
)";

constexpr char kOrdersByCustomer[] =
    "CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_id, created_at)";

constexpr char kInsertCustomers[] = R"(
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
  INSERT INTO customers (id, name) SELECT i, 'Customer ' || i FROM n)";

constexpr char kInsertProduct[] = R"(
  INSERT INTO products (id, name, category, price_cents, stock)
  VALUES (?1, 'Product ' || ?1, ?2, 199 + ?1 * 37 % 5000, ?3))";

constexpr char kInsertItems[] = R"(
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
  INSERT INTO order_items (order_id, product_id, quantity, price_cents)
  SELECT n.i, p.id, 1 + n.i % 3, p.price_cents
  FROM n
  CROSS JOIN (SELECT 0 AS k UNION ALL SELECT 1) slot
  CROSS JOIN products p ON p.id = 1 + (n.i * 7919 + n.i / ?2 * 137 + slot.k * 331) % ?3
  WHERE slot.k <= n.i / ?2 % 2)";

constexpr char kInsertOrders[] = R"(
  INSERT INTO orders (id, customer_id, created_at, total_cents)
  SELECT order_id, 1 + order_id % ?2, ?3 - (?1 - order_id) * 60, sum(quantity * price_cents)
  FROM order_items GROUP BY order_id)";

bool has_table(SQLite::Database& db, const char* name) { return db.tableExists(name); }

std::int64_t seeded_orders(SQLite::Database& db) {
  if (!has_table(db, "seed")) return 0;
  return db.execAndGet("SELECT orders FROM seed").getInt64();
}

template <typename... Values>
void run(SQLite::Database& db, const char* sql, Values... values) {
  SQLite::Statement statement(db, sql);
  SQLite::bind(statement, values...);
  statement.exec();
}

void insert_products(SQLite::Database& db) {
  SQLite::Statement insert(db, kInsertProduct);
  for (std::int64_t id = 1; id <= kSeedProducts; ++id) {
    SQLite::bind(insert, id, kSeedCategories[id % kSeedCategories.size()], kSeedStock);
    insert.exec();
    insert.reset();
  }
}

void seed(SQLite::Database& db, std::int64_t orders) {
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  const std::int64_t customers = seed_customers(orders);
  if (has_table(db, "seed")) db.exec(kDropAll);
  db.exec(kSchema);
  run(db, kInsertCustomers, customers);
  insert_products(db);
  run(db, kInsertItems, orders, customers, kSeedProducts);
  run(db, kInsertOrders, orders, customers, now);
  run(db, "INSERT INTO seed (orders) VALUES (?1)", orders);
}

}  // namespace

std::int64_t prepare_sqlite(SQLite::Database& db, const Options& options) {
  db.exec("PRAGMA journal_mode = WAL");
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  const std::int64_t present = seeded_orders(db);
  if (present == 0 && has_table(db, "orders")) {
    throw Unavailable(options.db + " holds orders of some other program; name another file");
  }
  const std::int64_t orders = options.seed_orders.value_or(kDefaultOrders);
  const bool fresh = present != orders;
  if (fresh) seed(db, orders);
  if (options.faults.missing_index) {
    db.exec("DROP INDEX IF EXISTS orders_by_customer");
  } else {
    db.exec(kOrdersByCustomer);
  }
  if (fresh) db.exec("ANALYZE");
  transaction.commit();
  return orders;
}

}  // namespace shop
