#include "core/capacity/session_prober.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <utility>

#include "core/base/clock.h"
#include "core/base/redact.h"
#include "core/capacity/judge.h"
#include "core/plan/quantity.h"

namespace plumb::capacity {
namespace {

using std::chrono::milliseconds;

constexpr double kBaselineSeconds = 2;
constexpr double kLongBaselineSeconds = 10;  // where none was answered in the shorter one
constexpr double kLookSeconds = 0.5;         // of one user, to see whether the target has settled
constexpr double kSettled = 2;               // times the baseline
constexpr double kSettledSlack = 0.002;      // seconds
constexpr int64_t kLongestSettleNs = 20'000'000'000;
constexpr milliseconds kBetweenLooks{200};
constexpr int kHttpLoadConnections = 512;  // what http_load takes unless told

plan::Nanoseconds nanoseconds_of(double seconds) {
  return plan::Nanoseconds(std::llround(seconds * 1e9));
}

int connections_of(const plan::Load& load) {
  if (load.connections > 0) return load.connections;
  const auto option = load.plugin_options.find("connections");
  if (option != load.plugin_options.end() && option->is_number_integer() && *option > 0)
    return option->get<int>();
  return load.plugin == "http_load" ? kHttpLoadConnections : 0;
}

int64_t end_of_load(const store::RunData& run) {
  const auto window = facts::steady_window(run);
  return window ? window->end_ns : monotonic_ns();
}

// The load as the run file shows it.
void show_load(plan::Plan& plan) {
  const plan::Load& load = plan.load;
  nlohmann::json& shown = plan.resolved["load"];
  for (const char* key : {"rate", "users", "spawn_rate", "think", "pacing", "stages", "ramp",
                          "spike", "replay", "replay_speed", "abort", "profile"})
    shown.erase(key);
  const bool open = load.model == plan::LoadModel::kOpen;
  shown["model"] = open ? "open" : "closed";
  if (open)
    shown["rate"] = plan::format_rate(load.rate);
  else
    shown["users"] = load.users;
  shown["warmup"] = plan::format_duration(load.warmup);
  shown["duration"] = plan::format_duration(load.duration);
  shown["cooldown"] = plan::format_duration(load.cooldown);
  shown["seed"] = load.seed;
}

// The samplers that are to stay.
std::vector<plan::PluginUse> samplers_of(const plan::Plan& plan, const engine::Catalog& catalog) {
  std::vector<plan::PluginUse> out;
  for (const plan::PluginUse& use : plan.plugins) {
    const auto entry = catalog.find(use.name);
    if (entry.is_ok() && entry.value()->manifest.role == PLUMB_ROLE_SAMPLER) out.push_back(use);
  }
  return out;
}

// Waits for `duration` or until `stop` is used.
void pause(milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace

SessionProber::SessionProber(const plan::Plan& plan, const engine::Catalog& catalog,
                             ProberOptions options)
    : plan_(plan),
      slos_(plan.slos),
      catalog_(catalog),
      options_(std::move(options)),
      run_dir_(plan.run_dir),
      probe_dir_(options_.keep_probes ? run_dir_ : run_dir_ / (options_.id + ".probes")) {
  plan_.run_dir = probe_dir_.string();
  plan_.baseline.clear();
  plan_.plugins =
      options_.with_plugins ? samplers_of(plan, catalog) : std::vector<plan::PluginUse>();
  if (!options_.with_plugins) plan_.resolved.erase("plugins");
  plan::Load& load = plan_.load;
  load.stages.clear();
  load.replay.clear();
  load.extra.erase("abort");  // a probe is to see what fails
  load.cooldown = load.think = load.pacing = plan::Nanoseconds(0);
  load.spawn_rate = 0;
  plan_.target.start.clear();
  if (!plan.target.start.empty() && plan_.target.process.empty())
    plan_.target.process.port = plan_.target.port;
}

Result<std::unique_ptr<SessionProber>> SessionProber::start(const plan::Plan& plan,
                                                            const engine::Catalog& catalog,
                                                            ProberOptions options,
                                                            const std::stop_token& stop) {
  std::unique_ptr<SessionProber> prober(new SessionProber(plan, catalog, std::move(options)));
  std::error_code error;
  std::filesystem::create_directories(prober->probe_dir_, error);
  if (error)
    return Status::permission_denied("the run directory " + prober->probe_dir_.string() +
                                     " cannot be made: " + error.message() +
                                     "; choose another with --run-dir");
  if (plan.target.start.empty()) return prober;
  prober->target_log_ = prober->run_dir_ / (prober->options_.id + ".target.log");
  PLUMB_ASSIGN_OR_RETURN(prober->target_,
                         engine::TargetProcess::start(plan.target, prober->target_log_));
  PLUMB_RETURN_IF_ERROR(engine::wait_until_healthy(plan.target, prober->target_.get(), stop));
  return prober;
}

SessionProber::~SessionProber() {
  if (target_) target_->stop();
  std::error_code error;
  if (!options_.keep_probes) std::filesystem::remove_all(probe_dir_, error);
  // Of a target that said nothing there is no log to keep.
  if (!target_log_.empty() && std::filesystem::file_size(target_log_, error) == 0)
    std::filesystem::remove(target_log_, error);
}

Status SessionProber::target_lives() {
  if (!target_) return Status::ok();
  const auto end = target_->how_it_ended();
  return end ? Status::unavailable(redact(*end, plan_.secret_values)) : Status::ok();
}

Result<store::RunData> SessionProber::run(std::stop_token stop) {
  show_load(plan_);
  session::SessionOptions options;
  options.html = false;
  options.log = options_.log;
  PLUMB_ASSIGN_OR_RETURN(const session::RunSummary summary,
                         session::run(plan_, catalog_, options, std::move(stop)));
  PLUMB_ASSIGN_OR_RETURN(store::RunData data, store::read_run(summary.run_file));
  if (!options_.keep_probes) {
    std::error_code ignored;
    std::filesystem::remove(summary.run_file, ignored);
  }
  PLUMB_RETURN_IF_ERROR(target_lives());
  if (summary.end == engine::RunEnd::kInterrupted)
    return Status::cancelled("the probe was interrupted");
  load_ended_ns_ = end_of_load(data);
  return data;
}

void SessionProber::load_openly(double rate, double warmup_s, double measure_s, uint64_t seed) {
  plan_.load.model = plan::LoadModel::kOpen;
  plan_.load.rate = rate;
  plan_.load.users = 0;
  plan_.load.warmup = nanoseconds_of(warmup_s);
  plan_.load.duration = nanoseconds_of(measure_s);
  plan_.load.seed = seed;
}

Result<Baseline> SessionProber::one_user(double measure_s, std::stop_token stop) {
  plan_.load.model = plan::LoadModel::kClosed;
  plan_.load.rate = 0;
  plan_.load.users = 1;
  plan_.load.warmup = nanoseconds_of(kLookSeconds / 2);
  plan_.load.duration = nanoseconds_of(measure_s);
  PLUMB_ASSIGN_OR_RETURN(const store::RunData data, run(std::move(stop)));
  const std::optional<Baseline> found = baseline_of(data);
  if (!found)
    return Status::deadline_exceeded("no request succeeded with one user in " +
                                     plan::format_duration(nanoseconds_of(measure_s)));
  return *found;
}

Result<Baseline> SessionProber::baseline(std::stop_token stop) {
  Result<Baseline> found = one_user(kBaselineSeconds, stop);
  if (!found.is_ok() && found.status().code() == PLUMB_DEADLINE_EXCEEDED)
    found = one_user(kLongBaselineSeconds, stop);
  if (!found.is_ok()) return found;
  baseline_ = *found;
  plan_.slos = promises_of(slos_, baseline_);
  return found;
}

Result<Probe> SessionProber::probe(const ProbeRequest& request, std::stop_token stop) {
  load_openly(request.rate, request.warmup_s, request.measure_s, request.seed);
  PLUMB_ASSIGN_OR_RETURN(const store::RunData data, run(std::move(stop)));
  std::optional<Probe> judged =
      judge(data, {request.rate, connections_of(plan_.load), plan_.load.arrivals == "poisson"},
            baseline_);
  if (!judged) return Status::internal("the load plugin ended before the probe did");
  if (!options_.keep_probes) judged->run_id.clear();
  return *judged;
}

Status SessionProber::settle(std::stop_token stop) {
  const int64_t until = monotonic_ns() + kLongestSettleNs;
  Status last;
  do {
    pause(kBetweenLooks, stop);
    if (stop.stop_requested()) return Status::cancelled("interrupted");
    const Result<Baseline> now = one_user(kLookSeconds, stop);
    PLUMB_RETURN_IF_ERROR(target_lives());
    if (now.is_ok() && now->p50_s <= kSettled * baseline_.p50_s + kSettledSlack)
      return Status::ok();
    last = now.status();
    // A target that is still busy may refuse, or answer nothing in time.
    if (!last.is_ok() && last.code() != PLUMB_UNAVAILABLE && last.code() != PLUMB_DEADLINE_EXCEEDED)
      return last;
  } while (monotonic_ns() < until);
  // One that answers, but slower than before, is measured as it is.
  return last.with_context("the target did not settle after an overload");
}

Result<Recovery> SessionProber::recover(double rate, double most_s, std::stop_token stop) {
  const int64_t overload_ended_ns = load_ended_ns_;
  const int64_t until = monotonic_ns() + nanoseconds_of(most_s).count();
  load_openly(rate, 0, most_s, plan_.load.seed);
  Result<store::RunData> data = run(stop);
  // A target that does not even answer whether it is healthy has not recovered yet.
  while (!data.is_ok() && data.status().code() == PLUMB_UNAVAILABLE && monotonic_ns() < until) {
    PLUMB_RETURN_IF_ERROR(target_lives());
    data = run(stop);
  }
  if (!data.is_ok()) return data.status();
  const std::optional<int64_t> at = recovered_at(*data);
  Recovery out;
  out.recovered = at.has_value();
  out.seconds = static_cast<double>(at.value_or(load_ended_ns_) - overload_ended_ns) / 1e9;
  return out;
}

}  // namespace plumb::capacity
