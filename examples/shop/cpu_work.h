#pragma once

#include <chrono>

namespace shop {

// Hashes until the calling thread has used this much CPU time; time spent descheduled does not
// count.
void burn_cpu(std::chrono::milliseconds amount);

}  // namespace shop
