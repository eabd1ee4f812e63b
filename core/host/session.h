// A plumb-host's side of the conversation with the engine. Two threads: the one that calls run()
// reads requests, writes frames and sends heartbeats, whatever the plugin does; the other makes
// every call into the plugin. Interrupt is called on the first.
#ifndef PLUMB_CORE_HOST_SESSION_H_
#define PLUMB_CORE_HOST_SESSION_H_

#include <atomic>
#include <deque>
#include <optional>
#include <plumb/status.hpp>
#include <variant>

#include "core/base/mutex.h"
#include "core/base/unique_fd.h"
#include "core/host/emitter.h"
#include "core/host/instance.h"
#include "core/host/library.h"
#include "core/host/outbox.h"
#include "core/host/pace.h"
#include "core/host/protocol.h"
#include "core/host/ticker.h"

namespace plumb::host {

class Session {
 public:
  // `socket` is the host's end of the socketpair; `library` must outlive this.
  Session(UniqueFd socket, const Library& library);

  // Serves until the engine closes its end and the plugin has been stopped and destroyed, or until
  // the engine is gone or makes no sense. Gives the exit code of the process. When the plugin does
  // not return, neither may this for up to kAfterCloseNs: the plugin's thread is then left running.
  int run();

  // Tells the engine why there is no plugin to serve.
  static void refuse(int socket, const Status& why);

 private:
  using Task = std::variant<ConfigureRequest, StartRequest, BeginSampling, StageRequest,
                            DriveRequest, AnalyzeRequest, StopRequest>;

  // The thread of run().
  void serve();
  bool read_requests();
  Status take_frame(const Frame& frame);
  void take(Task task);
  void beat(int64_t now_ns);

  // The plugin's thread.
  void live();
  // The next thing to do: a task, a tick (no task), or nothing when closing.
  enum class Turn { kTask, kTick, kClose };
  Turn wait_for_turn(Task& task) PLUMB_EXCLUDES(mutex_);
  void perform(const Task& task);
  void tick();
  void note_lateness(int64_t now_ns) PLUMB_EXCLUDES(mutex_);
  void keep_pace(int64_t now_ns) PLUMB_EXCLUDES(mutex_);
  void end_rest(int64_t now_ns) PLUMB_EXCLUDES(mutex_);
  void stop_sampling();
  void reply(uint32_t request, const Status& status);
  void analyze(const AnalyzeRequest& request);

  UniqueFd socket_;
  const Library& library_;
  Outbox outbox_;
  Emitter emitter_;
  Instance instance_;
  FrameReader reader_;
  bool input_open_ = true;
  int64_t closed_ns_ = 0;
  int64_t next_beat_ns_ = 0;
  std::atomic<bool> interrupted_{false};  // drives and analyses not yet begun are cancelled
  std::atomic<int64_t> stop_asked_ns_{0};
  std::atomic<bool> ended_{false};  // the plugin's thread is done
  std::atomic<uint64_t> skipped_{0};
  std::atomic<uint64_t> failed_{0};
  std::atomic<int64_t> interval_ns_{0};  // 0: not sampling
  std::atomic<int64_t> late_ns_{0};      // the worst since the last heartbeat
  std::atomic<uint32_t> cpu_used_ppm_{0};

  Mutex mutex_;
  CondVar changed_;
  std::deque<Task> tasks_ PLUMB_GUARDED_BY(mutex_);
  bool closing_ PLUMB_GUARDED_BY(mutex_) = false;
  std::optional<Ticker> ticker_ PLUMB_GUARDED_BY(mutex_);
  // The plugin's thread only.
  std::optional<Pace> pace_;
  uint64_t failures_in_a_row_ = 0;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_SESSION_H_
