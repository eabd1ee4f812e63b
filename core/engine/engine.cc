#include "core/engine/engine.h"

#include <system_error>
#include <utility>

#include "core/engine/engine_run.h"
#include "core/engine/load_document.h"

namespace plumb::engine {
namespace {

namespace fs = std::filesystem;
using std::chrono::nanoseconds;

constexpr nanoseconds kAnalyzerStopTime = std::chrono::seconds(2);

// An analyzer's signals belong to no run.
class NoSink final : public SignalSink {
 public:
  void on_series(const SeriesInfo&) override {}
  void on_samples(const std::vector<Sample>&) override {}
  void on_histogram(const HistogramRecord&) override {}
  void on_event(const Event&) override {}
  void on_table(const TableRecord&) override {}
  void on_stacks(const StackBatch&) override {}
  void on_health(const HealthChange&) override {}
};

Result<std::string> ask_analyzer(PluginProcess& process, const nlohmann::json& values,
                                 const std::string& document, std::string_view json,
                                 nanoseconds deadline) {
  PLUMB_RETURN_IF_ERROR(process.configure(values, document));
  PLUMB_RETURN_IF_ERROR(process.start());
  return process.analyze(json, deadline);
}

}  // namespace

Engine::Engine(const plan::Plan& plan, const Catalog& catalog, EngineOptions options,
               SignalSink& sink, EngineObserver& observer)
    : plan_(plan),
      catalog_(catalog),
      options_(std::move(options)),
      sink_(sink),
      observer_(observer) {}

RunOutcome Engine::run(std::stop_token stop) {
  return EngineRun(plan_, catalog_, options_, sink_, observer_, std::move(stop)).go();
}

Result<fs::path> find_host_executable() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return Status::internal("cannot tell where this program is: " + error.message());
  const fs::path places[] = {self.parent_path() / "plumb-host",
                             self.parent_path() / ".." / "libexec" / "plumb" / "plumb-host"};
  for (const fs::path& place : places) {
    if (fs::exists(place, error)) return place;
  }
  return Status::not_found("plumb-host is neither " + places[0].string() + " nor " +
                           places[1].lexically_normal().string() +
                           ": install it beside this program");
}

Result<fs::path> host_executable_of(const EngineOptions& options) {
  if (!options.host_executable.empty()) return options.host_executable;
  return find_host_executable();
}

Result<std::string> run_analyzer(const plan::Plan& plan, const plan::PluginUse& use,
                                 const Catalog& catalog, const EngineOptions& options,
                                 std::string_view json, nanoseconds deadline,
                                 std::stop_token stop) {
  PLUMB_ASSIGN_OR_RETURN(const InstancePlan instance,
                         plan_instance(catalog, use.name, use.options));
  const uint32_t role = instance.entry->manifest.role;
  if (role != PLUMB_ROLE_ANALYZER) {
    return Status::invalid_argument(use.name + " is a " + std::string(role_name(role)) +
                                    " and analyzes nothing");
  }
  PLUMB_ASSIGN_OR_RETURN(const fs::path host, host_executable_of(options));
  NoSink sink;
  SeriesIds ids;
  PLUMB_ASSIGN_OR_RETURN(
      const std::unique_ptr<PluginProcess> process,
      PluginProcess::spawn(plugin_spec(instance, plan, options, host), sink, ids));
  const std::stop_callback on_stop(stop, [&process] { process->kill(); });
  Result<std::string> answer =
      ask_analyzer(*process, instance.values,
                   configure_document(plan, options.run_id, role, instance.values), json, deadline);
  if (stop.stop_requested()) return Status::cancelled("the analysis was interrupted");
  const Status stopped = process->stop(kAnalyzerStopTime);
  if (!stopped.is_ok() && options.log) options.log(PLUMB_WARNING, stopped.message());
  return answer;
}

}  // namespace plumb::engine
