#include "sqlite_store.h"

#include <SQLiteCpp/VariadicBind.h>
#include <sqlite3.h>

#include <chrono>
#include <thread>
#include <utility>

#include "errors.h"
#include "seed.h"

namespace shop {
namespace {

constexpr std::size_t kMaxDatabaseConnections = 512;
constexpr int kBusyTimeoutMs = 10'000;

constexpr char kProductPage[] = R"(
  SELECT id, name, category, price_cents, stock FROM products WHERE id > ?1 ORDER BY id LIMIT 20)";

constexpr char kCategoryPage[] = R"(
  SELECT id, name, category, price_cents, stock FROM products
  WHERE category = ?2 AND id > ?1 ORDER BY id LIMIT 20)";

constexpr char kProduct[] =
    "SELECT id, name, category, price_cents, stock FROM products WHERE id = ?1";

constexpr char kOrders[] = R"(
  SELECT id, created_at, total_cents FROM orders
  WHERE customer_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 20)";

constexpr char kItems[] =
    "SELECT product_id, quantity, price_cents FROM order_items WHERE order_id = ?1 ORDER BY id";

constexpr char kOrdersWithItems[] = R"(
  SELECT o.id, o.created_at, o.total_cents, i.product_id, p.name, i.quantity, i.price_cents
  FROM (SELECT id, created_at, total_cents FROM orders
        WHERE customer_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 20) o
  JOIN order_items i ON i.order_id = o.id
  JOIN products p ON p.id = i.product_id
  ORDER BY o.created_at DESC, o.id DESC, i.id)";

constexpr char kReport[] = R"(
  SELECT p.category, count(DISTINCT o.id), sum(i.quantity), sum(i.quantity * i.price_cents)
  FROM orders o
  JOIN order_items i ON i.order_id = o.id
  JOIN products p ON p.id = i.product_id
  WHERE o.customer_id = ?1
  GROUP BY p.category ORDER BY p.category)";

constexpr char kTakeStock[] = R"(
  UPDATE products SET stock = stock - ?2 WHERE id = ?1 AND stock >= ?2 RETURNING price_cents)";

constexpr char kInsertOrder[] = R"(
  INSERT INTO orders (customer_id, created_at, total_cents)
  VALUES (?1, unixepoch(), ?2) RETURNING id)";

constexpr char kInsertItem[] = R"(
  INSERT INTO order_items (order_id, product_id, quantity, price_cents) VALUES (?1, ?2, ?3, ?4))";

// A prepared statement in use. Freed at the end, since one that is left half read keeps its
// transaction open.
class Query {
 public:
  template <typename... Values>
  explicit Query(SQLite::Statement& statement, const Values&... values) : statement_(statement) {
    SQLite::bind(statement_, values...);
  }
  ~Query() { statement_.tryReset(); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  bool next() { return statement_.executeStep(); }
  void finish() {
    while (next()) {
    }
  }
  std::int64_t integer(int column) { return statement_.getColumn(column).getInt64(); }
  std::string text(int column) { return statement_.getColumn(column).getString(); }

 private:
  SQLite::Statement& statement_;
};

Product to_product(Query& row) {
  return {row.integer(0), row.text(1), row.text(2), row.integer(3), row.integer(4)};
}

}  // namespace

struct SqliteStore::Connection {
  explicit Connection(const std::string& file)
      : db(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
           kBusyTimeoutMs) {
    db.exec("PRAGMA synchronous = NORMAL");
  }

  // A statement prepared on first use and kept.
  SQLite::Statement& prepared(const char* sql) {
    for (auto& [known, statement] : statements) {
      if (known == sql) return *statement;
    }
    return *statements.emplace_back(sql, std::make_unique<SQLite::Statement>(db, sql)).second;
  }

  bool usable() { return sqlite3_get_autocommit(db.getHandle()) != 0; }

  SQLite::Database db;
  std::vector<std::pair<const char*, std::unique_ptr<SQLite::Statement>>> statements;
};

SqliteStore::SqliteStore(const Options& options)
    : faults_(options.faults),
      connections_(options.pool.value_or(kMaxDatabaseConnections),
                   [file = options.db] { return std::make_unique<Connection>(file); }) {
  try {
    customers_ = seed_customers(prepare_sqlite(connections_.take()->db, options));
  } catch (const SQLite::Exception& error) {
    throw Unavailable("cannot open " + options.db + ": " + error.what());
  }
}

