#include "postgres_store.h"

#include <chrono>
#include <thread>
#include <utility>

#include "errors.h"
#include "seed.h"

namespace shop {
namespace {

constexpr std::size_t kDefaultPool = 16;
constexpr std::int64_t kHotProduct = 1;

constexpr std::pair<const char*, const char*> kStatements[] = {
    {"health", "SELECT orders FROM seed"},

    {"product_page", R"(
      SELECT id, name, category, price_cents, stock FROM products
      WHERE id > $1 ORDER BY id LIMIT 20)"},

    {"category_page", R"(
      SELECT id, name, category, price_cents, stock FROM products
      WHERE id > $1 AND category = $2 ORDER BY id LIMIT 20)"},

    {"product", "SELECT id, name, category, price_cents, stock FROM products WHERE id = $1"},

    {"orders", R"(
      SELECT id, created_at, total_cents FROM orders
      WHERE customer_id = $1 ORDER BY created_at DESC, id DESC LIMIT 20)"},

    {"items", R"(
      SELECT product_id, quantity, price_cents FROM order_items WHERE order_id = $1 ORDER BY id)"},

    {"orders_with_items", R"(
      SELECT o.id, o.created_at, o.total_cents, i.product_id, p.name, i.quantity, i.price_cents
      FROM (SELECT id, created_at, total_cents FROM orders
            WHERE customer_id = $1 ORDER BY created_at DESC, id DESC LIMIT 20) o
      JOIN order_items i ON i.order_id = o.id
      JOIN products p ON p.id = i.product_id
      ORDER BY o.created_at DESC, o.id DESC, i.id)"},

    {"report", R"(
      SELECT p.category, count(DISTINCT o.id), sum(i.quantity), sum(i.quantity * i.price_cents)
      FROM orders o
      JOIN order_items i ON i.order_id = o.id
      JOIN products p ON p.id = i.product_id
      WHERE o.customer_id = $1
      GROUP BY p.category ORDER BY p.category)"},

    {"slow_report", R"(
      WITH wait AS MATERIALIZED (SELECT pg_sleep($2::float8))
      SELECT p.category, count(DISTINCT o.id), sum(i.quantity), sum(i.quantity * i.price_cents)
      FROM wait
      CROSS JOIN orders o
      JOIN order_items i ON i.order_id = o.id
      JOIN products p ON p.id = i.product_id
      WHERE o.customer_id = $1
      GROUP BY p.category ORDER BY p.category)"},

    {"take_stock", R"(
      UPDATE products SET stock = stock - $2 WHERE id = $1 AND stock >= $2
      RETURNING price_cents)"},

    {"insert_order", R"(
      INSERT INTO orders (customer_id, created_at, total_cents)
      VALUES ($1, extract(epoch FROM now())::bigint, $2) RETURNING id)"},

    {"insert_item", R"(
      INSERT INTO order_items (order_id, product_id, quantity, price_cents)
      VALUES ($1, $2, $3, $4))"},
};

std::unique_ptr<PgConnection> connect(const std::string& address) {
  auto connection = std::make_unique<PgConnection>(address);
  for (const auto& [name, sql] : kStatements) connection->prepare(name, sql);
  return connection;
}

Product to_product(const PgResult& result, int row) {
  return {result.integer(row, 0), result.text(row, 1), result.text(row, 2), result.integer(row, 3),
          result.integer(row, 4)};
}

std::string seconds(std::chrono::milliseconds duration) {
  return std::to_string(std::chrono::duration<double>(duration).count());
}

}  // namespace

PostgresStore::PostgresStore(const Options& options)
    : faults_(options.faults),
      connections_(options.pool.value_or(kDefaultPool),
                   [address = options.db] { return connect(address); }) {
  PgConnection connection(options.db);  // statements can be prepared once the tables are there
  customers_ = seed_customers(prepare_postgres(connection, options));
}

void PostgresStore::check() {
  const auto lease = connections_.take();
  if (lease->execute("health").rows() == 0) throw Unavailable("the database is empty");
}

std::int64_t PostgresStore::products() const { return kSeedProducts; }

std::vector<Product> PostgresStore::product_page(const std::string& category, std::int64_t after) {
  const auto lease = connections_.take();
  const std::string from = std::to_string(after);
  const PgResult result = category.empty() ? lease->execute("product_page", {from})
                                           : lease->execute("category_page", {from, category});
  std::vector<Product> page;
  for (int row = 0; row < result.rows(); ++row) page.push_back(to_product(result, row));
  return page;
}

std::optional<Product> PostgresStore::product(std::int64_t id) {
  const auto lease = connections_.take();
  const PgResult result = lease->execute("product", {std::to_string(id)});
  if (result.rows() == 0) return std::nullopt;
  return to_product(result, 0);
}

std::vector<Order> PostgresStore::latest_orders(std::int64_t customer) {
  const auto lease = connections_.take();
  return faults_.n_plus_one ? orders_one_by_one(*lease, customer)
                            : orders_at_once(*lease, customer);
}

std::vector<Order> PostgresStore::orders_at_once(PgConnection& connection, std::int64_t customer) {
  const PgResult result = connection.execute("orders_with_items", {std::to_string(customer)});
  std::vector<Order> orders;
  for (int row = 0; row < result.rows(); ++row) {
    if (orders.empty() || orders.back().id != result.integer(row, 0)) {
      orders.push_back(
          {result.integer(row, 0), result.integer(row, 1), result.integer(row, 2), {}});
    }
    orders.back().items.push_back({result.integer(row, 3), result.text(row, 4),
                                   result.integer(row, 5), result.integer(row, 6)});
  }
  return orders;
}

std::vector<Order> PostgresStore::orders_one_by_one(PgConnection& connection,
                                                    std::int64_t customer) {
  const PgResult found = connection.execute("orders", {std::to_string(customer)});
  std::vector<Order> orders;
  for (int row = 0; row < found.rows(); ++row) {
    Order order{found.integer(row, 0), found.integer(row, 1), found.integer(row, 2), {}};
    const PgResult items = connection.execute("items", {found.text(row, 0)});
    for (int item = 0; item < items.rows(); ++item) {
      const PgResult product = connection.execute("product", {items.text(item, 0)});
      order.items.push_back({items.integer(item, 0), product.rows() > 0 ? product.text(0, 1) : "",
                             items.integer(item, 1), items.integer(item, 2)});
    }
    orders.push_back(std::move(order));
  }
  return orders;
}

std::vector<CategoryTotal> PostgresStore::report(std::int64_t customer) {
  const auto lease = connections_.take();
  const std::string who = std::to_string(customer);
  const PgResult result = faults_.slow_report.count() == 0
                              ? lease->execute("report", {who})
                              : lease->execute("slow_report", {who, seconds(faults_.slow_report)});
  std::vector<CategoryTotal> totals;
  for (int row = 0; row < result.rows(); ++row) {
    totals.push_back({result.text(row, 0), result.integer(row, 1), result.integer(row, 2),
                      result.integer(row, 3)});
  }
  return totals;
}

Receipt PostgresStore::checkout(const Purchase& purchase) {
  const auto lease = connections_.take();
  const std::int64_t product = faults_.hot_row ? kHotProduct : purchase.item;
  const std::string item = std::to_string(product);
  const std::string quantity = std::to_string(purchase.quantity);

  PgTransaction transaction(*lease);
  const PgResult stock = lease->execute("take_stock", {item, quantity});
  if (stock.rows() == 0) throw RequestError(409, "not enough in stock");
  if (faults_.hot_row) std::this_thread::sleep_for(faults_.hold);

  const std::int64_t total_cents = stock.integer(0, 0) * purchase.quantity;
  const PgResult order = lease->execute(
      "insert_order", {std::to_string(purchase.customer), std::to_string(total_cents)});
  lease->execute("insert_item", {order.text(0, 0), item, quantity, stock.text(0, 0)});
  transaction.commit();
  return {order.integer(0, 0), product, total_cents};
}

}  // namespace shop
