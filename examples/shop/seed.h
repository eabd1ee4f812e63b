#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

// The shape of the data that a new shop begins with, the same on both databases. Order n belongs
// to customer 1 + n % customers and was placed one minute after order n - 1. Each customer's orders
// hold one and two items in turn.
namespace shop {

inline constexpr std::int64_t kSeedProducts = 1000;
inline constexpr std::int64_t kSeedStock = 100'000'000;  // lasts for any load test
inline constexpr std::int64_t kSeedOrdersPerCustomer = 40;
inline constexpr std::array kSeedCategories = {"books",  "garden",  "games", "kitchen", "music",
                                               "office", "outdoor", "paper", "tools",   "toys"};

constexpr std::int64_t seed_customers(std::int64_t orders) {
  return std::max<std::int64_t>(1, orders / kSeedOrdersPerCustomer);
}

}  // namespace shop
