// One plugin instance and the order of its life: create, configure, start, then collect and stage,
// or drive, or analyze, then stop and destroy. A call out of order is answered with
// INVALID_ARGUMENT and does not reach the plugin.
//
// One thread makes all calls but call_now() and interrupt(), which may be called on any. That
// thread is both the control and the work thread of the boundary: so no two of a plugin's
// functions ever overlap, but for interrupt.
#ifndef PLUMB_CORE_HOST_INSTANCE_H_
#define PLUMB_CORE_HOST_INSTANCE_H_

#include <plumb/abi/plugin.h>

#include <cstdint>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "core/host/library.h"
#include "core/host/protocol.h"

namespace plumb::host {

// The call a plugin is in.
struct CallNow {
  const char* name = "";  // empty: in none
  int64_t since_ns = 0;
};

class Instance {
 public:
  // `library` and `host` must outlive this.
  Instance(const Library& library, const plumb_host* host);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  Status create();
  Status configure(const ConfigureRequest& request);
  Status start();
  Status collect();
  Status stage(const StageSpan& stage);
  Status drive(const std::vector<StageSpan>& stages);
  Result<std::string> analyze(const std::string& json);
  // Legal after create; the second and later ones do nothing.
  Status stop(int64_t deadline_ns);
  void destroy();

  bool is_started() const { return state_ == State::kStarted; }

  CallNow call_now() PLUMB_EXCLUDES(mutex_);
  // Asks the call that runs now to return soon.
  void interrupt() PLUMB_EXCLUDES(interrupt_mutex_);

 private:
  enum class State { kNothing, kCreated, kConfigured, kStarted, kStopped };

  Status expect(State state, const char* call) const;
  // Runs one function of the table, marked as the present call, and makes a status of its outcome.
  template <typename Call>
  Status run(const char* name, Call&& call) PLUMB_EXCLUDES(mutex_);

  const Library& library_;
  const plumb_host* host_;
  State state_ = State::kNothing;
  void* self_ = nullptr;

  Mutex mutex_;
  CallNow now_ PLUMB_GUARDED_BY(mutex_);
  // Held during interrupt and while the instance comes and goes.
  Mutex interrupt_mutex_;
  void* interruptible_ PLUMB_GUARDED_BY(interrupt_mutex_) = nullptr;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_INSTANCE_H_
