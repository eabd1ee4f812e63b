// Probes as runs of a plan: each is a session of its own with an open load at the rate asked for.
#ifndef PLUMB_CORE_CAPACITY_SESSION_PROBER_H_
#define PLUMB_CORE_CAPACITY_SESSION_PROBER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <plumb/status.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "core/capacity/probe.h"
#include "core/engine/catalog.h"
#include "core/engine/target_process.h"
#include "core/plan/plan.h"
#include "core/session/session.h"
#include "core/store/run_file.h"

namespace plumb::capacity {

struct ProberOptions {
  std::string id;             // of the search
  bool with_plugins = false;  // keep the plan's samplers during probes; analyzers never run
  bool keep_probes = false;   // leave each probe's run file in the run directory
  std::function<void(uint32_t level, const std::string& message)> log = {};
};

// The target that the plan starts is started once, and lives as long as the prober: on the thread
// that made it, which must make every call too.
class SessionProber final : public Prober {
 public:
  // Starts the target, if the plan does, and waits until it is healthy. `catalog` must outlive the
  // prober. Fails with INVALID_ARGUMENT for a plan whose load has no open form.
  static Result<std::unique_ptr<SessionProber>> start(const plan::Plan& plan,
                                                      const engine::Catalog& catalog,
                                                      ProberOptions options, std::stop_token stop);
  // Stops the target and removes what was not to be kept.
  ~SessionProber() override;
  SessionProber(const SessionProber&) = delete;
  SessionProber& operator=(const SessionProber&) = delete;

  Result<Baseline> baseline(std::stop_token stop) override;
  Result<Probe> probe(const ProbeRequest& request, std::stop_token stop) override;
  Status settle(std::stop_token stop) override;
  Result<Recovery> recover(double rate, double most_s, std::stop_token stop) override;

  // What each rate must keep; known after baseline().
  const std::vector<plan::Slo>& promises() const { return plan_.slos; }

 private:
  SessionProber(const plan::Plan& plan, const engine::Catalog& catalog, ProberOptions options);

  // Runs `plan_` as it stands and reads what it said.
  Result<store::RunData> run(std::stop_token stop);
  Result<Baseline> one_user(double measure_s, std::stop_token stop);
  void load_openly(double rate, double warmup_s, double measure_s, uint64_t seed);
  Status target_lives();

  plan::Plan plan_;  // of the next probe
  const std::vector<plan::Slo> slos_;
  const engine::Catalog& catalog_;
  const ProberOptions options_;
  const std::filesystem::path run_dir_;
  const std::filesystem::path probe_dir_;  // under run_dir_, unless probes are kept
  std::filesystem::path target_log_;
  std::unique_ptr<engine::TargetProcess> target_;
  Baseline baseline_;
  int64_t load_ended_ns_ = 0;  // of the last run
};

}  // namespace plumb::capacity

#endif  // PLUMB_CORE_CAPACITY_SESSION_PROBER_H_
