#include "core/serve/session_runs.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <utility>

#include "core/base/clock.h"
#include "core/base/json_text.h"
#include "core/serve/run_teller.h"
#include "core/session/live.h"
#include "core/session/run_id.h"

namespace plumb::serve {
namespace {

using nlohmann::json;

constexpr size_t kRememberedRuns = 8;

int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

store::RunState state_of(engine::RunEnd end) {
  switch (end) {
    case engine::RunEnd::kFinished:
      return store::RunState::kFinished;
    case engine::RunEnd::kInterrupted:
      return store::RunState::kInterrupted;
    case engine::RunEnd::kFailed:
      break;
  }
  return store::RunState::kFailed;
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string out;
  for (const std::string& sentence : sentences) out += (out.empty() ? "" : "; ") + sentence;
  return out;
}

}  // namespace

struct SessionRuns::Run {
  Run(plan::Plan p, std::string run_id)
      : plan(std::move(p)),
        id(std::move(run_id)),
        started_unix_ms(unix_ms()),
        live(session::planned_seconds(plan)),
        log(std::make_shared<EventLog>()),
        teller(live, *log) {}

  const plan::Plan plan;
  const std::string id;
  const int64_t started_unix_ms;
  std::atomic<bool> stopping = false;
  std::stop_source stop;
  session::Live live;
  const std::shared_ptr<EventLog> log;
  RunTeller teller;
};

SessionRuns::SessionRuns(Runner runner, Log log, std::chrono::milliseconds progress_interval)
    : runner_(std::move(runner)), log_(std::move(log)), progress_interval_(progress_interval) {}

SessionRuns::~SessionRuns() {
  shut_down(std::chrono::steady_clock::now());
  MutexLock starting(start_mutex_);
  if (thread_.joinable()) thread_.join();
}

void SessionRuns::say(uint32_t level, const std::string& message) const {
  if (log_) log_(level, message);
}

Result<std::string> SessionRuns::start(plan::Plan plan) {
  MutexLock starting(start_mutex_);
  {
    MutexLock lock(mutex_);
    if (closed_) return Status::unavailable("The daemon is stopping and takes no more runs.");
    if (current_) return Status::resource_exhausted("Run " + current_->id + " goes on.");
  }
  // The last run has been concluded; its thread is on its way out.
  if (thread_.joinable()) thread_.join();

  std::random_device random;
  const std::string id = session::make_run_id(unix_ms(), static_cast<uint16_t>(random() & 0xffffU));
  const auto run = std::make_shared<Run>(std::move(plan), id);
  {
    MutexLock lock(mutex_);
    if (closed_) return Status::unavailable("The daemon is stopping and takes no more runs.");
    current_ = run;
  }
  say(PLUMB_INFO, "run " + id + " (" + run->plan.name + ") begins");
  thread_ = std::thread([this, run] { execute(*run); });
  return id;
}

void SessionRuns::execute(Run& run) {
  std::thread progress([&] { tell_progress(run); });
  session::SessionOptions options;
  options.run_id = run.id;
  options.sinks = {&run.live, &run.teller};
  options.observer = &run.teller;
  options.log = log_;
  const Result<session::RunSummary> summary = runner_(run.plan, options, run.stop.get_token());
  run.teller.finish();
  progress.join();

  EndedRun end;
  json told = {{"id", run.id}};
  if (summary.is_ok()) {
    end.state = state_of(summary->end);
    end.message = joined(summary->warnings);
    told["exit_code"] = static_cast<int>(summary->exit_code);
    if (summary->report.contains("verdict")) told["verdict"] = summary->report["verdict"];
    if (!summary->comparison.is_null()) told["comparison"] = summary->comparison["verdict"];
  } else {
    const bool cancelled = summary.status().code() == PLUMB_CANCELLED;
    end.state = cancelled ? store::RunState::kInterrupted : store::RunState::kFailed;
    end.message = summary.status().message();
    told["exit_code"] = static_cast<int>(session::ExitCode::kFailed);
  }
  conclude(run, std::move(end), told);
}

void SessionRuns::conclude(Run& run, EndedRun end, const json& told) {
  json data = told;
  data["state"] = store::run_state_name(end.state);
  if (!end.message.empty()) data["message"] = end.message;
  const bool failed = end.state == store::RunState::kFailed;
  say(failed ? PLUMB_ERROR : PLUMB_INFO, "run " + run.id + " " + data["state"].get<std::string>() +
                                             (end.message.empty() ? "" : ": " + end.message));
  // Over for everybody who asks, before anybody is told so.
  const std::shared_ptr<EventLog> log = run.log;
  {
    MutexLock lock(mutex_);
    ++totals_[end.state];
    past_.push_back({run.id, std::move(end), log});
    if (past_.size() > kRememberedRuns) past_.pop_front();
    current_.reset();
    telling_ = true;
  }
  log->append("done", json_text(data));
  log->end();
  MutexLock lock(mutex_);
  telling_ = false;
  over_.notify_all();
}

void SessionRuns::tell_progress(Run& run) {
  auto next = std::chrono::steady_clock::now();
  while (true) {
    next += progress_interval_;
    if (!run.teller.wait_until(next)) return;
    run.log->append("progress", live_numbers(run.live.snapshot(monotonic_ns())).dump());
  }
}

std::optional<LiveRun> SessionRuns::live() const {
  std::shared_ptr<Run> run;
  {
    MutexLock lock(mutex_);
    run = current_;
  }
  if (!run) return std::nullopt;
  return LiveRun{run->id, run->plan.name, run->started_unix_ms, run->stopping,
                 live_numbers(run->live.snapshot(monotonic_ns()))};
}

Status SessionRuns::stop(const std::string& id) {
  MutexLock lock(mutex_);
  if (!current_ || current_->id != id) return Status::not_found("No run of that id goes on here.");
  current_->stopping = true;
  current_->stop.request_stop();
  return Status::ok();
}

std::optional<EndedRun> SessionRuns::ended(const std::string& id) const {
  MutexLock lock(mutex_);
  const auto at =
      std::find_if(past_.begin(), past_.end(), [&](const Past& past) { return past.id == id; });
  if (at == past_.end()) return std::nullopt;
  return at->end;
}

std::shared_ptr<EventLog> SessionRuns::events(const std::string& id) const {
  MutexLock lock(mutex_);
  if (current_ && current_->id == id) return current_->log;
  const auto at =
      std::find_if(past_.begin(), past_.end(), [&](const Past& past) { return past.id == id; });
  return at == past_.end() ? nullptr : at->log;
}

std::map<store::RunState, uint64_t> SessionRuns::totals() const {
  MutexLock lock(mutex_);
  return totals_;
}

bool SessionRuns::shut_down(std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  closed_ = true;
  if (current_) {
    current_->stopping = true;
    current_->stop.request_stop();
  }
  // Until its end is told as well: whoever closes the streams then cuts nobody off from it.
  while (current_ || telling_) {
    if (!over_.wait_until(mutex_, deadline)) return !current_;
  }
  return true;
}

}  // namespace plumb::serve
