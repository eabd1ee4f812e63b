#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "audit.h"
#include "downstream.h"
#include "options.h"
#include "server.h"
#include "store.h"

namespace shop {

// The shop's endpoints. Safe from any thread.
class Api {
 public:
  // `payments` may be null: then nobody is asked. Both must outlive the Api. Throws Unavailable.
  Api(Store& store, PaymentsClient* payments, const Faults& faults);

  Response answer(const Request& request);  // never throws

 private:
  Response route(const Request& request);
  void make_mistakes(const Request& request);
  Response health();
  Response product_page(const Request& request);
  Response product(const std::string& id_text);
  Response orders(const Request& request);
  Response report(const Request& request);
  Response checkout(const Request& request);

  // ?customer=N, or any customer when absent.
  std::int64_t customer_of(const Request& request) const;

  Store& store_;
  PaymentsClient* payments_;
  const Faults faults_;
  std::mutex everything_;  // held by --lock-ms
  std::unique_ptr<AuditLog> audit_;
  std::string pictures_;  // what --payload-kb puts at the end of a page of products, as JSON
};

}  // namespace shop
