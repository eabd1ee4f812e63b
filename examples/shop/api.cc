#include "api.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <random>
#include <string_view>
#include <thread>

#include "cpu_work.h"
#include "errors.h"

namespace shop {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kProductPrefix = "/products/";
constexpr std::int64_t kMaxQuantity = 1000;

Response reply(int status, const Json& body) {
  return {status, body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Response error_reply(int status, const std::string& what) {
  return reply(status, {{"error", what}});
}

std::int64_t random_up_to(std::int64_t most) {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_int_distribution<std::int64_t>(1, most)(generator);
}

std::int64_t parse_number(const std::string& text, const std::string& what) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || number < 0) {
    throw RequestError(400, what + " must be a whole number, not '" + text + "'");
  }
  return number;
}

void require_exists(std::int64_t number, std::int64_t most, const std::string& what) {
  if (number < 1 || number > most) {
    throw RequestError(404, "there is no " + what + " " + std::to_string(number));
  }
}

// A positive whole number from the body, or `otherwise` when absent.
std::int64_t field(const Json& body, const char* key, std::int64_t otherwise) {
  const auto found = body.find(key);
  if (found == body.end()) return otherwise;
  if (!found->is_number_unsigned() || *found == 0 || *found > INT64_MAX) {
    throw RequestError(400, std::string(key) + " must be a whole number above 0");
  }
  return found->get<std::int64_t>();
}

Json parse_object(const std::string& text) {
  if (text.empty()) return Json::object();
  Json body = Json::parse(text, nullptr, false);
  if (!body.is_object()) throw RequestError(400, "the body must be a JSON object");
  return body;
}

Json to_json(const Product& product) {
  return {{"id", product.id},
          {"name", product.name},
          {"category", product.category},
          {"price_cents", product.price_cents},
          {"stock", product.stock}};
}

Json to_json(const OrderItem& item) {
  return {{"product_id", item.product_id},
          {"product", item.product},
          {"quantity", item.quantity},
          {"price_cents", item.price_cents}};
}

Json to_json(const CategoryTotal& total) {
  return {{"category", total.category},
          {"orders", total.orders},
          {"units", total.units},
          {"total_cents", total.total_cents}};
}

Json to_json(const Order& order);

template <typename Row>
Json to_json(const std::vector<Row>& rows) {
  Json array = Json::array();
  for (const Row& row : rows) array.push_back(to_json(row));
  return array;
}

Json to_json(const Order& order) {
  return {{"id", order.id},
          {"created_at", order.created_at},
          {"total_cents", order.total_cents},
          {"items", to_json(order.items)}};
}

}  // namespace

Api::Api(Store& store, PaymentsClient* payments, const Faults& faults)
    : store_(store), payments_(payments), faults_(faults) {
  if (!faults.audit.empty()) audit_ = std::make_unique<AuditLog>(faults.audit);
  if (faults.payload_kb > 0)
    pictures_ = ",\"pictures\":\"" + std::string(faults.payload_kb * 1024, '=') + "\"}\n";
}

Response Api::answer(const Request& request) {
  try {
    return route(request);
  } catch (const RequestError& error) {
    return error_reply(error.status(), error.what());
  } catch (const Unavailable& error) {
    return error_reply(503, error.what());
  } catch (const std::exception& error) {
    return error_reply(500, error.what());
  }
}

Response Api::route(const Request& request) {
  const std::string& path = request.path;
  const bool is_product = path.starts_with(kProductPrefix) && path.size() > kProductPrefix.size();
  const bool is_read = path == "/health" || path == "/products" || path == "/orders" ||
                       path == "/report" || is_product;
  const bool is_checkout = path == "/checkout";
  if (!is_read && !is_checkout) throw RequestError(404, "there is no " + path);
  const char* method = is_checkout ? "POST" : "GET";
  if (request.method != method) throw RequestError(405, path + " takes " + method + " only");

  if (path == "/health") return health();
  make_mistakes(request);
  if (path == "/products") return product_page(request);
  if (path == "/orders") return orders(request);
  if (path == "/report") return report(request);
  if (is_checkout) return checkout(request);
  return product(path.substr(kProductPrefix.size()));
}

void Api::make_mistakes(const Request& request) {
  if (faults_.cpu.count() > 0) burn_cpu(faults_.cpu);
  if (faults_.lock.count() > 0) {
    const std::lock_guard lock(everything_);
    std::this_thread::sleep_for(faults_.lock);
  }
  for (int line = 0; audit_ && line < faults_.audit_lines; ++line)
    audit_->append(request.method + " " + request.path);
}

Response Api::health() {
  store_.check();
  return reply(200, {{"status", "ok"}});
}

Response Api::product_page(const Request& request) {
  const auto category = request.query.find("category");
  const auto after = request.query.find("after");
  const auto page =
      store_.product_page(category == request.query.end() ? "" : category->second,
                          after == request.query.end() ? 0 : parse_number(after->second, "after"));
  Response response = reply(200, {{"products", to_json(page)}});
  if (!pictures_.empty()) response.body.replace(response.body.size() - 2, 2, pictures_);
  return response;
}

Response Api::product(const std::string& id_text) {
  const std::int64_t id = parse_number(id_text, "the product");
  std::optional<Product> product = store_.product(id);
  if (!product) throw RequestError(404, "there is no product " + id_text);
  if (payments_ != nullptr) product->price_cents -= payments_->discount_cents(id);
  return reply(200, to_json(*product));
}

Response Api::orders(const Request& request) {
  const std::int64_t customer = customer_of(request);
  return reply(200, {{"customer", customer}, {"orders", to_json(store_.latest_orders(customer))}});
}

Response Api::report(const Request& request) {
  const std::int64_t customer = customer_of(request);
  return reply(200, {{"customer", customer}, {"categories", to_json(store_.report(customer))}});
}

Response Api::checkout(const Request& request) {
  const Json body = parse_object(request.body);
  Purchase purchase;
  purchase.item = field(body, "item", random_up_to(store_.products()));
  purchase.quantity = field(body, "quantity", 1);
  purchase.customer = field(body, "customer", random_up_to(store_.customers()));
  require_exists(purchase.item, store_.products(), "product");
  require_exists(purchase.customer, store_.customers(), "customer");
  if (purchase.quantity > kMaxQuantity) {
    throw RequestError(400, "quantity must be at most " + std::to_string(kMaxQuantity));
  }
  if (payments_ != nullptr) payments_->authorise(purchase.item, purchase.quantity);
  const Receipt receipt = store_.checkout(purchase);
  return reply(201, {{"order", receipt.order},
                     {"customer", purchase.customer},
                     {"item", receipt.item},
                     {"quantity", purchase.quantity},
                     {"total_cents", receipt.total_cents}});
}

std::int64_t Api::customer_of(const Request& request) const {
  const auto found = request.query.find("customer");
  if (found == request.query.end()) return random_up_to(store_.customers());
  const std::int64_t customer = parse_number(found->second, "customer");
  require_exists(customer, store_.customers(), "customer");
  return customer;
}

}  // namespace shop
