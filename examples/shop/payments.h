#pragma once

#include <chrono>

#include "server.h"

namespace shop {

// The payments service's side of PaymentsClient: says yes to everything, after `delay`.
Response answer_payment(const Request& request, std::chrono::milliseconds delay);

}  // namespace shop
