#include "core/host/instance.h"

#include <utility>

#include "core/base/clock.h"
#include "core/host/option_values.h"
#include "core/host/text.h"

namespace plumb::host {
namespace {

plumb_stage boundary_stage(const StageSpan& stage) {
  return {sizeof(plumb_stage), stage.kind, stage.name.c_str(), stage.start_ns, stage.end_ns};
}

// What an analyzer hands back: the result function copies into it.
struct Answer {
  std::string json;
  bool given = false;
};

void take_answer(void* context, const char* json) noexcept {
  auto* answer = static_cast<Answer*>(context);
  answer->json = json == nullptr ? "" : json;
  answer->given = true;
}

}  // namespace

Instance::Instance(const Library& library, const plumb_host* host)
    : library_(library), host_(host) {}

Instance::~Instance() { destroy(); }

Status Instance::expect(State state, const char* call) const {
  if (state_ == state) return Status::ok();
  static constexpr const char* kNames[] = {"not created", "created", "configured", "started",
                                           "stopped"};
  return Status::invalid_argument(std::string(call) + " was asked of a plugin that is " +
                                  kNames[static_cast<size_t>(state_)]);
}

template <typename Call>
Status Instance::run(const char* name, Call&& call) {
  plumb_error error{};
  error.struct_size = sizeof(error);
  {
    const MutexLock lock(mutex_);
    now_ = {name, monotonic_ns()};
  }
  const int32_t code = call(&error);
  {
    const MutexLock lock(mutex_);
    now_ = {};
  }
  if (code == PLUMB_OK) return Status::ok();
  error.message[sizeof(error.message) - 1] = '\0';
  std::string message = clean_text(error.message, sizeof(error.message));
  if (message.empty()) message = std::string(name) + " failed and the plugin does not say why";
  const bool known = code > PLUMB_OK && code <= PLUMB_INTERNAL;
  return Status::from_code(known ? code : PLUMB_INTERNAL, message);
}

Status Instance::create() {
  PLUMB_RETURN_IF_ERROR(expect(State::kNothing, "create"));
  void* self = nullptr;
  PLUMB_RETURN_IF_ERROR(run(
      "create", [&](plumb_error* error) { return library_.table().create(host_, &self, error); }));
  self_ = self;
  state_ = State::kCreated;
  const MutexLock lock(interrupt_mutex_);
  interruptible_ = self;
  return Status::ok();
}

Status Instance::configure(const ConfigureRequest& request) {
  PLUMB_RETURN_IF_ERROR(expect(State::kCreated, "configure"));
  PLUMB_ASSIGN_OR_RETURN(const OptionValues values,
                         OptionValues::from_json(library_.manifest(), request.values));
  plumb_config config{};
  config.struct_size = sizeof(config);
  config.value_count = static_cast<uint32_t>(values.values().size());
  config.values = values.values().data();
  config.document = request.document.c_str();
  PLUMB_RETURN_IF_ERROR(run("configure", [&](plumb_error* error) {
    return library_.table().configure(self_, &config, error);
  }));
  state_ = State::kConfigured;
  return Status::ok();
}

Status Instance::start() {
  PLUMB_RETURN_IF_ERROR(expect(State::kConfigured, "start"));
  PLUMB_RETURN_IF_ERROR(
      run("start", [&](plumb_error* error) { return library_.table().start(self_, error); }));
  state_ = State::kStarted;
  return Status::ok();
}

Status Instance::collect() {
  PLUMB_RETURN_IF_ERROR(expect(State::kStarted, "collect"));
  return run("collect", [&](plumb_error* error) { return library_.table().collect(self_, error); });
}

Status Instance::stage(const StageSpan& stage) {
  PLUMB_RETURN_IF_ERROR(expect(State::kStarted, "stage"));
  if (library_.table().stage == nullptr) return Status::ok();
  const plumb_stage crossing = boundary_stage(stage);
  return run("stage",
             [&](plumb_error* error) { return library_.table().stage(self_, &crossing, error); });
}

Status Instance::drive(const std::vector<StageSpan>& stages) {
  PLUMB_RETURN_IF_ERROR(expect(State::kStarted, "drive"));
  if (library_.table().drive == nullptr) {
    return Status::unsupported("plugin " + library_.manifest().name + " is no load driver");
  }
  std::vector<plumb_stage> crossing;
  crossing.reserve(stages.size());
  for (const StageSpan& stage : stages) crossing.push_back(boundary_stage(stage));
  return run("drive", [&](plumb_error* error) {
    return library_.table().drive(self_, crossing.data(), static_cast<uint32_t>(crossing.size()),
                                  error);
  });
}

Result<std::string> Instance::analyze(const std::string& json) {
  PLUMB_RETURN_IF_ERROR(expect(State::kStarted, "analyze"));
  if (library_.table().analyze == nullptr) {
    return Status::unsupported("plugin " + library_.manifest().name + " is no analyzer");
  }
  Answer answer;
  PLUMB_RETURN_IF_ERROR(run("analyze", [&](plumb_error* error) {
    return library_.table().analyze(self_, json.c_str(), &take_answer, &answer, error);
  }));
  if (!answer.given) return Status::internal("the analyzer succeeded and gave no result");
  return std::move(answer.json);
}

Status Instance::stop(int64_t deadline_ns) {
  if (state_ == State::kNothing) return expect(State::kStarted, "stop");
  if (state_ == State::kStopped) return Status::ok();
  state_ = State::kStopped;
  return run("stop",
             [&](plumb_error* error) { return library_.table().stop(self_, deadline_ns, error); });
}

void Instance::destroy() {
  if (state_ == State::kNothing) return;
  {
    const MutexLock lock(interrupt_mutex_);
    interruptible_ = nullptr;
  }
  state_ = State::kNothing;
  static_cast<void>(run("destroy", [&](plumb_error*) {
    library_.table().destroy(self_);
    return PLUMB_OK;
  }));
}

CallNow Instance::call_now() {
  const MutexLock lock(mutex_);
  return now_;
}

void Instance::interrupt() {
  const MutexLock lock(interrupt_mutex_);
  if (interruptible_ != nullptr && library_.table().interrupt != nullptr) {
    library_.table().interrupt(interruptible_);
  }
}

}  // namespace plumb::host
