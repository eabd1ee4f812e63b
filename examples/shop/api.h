#pragma once

#include <string>

#include "downstream.h"
#include "options.h"
#include "server.h"
#include "store.h"

namespace shop {

// The shop's endpoints. Safe from any thread.
class Api {
 public:
  // `payments` may be null: then nobody is asked. Both must outlive the Api.
  Api(Store& store, PaymentsClient* payments, const Faults& faults)
      : store_(store), payments_(payments), faults_(faults) {}

  Response answer(const Request& request);  // never throws

 private:
  Response route(const Request& request);
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
};

}  // namespace shop
