// Gives iterations their data: a row of a file, a number that counts, a random number. Shared by
// all workers; draw() may be called on any thread.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_FEEDER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_FEEDER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/http_load/feeder_table.h"
#include "plugins/http_load/random.h"
#include "plugins/http_load/scenario_plan.h"

namespace plumb::http_load {

class Feeder {
 public:
  // Reads the file, if it is one.
  static Result<std::unique_ptr<Feeder>> open(const FeederPlan& plan);

  const std::string& name() const { return plan_.name; }
  // As templates name them: "users.email" of a file, "orders" of a number.
  const std::vector<std::string>& columns() const { return columns_; }

  // What one iteration gets: the same draws for the same random numbers, but in sequence, where
  // the order of the callers decides. Nothing once a feeder of order `once` is used up.
  std::optional<uint64_t> draw(Random& random) const;
  // How often there was nothing.
  uint64_t refused() const;
  // A column of what was drawn, in place of `out`.
  void write(uint64_t drawn, size_t column, std::string& out) const;
  // An error when a value of this column cannot stand in a header.
  Status check_lines(size_t column) const;

 private:
  explicit Feeder(const FeederPlan& plan) : plan_(plan) {}

  FeederPlan plan_;
  FeederTable table_;
  std::vector<std::string> columns_;
  mutable std::atomic<uint64_t> next_{0};
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_FEEDER_H_
