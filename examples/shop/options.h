#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace shop {

// What a developer may have got wrong. Everything off is the healthy service.
struct Faults {
  bool missing_index = false;
  bool n_plus_one = false;
  bool hot_row = false;
  std::chrono::milliseconds hold{5};  // used with hot_row
  std::chrono::milliseconds slow_report{0};
  std::chrono::milliseconds write_hold{0};
  std::chrono::milliseconds cpu{0};
  std::chrono::milliseconds downstream{0};
  std::chrono::milliseconds lock{0};
  std::string audit;  // file, or empty
  int audit_lines = 1;
  std::size_t payload_kb = 0;
  bool close = false;
  std::chrono::milliseconds accept{0};
};

struct Options {
  std::uint16_t port = 8080;  // 0: any free one
  std::string db = "shop.db";
  std::optional<std::size_t> pool;          // unset: the store's own default
  std::optional<std::int64_t> seed_orders;  // unset: the store's own default
  Faults faults;

  // Set for the second process: serve payments, answering after this long.
  std::optional<std::chrono::milliseconds> payments_delay;
};

bool is_postgres(const std::string& db);

// Reads the command line. When there is nothing to run (--help, a usage error), prints what the
// user needs to know, sets `exit_code` and returns nothing.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace shop
