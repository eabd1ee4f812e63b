#include "plugins/http_load/load_schedule.h"

#include <algorithm>

namespace plumb::http_load {
namespace {

std::vector<Stage> loaded_of(std::span<const Stage> stages) {
  std::vector<Stage> out;
  for (const Stage& stage : stages)
    if (stage.kind != PLUMB_STAGE_COOLDOWN) out.push_back(stage);
  return out;
}

// The level of `model` over the stages.
std::vector<LevelPiece> pieces_of(const LoadPlan& plan, const std::vector<Stage>& stages,
                                  Model model) {
  std::vector<LevelPiece> out;
  if (stages.empty()) return out;
  const int64_t start_ns = stages.front().start_ns;
  const int64_t end_ns = stages.back().end_ns;
  for (size_t i = 0; i < plan.stages.size() && i < stages.size(); ++i) {
    const LoadStage& stage = plan.stages[i];
    const bool mine = stage.model == model;
    out.push_back(
        {stages[i].start_ns, stages[i].end_ns, mine ? stage.from : 0, mine ? stage.to : 0});
  }
  if (!plan.stages.empty() || plan.model != model) return out;
  if (model == Model::kOpen) return {{start_ns, end_ns, plan.rate, plan.rate}};
  const auto users = static_cast<double>(plan.users);
  int64_t all_ns = start_ns;
  if (plan.spawn_rate > 0) {
    all_ns += static_cast<int64_t>(users / plan.spawn_rate * 1e9);
    out.push_back({start_ns, all_ns, 0, users});
  }
  out.push_back({all_ns, std::max(all_ns, end_ns), users, users});
  return out;
}

}  // namespace

LoadSchedule::LoadSchedule(const LoadPlan& plan, std::span<const Stage> stages)
    : plan_(plan),
      rate_(pieces_of(plan, loaded_of(stages), Model::kOpen)),
      users_(pieces_of(plan, loaded_of(stages), Model::kClosed)) {
  const std::vector<Stage> loaded = loaded_of(stages);
  if (loaded.empty()) return;
  start_ns_ = loaded.front().start_ns;
  end_ns_ = loaded.back().end_ns;
}

double LoadSchedule::rate(int64_t from_ns, int64_t to_ns) const {
  if (to_ns <= from_ns) return 0;
  return static_cast<double>(rate_.area(from_ns, to_ns) /
                             (static_cast<long double>(to_ns - from_ns) / 1e9L));
}

double LoadSchedule::highest_rate() const { return rate_.highest(); }

std::unique_ptr<Arrivals> LoadSchedule::arrivals(Share share) const {
  const auto closed = [&] {
    return std::make_unique<ClosedArrivals>(users_, start_ns_, plan_.think_ns, plan_.pacing_ns,
                                            share);
  };
  const auto open = [&]() -> std::unique_ptr<Arrivals> {
    if (plan_.replay_ns != nullptr)
      return std::make_unique<ReplayArrivals>(start_ns_, plan_.replay_ns, plan_.replay_speed,
                                              share);
    const auto seed = plan_.poisson ? std::optional(plan_.seed) : std::nullopt;
    return std::make_unique<OpenArrivals>(rate_, seed, share);
  };
  if (!plan_.has(Model::kClosed)) return open();
  if (!plan_.has(Model::kOpen)) return closed();
  return std::make_unique<MixedArrivals>(open(), closed());
}

}  // namespace plumb::http_load