SqliteStore::~SqliteStore() = default;

template <typename Work>
auto SqliteStore::with_connection(Work work) {
  try {
    const auto lease = connections_.take();
    return work(*lease);
  } catch (const SQLite::Exception& error) {
    throw Unavailable(std::string("the database: ") + error.what());
  }
}

void SqliteStore::check() {
  with_connection([](Connection& connection) {
    Query query(connection.prepared("SELECT orders FROM seed"));
    if (!query.next()) throw Unavailable("the database is empty");
  });
}

std::int64_t SqliteStore::products() const { return kSeedProducts; }

std::vector<Product> SqliteStore::product_page(const std::string& category, std::int64_t after) {
  return with_connection([&](Connection& connection) {
    SQLite::Statement& statement =
        connection.prepared(category.empty() ? kProductPage : kCategoryPage);
    if (!category.empty()) statement.bind(2, category);
    Query query(statement, after);
    std::vector<Product> page;
    while (query.next()) page.push_back(to_product(query));
    return page;
  });
}

std::optional<Product> SqliteStore::product(std::int64_t id) {
  return with_connection([&](Connection& connection) -> std::optional<Product> {
    Query query(connection.prepared(kProduct), id);
    if (!query.next()) return std::nullopt;
    return to_product(query);
  });
}

std::vector<Order> SqliteStore::latest_orders(std::int64_t customer) {
  return with_connection([&](Connection& connection) {
    return faults_.n_plus_one ? orders_one_by_one(connection, customer)
                              : orders_at_once(connection, customer);
  });
}

std::vector<Order> SqliteStore::orders_at_once(Connection& connection, std::int64_t customer) {
  Query row(connection.prepared(kOrdersWithItems), customer);
  std::vector<Order> orders;
  while (row.next()) {
    if (orders.empty() || orders.back().id != row.integer(0)) {
      orders.push_back({row.integer(0), row.integer(1), row.integer(2), {}});
    }
    orders.back().items.push_back({row.integer(3), row.text(4), row.integer(5), row.integer(6)});
  }
  return orders;
}

std::vector<Order> SqliteStore::orders_one_by_one(Connection& connection, std::int64_t customer) {
  std::vector<Order> orders;
  Query row(connection.prepared(kOrders), customer);
  while (row.next()) orders.push_back({row.integer(0), row.integer(1), row.integer(2), {}});
  for (Order& order : orders) {
    Query item(connection.prepared(kItems), order.id);
    while (item.next()) {
      Query product(connection.prepared(kProduct), item.integer(0));
      const std::string name = product.next() ? product.text(1) : "";
      order.items.push_back({item.integer(0), name, item.integer(1), item.integer(2)});
    }
  }
  return orders;
}

std::vector<CategoryTotal> SqliteStore::report(std::int64_t customer) {
  return with_connection([&](Connection& connection) {
    Query row(connection.prepared(kReport), customer);
    std::vector<CategoryTotal> totals;
    while (row.next()) {
      totals.push_back({row.text(0), row.integer(1), row.integer(2), row.integer(3)});
    }
    return totals;
  });
}

Receipt SqliteStore::checkout(const Purchase& purchase) {
  return with_connection([&](Connection& connection) {
    SQLite::Transaction transaction(connection.db, SQLite::TransactionBehavior::IMMEDIATE);
    std::this_thread::sleep_for(faults_.write_hold);

    Query stock(connection.prepared(kTakeStock), purchase.item, purchase.quantity);
    if (!stock.next()) throw RequestError(409, "not enough in stock");
    const std::int64_t price_cents = stock.integer(0);
    stock.finish();

    Receipt receipt{0, purchase.item, price_cents * purchase.quantity};
    Query order(connection.prepared(kInsertOrder), purchase.customer, receipt.total_cents);
    order.next();
    receipt.order = order.integer(0);
    order.finish();

    Query(connection.prepared(kInsertItem), receipt.order, purchase.item, purchase.quantity,
          price_cents)
        .finish();
    transaction.commit();
    return receipt;
  });
}

}  // namespace shop
