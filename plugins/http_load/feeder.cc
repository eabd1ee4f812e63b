#include "plugins/http_load/feeder.h"

#include "plugins/http_load/encoding.h"

namespace plumb::http_load {

Result<std::unique_ptr<Feeder>> Feeder::open(const FeederPlan& plan) {
  std::unique_ptr<Feeder> out(new Feeder(plan));
  if (plan.kind != FeederPlan::Kind::kFile) {
    out->columns_.push_back(plan.name);
    return out;
  }
  PLUMB_ASSIGN_OR_RETURN(out->table_, read_feeder_file(plan.file));
  for (const std::string& column : out->table_.columns())
    out->columns_.push_back(plan.name + "." + column);
  return out;
}

std::optional<uint64_t> Feeder::draw(Random& random) const {
  const auto count = [this] { return next_.fetch_add(1, std::memory_order_relaxed); };
  if (plan_.kind == FeederPlan::Kind::kRandom)
    return static_cast<uint64_t>(random_between(plan_.from, plan_.to, random));
  // Unsigned, so that a count that runs over begins again at the other end.
  if (plan_.kind == FeederPlan::Kind::kCounter)
    return static_cast<uint64_t>(plan_.from) + count() * static_cast<uint64_t>(plan_.step);
  const uint64_t rows = table_.rows();
  switch (plan_.order) {
    case FeederPlan::Order::kSequential:
      return count() % rows;
    case FeederPlan::Order::kRandom:
      return static_cast<uint64_t>(random_between(0, static_cast<int64_t>(rows) - 1, random));
    case FeederPlan::Order::kOnce:
      break;
  }
  const uint64_t row = count();
  if (row >= rows) return std::nullopt;
  return row;
}

uint64_t Feeder::refused() const {
  const bool once =
      plan_.kind == FeederPlan::Kind::kFile && plan_.order == FeederPlan::Order::kOnce;
  const uint64_t count = next_.load(std::memory_order_relaxed);
  return once && count > table_.rows() ? count - table_.rows() : 0;
}

void Feeder::write(uint64_t drawn, size_t column, std::string& out) const {
  if (plan_.kind == FeederPlan::Kind::kFile)
    out = table_.at(drawn, column);
  else
    out = std::to_string(static_cast<int64_t>(drawn));
}

Status Feeder::check_lines(size_t column) const {
  for (size_t row = 0; row < table_.rows(); ++row)
    if (has_control_character(table_.at(row, column)))
      return Status::invalid_argument(plan_.file + ": row " + std::to_string(row + 1) +
                                      " has a line break or another control "
                                      "character in '" +
                                      table_.columns()[column] + "', and a header takes it");
  return Status::ok();
}

}  // namespace plumb::http_load
