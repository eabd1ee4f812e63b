#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "options.h"

namespace shop {

struct Product {
  std::int64_t id = 0;
  std::string name;
  std::string category;
  std::int64_t price_cents = 0;
  std::int64_t stock = 0;
};

struct OrderItem {
  std::int64_t product_id = 0;
  std::string product;
  std::int64_t quantity = 0;
  std::int64_t price_cents = 0;
};

struct Order {
  std::int64_t id = 0;
  std::int64_t created_at = 0;  // Unix seconds
  std::int64_t total_cents = 0;
  std::vector<OrderItem> items;
};

struct CategoryTotal {
  std::string category;
  std::int64_t orders = 0;
  std::int64_t units = 0;
  std::int64_t total_cents = 0;
};

struct Purchase {
  std::int64_t item = 0;
  std::int64_t quantity = 1;
  std::int64_t customer = 0;
};

struct Receipt {
  std::int64_t order = 0;
  std::int64_t item = 0;
  std::int64_t total_cents = 0;
};

// Where the shop keeps its products and orders. Every call may come from any thread, may block on
// the database, and throws Unavailable when the database does not answer.
class Store {
 public:
  virtual ~Store() = default;

  // Returns when the database answers.
  virtual void check() = 0;

  // Customers and products are numbered from 1 without gaps up to these.
  virtual std::int64_t customers() const = 0;
  virtual std::int64_t products() const = 0;

  // The next 20 products with an id above `after`; of all categories when `category` is empty.
  virtual std::vector<Product> product_page(const std::string& category, std::int64_t after) = 0;
  virtual std::optional<Product> product(std::int64_t id) = 0;

  // The customer's latest 20 orders with their items, newest first.
  virtual std::vector<Order> latest_orders(std::int64_t customer) = 0;

  // What the customer spent per category.
  virtual std::vector<CategoryTotal> report(std::int64_t customer) = 0;

  // Takes the goods out of stock and records the order, in one transaction. Throws RequestError
  // when the product is not in stock.
  virtual Receipt checkout(const Purchase& purchase) = 0;
};

// Opens the store that options.db names, with its schema and its first orders in place.
std::unique_ptr<Store> open_store(const Options& options);

}  // namespace shop
