#include "plugins/http_load/driver.h"

#include <algorithm>
#include <utility>

#include "plugins/http_load/random.h"

namespace plumb::http_load {
namespace {

constexpr int64_t kLongestDrainNs = 2'000'000'000;
// What waits for a connection is bounded: ten seconds of an open schedule, within limits that
// keep the memory below 50 MB. What does not fit is shed and counted.
constexpr double kBacklogSeconds = 10;
constexpr double kLeastBacklog = 1'000;
constexpr double kMostBacklog = 1'000'000;

size_t backlog_of(const LoadPlan& plan, const LoadSchedule& schedule, Share share) {
  double backlog = static_cast<double>(plan.most_users());
  if (plan.has(Model::kOpen)) {
    const double rate = plan.replay_ns != nullptr ? plan.rate : schedule.highest_rate();
    backlog += std::clamp(rate * kBacklogSeconds, kLeastBacklog, kMostBacklog);
  }
  return static_cast<size_t>(backlog) / share.of + 1;
}

int64_t drain_of(const LoadPlan& plan) {
  int64_t longest = 0;
  for (const Request& request : plan.requests) longest = std::max(longest, request.timeout_ns);
  return std::min(longest, kLongestDrainNs);
}

bool is_later(const auto& a, const auto& b) { return a.due_ns > b.due_ns; }

}  // namespace

Driver::Driver(const Parts& parts, Share share, std::function<bool()> stop_requested)
    : parts_(parts),
      stop_requested_(std::move(stop_requested)),
      arrivals_(parts.schedule.arrivals(share)),
      start_ns_(parts.schedule.start_ns()),
      end_ns_(parts.schedule.end_ns()),
      most_waiting_(backlog_of(parts.plan, parts.schedule, share)),
      users_(static_cast<size_t>(parts.plan.most_users())) {}

void Driver::run() {
  const Parts& p = parts_;
  issuing_ = true;
  while (!stop_requested_()) {
    const int64_t now = p.clock.now_ns();
    p.recorder.advance(now);
    if (now >= end_ns_) break;
    take_due(now);
    p.transport.poll(std::min({end_ns_, p.recorder.next_cut_ns(), next_due_ns()}), *this);
  }
  // What fell due between the last turn and the end still belongs to the load.
  if (!stop_requested_()) take_due(p.clock.now_ns());
  issuing_ = false;
  give_up_waiting();
  drain(end_ns_ + drain_of(p.plan));
  p.recorder.finish(p.clock.now_ns());
  p.transport.abandon_all();
}

int64_t Driver::next_due_ns() const {
  const int64_t next = arrivals_->next_ns();
  return pauses_.empty() ? next : std::min(next, pauses_.front().due_ns);
}

void Driver::take_due(int64_t now_ns) {
  for (int64_t due = next_due_ns(); due <= now_ns && due < end_ns_; due = next_due_ns()) {
    if (!pauses_.empty() && pauses_.front().due_ns == due)
      take_pause();
    else
      take_arrival();
  }
}

void Driver::take_arrival() {
  const Arrival arrival = arrivals_->take();
  const bool visitor = arrival.user == kVisitor;
  const uint32_t user = visitor ? place_for_visitor() : arrival.user;
  users_[user].visitor = visitor;
  const uint64_t draw = Random(parts_.plan.seed ^ Random(arrival.place).next()).next();
  const Step step = parts_.workload.begin(user, arrival.fresh, draw);
  if (step.endpoint == kNoEndpoint) {
    if (visitor) free_places_.push_back(user);
    return;
  }
  parts_.recorder.arrived(arrival.place, visitor ? arrival.due_ns - start_ns_ : 0, step.endpoint);
  request(user, step, arrival.due_ns);
}

void Driver::take_pause() {
  std::pop_heap(pauses_.begin(), pauses_.end(), is_later<Pause, Pause>);
  const Pause pause = pauses_.back();
  pauses_.pop_back();
  request(pause.user, parts_.workload.next(pause.user), pause.due_ns);
}

void Driver::request(uint32_t user, const Step& step, int64_t due_ns) {
  User& u = users_[user];
  u.step = step;
  u.intended_ns = due_ns;
  u.queued_ns = 0;
  parts_.recorder.scheduled(step.endpoint);
  if (waiting_.empty() && parts_.transport.can_start()) return start(user);
  if (!u.visitor || waiting_.size() < most_waiting_) {
    u.queued_ns = parts_.clock.now_ns();
    waiting_.push_back(user);
    return;
  }
  parts_.recorder.shed(step.endpoint);
  end_iteration(user, due_ns);
}

void Driver::start_waiting() {
  while (!waiting_.empty() && parts_.transport.can_start()) {
    const uint32_t next = waiting_.front();
    waiting_.pop_front();
    start(next);
  }
}

void Driver::start(uint32_t user) {
  const User& u = users_[user];
  parts_.recorder.started();
  parts_.transport.start(
      {u.step.endpoint, u.intended_ns, u.queued_ns, user, u.step.message, u.step.sink});
}

void Driver::on_completion(Completion& completion) {
  const uint32_t user = completion.user;
  const int64_t at_ns = completion.times.finished_ns;
  const Next next = parts_.workload.completed(completion);
  if (next.what == Next::What::kFollow) {
    // The place it had is free still, and the request is the same one for the record.
    const Step step = parts_.workload.next(user);
    parts_.transport.start(
        {step.endpoint, users_[user].intended_ns, 0, user, step.message, step.sink});
    return;
  }
  const bool ok = parts_.recorder.record(completion);
  if (parts_.log != nullptr) parts_.log->add(completion, !ok);
  if (next.what == Next::What::kStep && issuing_) {
    pauses_.push_back({at_ns + next.pause_ns, user});
    std::push_heap(pauses_.begin(), pauses_.end(), is_later<Pause, Pause>);
  } else {
    end_iteration(user, at_ns);
  }
  if (!issuing_ || at_ns >= end_ns_) return;
  // At once, not after the other completions of this turn: their handling would be this user's lag.
  start_waiting();
  take_due(at_ns);
}

void Driver::end_iteration(uint32_t user, int64_t at_ns) {
  if (users_[user].visitor)
    free_places_.push_back(user);
  else
    arrivals_->completed(user, at_ns);
}

uint32_t Driver::place_for_visitor() {
  if (free_places_.empty()) {
    users_.emplace_back();
    return static_cast<uint32_t>(users_.size() - 1);
  }
  const uint32_t place = free_places_.back();
  free_places_.pop_back();
  return place;
}

void Driver::give_up_waiting() {
  for (; !waiting_.empty(); waiting_.pop_front())
    parts_.recorder.shed(users_[waiting_.front()].step.endpoint);
}

void Driver::drain(int64_t end_ns) {
  while (parts_.transport.in_flight() != 0 && !stop_requested_()) {
    const int64_t now = parts_.clock.now_ns();
    parts_.recorder.advance(now);
    if (now >= end_ns) return;
    parts_.transport.poll(std::min(end_ns, parts_.recorder.next_cut_ns()), *this);
  }
}

}  // namespace plumb::http_load
