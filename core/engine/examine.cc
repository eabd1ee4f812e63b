#include "core/engine/examine.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/mutex.h"
#include "core/engine/engine_run.h"
#include "core/engine/load_document.h"
#include "core/engine/plugin_process.h"
#include "core/engine/target_process.h"

namespace plumb::engine {
namespace {

using std::chrono::nanoseconds;

// Keeps the tables, in which plugins say what they found.
class TableSink final : public SignalSink {
 public:
  void on_series(const SeriesInfo&) override {}
  void on_samples(const std::vector<Sample>&) override {}
  void on_histogram(const HistogramRecord&) override {}
  void on_stacks(const StackBatch&) override {}
  void on_event(const Event&) override {}
  void on_table(const TableRecord& table) override {
    const MutexLock lock(mutex_);
    tables_[{table.plugin, table.name}] = table;
  }
  void on_health(const HealthChange&) override {}

  std::vector<TableRecord> tables() {
    const MutexLock lock(mutex_);
    std::vector<TableRecord> out;
    for (const auto& [key, table] : tables_) out.push_back(table);
    return out;
  }

 private:
  Mutex mutex_;
  std::map<std::pair<std::string, std::string>, TableRecord> tables_ PLUMB_GUARDED_BY(mutex_);
};

struct Patient {
  std::string name;
  InstancePlan plan;
  std::unique_ptr<PluginProcess> process;
  Status status;
  uint32_t role = 0;
};

// Each patient on a thread of its own, so that one that hangs holds up nobody else.
template <typename Act>
void for_all(std::vector<Patient>& patients, Act&& act) {
  std::vector<std::thread> threads;
  for (Patient& patient : patients) {
    if (!patient.status.is_ok()) continue;
    threads.emplace_back([&patient, &act] { patient.status = act(patient); });
  }
  for (std::thread& thread : threads) thread.join();
}

std::vector<Patient> admit(const plan::Plan& plan, const Catalog& catalog) {
  std::vector<Patient> out;
  const auto add = [&](const std::string& name, const nlohmann::json& options) {
    Patient patient;
    patient.name = name;
    auto instance = plan_instance(catalog, name, options);
    if (instance.is_ok()) {
      patient.role = (*instance).entry->manifest.role;
      patient.plan = std::move(instance).value();
    } else {
      patient.status = instance.status();
    }
    out.push_back(std::move(patient));
  };
  add(plan.load.plugin, plan.load.plugin_options);
  for (const plan::PluginUse& use : plan.plugins) {
    add(use.name, use.options);
    if (use.interval > nanoseconds(0)) out.back().plan.interval = use.interval;
  }
  return out;
}

template <typename Spawn>
void spawn_all(std::vector<Patient>& patients, Spawn&& spawn) {
  for (Patient& patient : patients) {
    if (!patient.status.is_ok()) continue;
    auto process = spawn(patient.plan);
    if (process.is_ok())
      patient.process = std::move(process).value();
    else
      patient.status = process.status();
  }
}

// False when `stop` was used.
bool wait_for(nanoseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

Examined verdict_on(Patient& patient) {
  Examined out;
  out.plugin = patient.name;
  out.role = patient.role;
  out.status = patient.status;
  if (patient.process == nullptr) return out;
  const PluginHealth health = patient.process->health();
  out.health = health.health;
  out.message = health.message;
  return out;
}

}  // namespace

Result<Examination> examine(const plan::Plan& plan, const Catalog& catalog,
                            const EngineOptions& options, nanoseconds watch,
                            const std::stop_token& stop) {
  PLUMB_ASSIGN_OR_RETURN(const std::filesystem::path host, host_executable_of(options));
  TableSink sink;
  SeriesIds ids;
  std::vector<Patient> patients = admit(plan, catalog);
  spawn_all(patients, [&](const InstancePlan& instance) {
    return PluginProcess::spawn(plugin_spec(instance, plan, options, host), sink, ids);
  });
  const std::stop_callback on_stop(stop, [&patients] {
    for (const Patient& patient : patients)
      if (patient.process != nullptr) patient.process->kill();
  });
  for_all(patients, [&](Patient& patient) {
    return patient.process->configure(
        patient.plan.values,
        configure_document(plan, options.run_id, patient.role, patient.plan.values));
  });

  Examination out;
  std::unique_ptr<TargetProcess> target;
  plan::Target service = plan.target;
  if (service.start.empty()) {
    service.health_timeout = std::min(service.health_timeout, kForeignTargetTime);
  } else {
    auto started = TargetProcess::start(service, options.target_log);
    if (started.is_ok())
      target = std::move(started).value();
    else
      out.target = started.status();
  }
  if (out.target.is_ok()) out.target = wait_until_healthy(service, target.get(), stop);

  for_all(patients, [](Patient& patient) {
    if (patient.role != PLUMB_ROLE_SAMPLER) return Status::ok();
    PLUMB_RETURN_IF_ERROR(patient.process->start());
    patient.process->begin_sampling(patient.plan.interval, 0);
    return Status::ok();
  });
  const bool watched = wait_for(watch, stop);
  // Before they are stopped: what they can see now is what counts.
  for (Patient& patient : patients) out.plugins.push_back(verdict_on(patient));
  for_all(patients, [](Patient& patient) { return patient.process->stop(kStopTime); });
  for (size_t i = 0; i < patients.size(); ++i)
    if (out.plugins[i].status.is_ok()) out.plugins[i].status = patients[i].status;
  if (target != nullptr) target->stop();
  if (!watched) return Status::cancelled("the examination was interrupted");
  out.tables = sink.tables();
  return out;
}

Result<std::vector<Examined>> check_plugins(const plan::Plan& plan, const Catalog& catalog,
                                            const EngineOptions& options) {
  PLUMB_ASSIGN_OR_RETURN(const std::filesystem::path host, host_executable_of(options));
  TableSink sink;
  SeriesIds ids;
  std::vector<Patient> patients = admit(plan, catalog);
  spawn_all(patients, [&](const InstancePlan& instance) {
    return PluginProcess::spawn(plugin_spec(instance, plan, options, host), sink, ids);
  });
  for_all(patients, [&](Patient& patient) {
    const std::string document = configure_document(plan, options.run_id, patient.role,
                                                    patient.plan.values, Configure::kToCheck);
    PLUMB_RETURN_IF_ERROR(patient.process->configure(patient.plan.values, document));
    return patient.process->stop(kStopTime);
  });
  std::vector<Examined> out;
  for (Patient& patient : patients) out.push_back(verdict_on(patient));
  return out;
}

}  // namespace plumb::engine
