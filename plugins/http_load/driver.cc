#include "plugins/http_load/driver.h"

#include <algorithm>
#include <utility>

namespace plumb::http_load {
namespace {

constexpr int64_t kLongestDrainNs = 2'000'000'000;
// What waits for a connection is bounded: ten seconds of an open schedule, within limits that
// keep the memory below 50 MB. What does not fit is shed and counted.
constexpr double kBacklogSeconds = 10;
constexpr double kLeastBacklog = 1'000;
constexpr double kMostBacklog = 2'000'000;

std::vector<double> weights_of(const LoadPlan& plan) {
  std::vector<double> out;
  for (const Request& request : plan.requests) out.push_back(request.weight);
  return out;
}

size_t backlog_of(const LoadPlan& plan) {
  if (plan.model == Model::kClosed) return static_cast<size_t>(plan.users);
  return static_cast<size_t>(std::clamp(plan.rate * kBacklogSeconds, kLeastBacklog, kMostBacklog));
}

std::unique_ptr<Arrivals> arrivals_of(const LoadPlan& plan, int64_t start_ns) {
  if (plan.poisson) return std::make_unique<PoissonArrivals>(start_ns, plan.rate, plan.seed);
  if (plan.model == Model::kOpen) return std::make_unique<OpenArrivals>(start_ns, plan.rate);
  return std::make_unique<ClosedArrivals>(start_ns, plan.users, plan.spawn_rate, plan.think_ns);
}

}  // namespace

Driver::Driver(const LoadPlan& plan, const Clock& clock, Transport& transport, Recorder& recorder,
               std::function<bool()> stop_requested)
    : plan_(plan),
      clock_(clock),
      transport_(transport),
      recorder_(recorder),
      stop_requested_(std::move(stop_requested)),
      mix_(weights_of(plan), plan.seed),
      most_waiting_(backlog_of(plan)) {}

void Driver::run(int64_t start_ns, int64_t end_ns) {
  arrivals_ = arrivals_of(plan_, start_ns);
  start_ns_ = start_ns;
  end_ns_ = end_ns;
  issuing_ = true;
  while (!stop_requested_()) {
    const int64_t now = clock_.now_ns();
    recorder_.set_users(arrivals_->users(now));
    recorder_.advance(now);
    if (now >= end_ns) break;
    take_due(now);
    transport_.poll(std::min({end_ns, recorder_.next_cut_ns(), arrivals_->next_ns()}), *this);
  }
  // What fell due between the last turn and the end still belongs to the load.
  if (!stop_requested_()) take_due(clock_.now_ns());
  issuing_ = false;
  give_up_waiting();
  drain(end_ns + std::min(plan_.timeout_ns, kLongestDrainNs));
  recorder_.finish(clock_.now_ns());
  transport_.abandon_all();
}

void Driver::take_due(int64_t now_ns) {
  for (int64_t due = arrivals_->next_ns(); due <= now_ns && due < end_ns_;
       due = arrivals_->next_ns()) {
    arrivals_->take();
    const uint32_t endpoint = mix_.next();
    recorder_.scheduled(plan_.model == Model::kOpen ? due - start_ns_ : 0, endpoint);
    if (waiting_.empty() && transport_.can_start()) {
      start({endpoint, due, 0});
    } else if (waiting_.size() < most_waiting_) {
      waiting_.push_back({endpoint, due, clock_.now_ns()});
    } else {
      recorder_.shed();
    }
  }
}

void Driver::start_waiting() {
  while (!waiting_.empty() && transport_.can_start()) {
    const Waiting next = waiting_.front();
    waiting_.pop_front();
    start({next.endpoint, next.intended_ns, next.queued_ns});
  }
}

void Driver::start(const Start& request) {
  recorder_.started();
  transport_.start(request);
}

void Driver::on_completion(const Completion& completion) {
  recorder_.record(completion);
  arrivals_->completed(completion.times.finished_ns);
  if (!issuing_ || completion.times.finished_ns >= end_ns_) return;
  // At once, not after the other completions of this turn: their handling would be this user's lag.
  start_waiting();
  take_due(completion.times.finished_ns);
}

void Driver::give_up_waiting() {
  for (; !waiting_.empty(); waiting_.pop_front()) recorder_.shed();
}

void Driver::drain(int64_t end_ns) {
  while (transport_.in_flight() != 0 && !stop_requested_()) {
    const int64_t now = clock_.now_ns();
    recorder_.advance(now);
    if (now >= end_ns) return;
    transport_.poll(std::min(end_ns, recorder_.next_cut_ns()), *this);
  }
}

}  // namespace plumb::http_load
