// One plugin in its plumb-host process, as the engine sees it.
//
// A thread of its own reads what the host says, checks every byte of it, and calls the sink. It
// also watches: a plugin that dies, hangs, floods or breaks the protocol is killed and reaped, the
// sink hears a HealthChange to dark and an Event (plugin-crashed, plugin-hung, plugin-flooded,
// plugin-protocol) that say why, and every request waiting for it fails with that reason.
#ifndef PLUMB_CORE_ENGINE_PLUGIN_PROCESS_H_
#define PLUMB_CORE_ENGINE_PLUGIN_PROCESS_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/unique_fd.h"
#include "core/engine/child_process.h"
#include "core/engine/plugin_watch.h"
#include "core/engine/self_series.h"
#include "core/engine/series_ids.h"
#include "core/engine/signal_receiver.h"
#include "core/host/budget.h"
#include "core/host/frame.h"
#include "core/host/protocol.h"
#include "core/signal/signal.h"

namespace plumb::engine {

struct PluginLimits {
  std::chrono::nanoseconds load = std::chrono::seconds(10);  // until the library has been loaded
  std::chrono::nanoseconds configure = std::chrono::seconds(8);
  std::chrono::nanoseconds start = std::chrono::seconds(15);
  // Beyond these a host cannot be an honest one: its own budget is far lower.
  size_t bytes_per_second = size_t{64} << 20;
  double messages_per_second = 4 * host::kMessagesPerSecond;  // all but samples and histograms
  WatchLimits watch = {};
};

struct PluginSpec {
  std::string name;  // as signals and messages show it
  std::filesystem::path library;
  std::filesystem::path host_executable;
  std::vector<std::string> secrets;  // taken out of everything the plugin says in words
  // What the plugin logs and prints; any thread. May be empty.
  std::function<void(uint32_t level, const std::string& message)> log;
  // Called on the reader's thread when a drive or the process has ended. Must not call back into
  // the PluginProcess's waiting functions. May be empty.
  std::function<void()> on_change = {};
  PluginLimits limits = {};
};

// What a plugin can see, last heard of.
struct PluginHealth {
  uint32_t health = PLUMB_HEALTH_OK;  // enum plumb_health
  std::string message;
  int64_t since_ns = 0;  // 0: from the beginning
};

// All functions may be called on any thread; requests of one instance wait for one another.
class PluginProcess {
 public:
  // Starts the process; what the plugin says of it comes with configure(). `sink` and `ids` must
  // outlive the instance. The process ends with the calling thread at the latest.
  static Result<std::unique_ptr<PluginProcess>> spawn(PluginSpec spec, SignalSink& sink,
                                                      SeriesIds& ids);
  // Kills what still runs. The sink is not called afterwards.
  ~PluginProcess();
  PluginProcess(const PluginProcess&) = delete;
  PluginProcess& operator=(const PluginProcess&) = delete;

  const std::string& name() const { return spec_.name; }
  pid_t pid() const { return child_.pid(); }
  // False once the process has ended, in whatever way.
  bool is_alive() PLUMB_EXCLUDES(mutex_);
  PluginHealth health() PLUMB_EXCLUDES(mutex_);

  // `values` in carried units; `document` as plumb_config describes it. Why the library was refused
  // also comes out here.
  Status configure(const nlohmann::json& values, const std::string& document);
  Status start();
  // Has a sampler called every `interval`, and more seldom while it takes more than `cpu_budget` of
  // one processor (0: as much as it likes), which events sampler-slowed and sampler-restored tell.
  void begin_sampling(std::chrono::nanoseconds interval, double cpu_budget);
  // Tells a sampler of a stage; does not wait. A failure becomes an event stage-failed.
  void stage(const StageSpan& stage);

  // Lets a load driver drive; does not wait.
  void drive(const std::vector<StageSpan>& stages);
  // How the drive ended, once it has; the reason of its end when the process died before.
  std::optional<Status> drive_outcome() PLUMB_EXCLUDES(mutex_);

  // An analyzer that takes longer than `deadline` is killed.
  Result<std::string> analyze(std::string_view json, std::chrono::nanoseconds deadline);

  // Asks a running collect, drive or analyze to return soon.
  void interrupt();

  // Stops and destroys the plugin and waits for the end of its process. What is not done within
  // `deadline` is killed and goes dark. Ok when it has ended already.
  Status stop(std::chrono::nanoseconds deadline);
  // Ends it at once; neither event nor health is sent.
  void kill();

 private:
  struct Pending {
    std::string call;  // "configure", ...
    bool awaited = true;
    std::optional<host::Reply> reply = {};
    std::string result = {};
  };
  // Why a process is being killed.
  struct Verdict {
    std::string kind;  // of the event; empty: the engine's own wish
    std::string reason;
  };

  PluginProcess(PluginSpec spec, ChildProcess child, UniqueFd socket, UniqueFd output,
                SignalSink& sink, SeriesIds& ids);

  // Requests, on the caller's thread.
  uint32_t open_request(const std::string& call, bool awaited) PLUMB_EXCLUDES(mutex_);
  Status send(std::string_view frame, int64_t until_ns) PLUMB_EXCLUDES(send_mutex_);
  Result<Pending> await(uint32_t request, int64_t until_ns) PLUMB_EXCLUDES(mutex_);
  Status ask(uint32_t request, std::string_view frame, std::chrono::nanoseconds deadline);
  Status wait_loaded(int64_t until_ns) PLUMB_EXCLUDES(mutex_);
  Status wait_ended(int64_t until_ns) PLUMB_EXCLUDES(mutex_);
  // Has the process killed; the first verdict is the one that is told.
  void condemn(Verdict verdict) PLUMB_EXCLUDES(mutex_);

  // The reader's thread.
  void read_until_end();
  // False when there is nothing more to read now.
  bool read_socket();
  void read_output();
  void hear(std::string_view bytes);
  void flooded(const std::string& limit);
  Status take(const host::Frame& frame) PLUMB_EXCLUDES(mutex_);
  Status take_loaded(const Status& loaded) PLUMB_EXCLUDES(mutex_);
  Status take_reply(host::Reply reply, std::string result) PLUMB_EXCLUDES(mutex_);
  Status take_health(const host::Frame& frame) PLUMB_EXCLUDES(mutex_);
  Status take_heartbeat(const host::Heartbeat& beat) PLUMB_EXCLUDES(mutex_);
  void note_pace(const host::Heartbeat& beat) PLUMB_EXCLUDES(mutex_);
  void watch(int64_t now_ns) PLUMB_EXCLUDES(mutex_);
  void finish(const ChildEnd& end) PLUMB_EXCLUDES(mutex_);
  // Kind empty: it ended as it should.
  Verdict verdict_of(const ChildEnd& end) PLUMB_EXCLUDES(mutex_);
  std::string last_words() const;
  void say(uint32_t level, const std::string& message) const;
  void emit_event(uint32_t level, const std::string& kind, const std::string& message);

  const PluginSpec spec_;
  SignalSink& sink_;
  ChildProcess child_;  // the reader's, but for pid()
  UniqueFd socket_;
  UniqueFd output_;  // what the plugin prints

  // The reader's own.
  host::FrameReader frames_;
  SignalReceiver receiver_;
  SelfSeries self_;
  PluginWatch watch_;
  host::Heartbeat last_beat_;
  bool beat_untold_ = false;  // nothing was emitted of it yet
  int64_t late_ns_ = 0;       // the worst since it was last emitted
  std::string printed_;       // the last of it, for the reason of a crash
  bool output_open_ = true;
  int64_t socket_closed_ns_ = 0;  // 0: open
  bool deaf_ = false;             // nothing more that the host says is believed
  int64_t second_began_ns_ = 0;
  size_t bytes_this_second_ = 0;
  host::Budget messages_;
  int64_t next_cost_ns_ = 0;
  int64_t next_memory_ns_ = 0;

  Mutex send_mutex_;
  Mutex mutex_;
  CondVar heard_;
  std::map<uint32_t, Pending> pending_ PLUMB_GUARDED_BY(mutex_);
  uint32_t last_request_ PLUMB_GUARDED_BY(mutex_) = 0;
  uint32_t drive_request_ PLUMB_GUARDED_BY(mutex_) = 0;
  std::optional<Status> drive_outcome_ PLUMB_GUARDED_BY(mutex_);
  std::optional<Status> loaded_ PLUMB_GUARDED_BY(mutex_);          // ok once Hello came
  std::chrono::nanoseconds interval_ PLUMB_GUARDED_BY(mutex_){0};  // as planned
  double cpu_budget_ PLUMB_GUARDED_BY(mutex_) = 0;
  std::optional<Verdict> verdict_ PLUMB_GUARDED_BY(mutex_);
  bool may_exit_ PLUMB_GUARDED_BY(mutex_) = false;   // stop() has let go of it
  bool finishing_ PLUMB_GUARDED_BY(mutex_) = false;  // reaped; the sink is being told
  bool ended_ PLUMB_GUARDED_BY(mutex_) = false;
  std::string end_reason_ PLUMB_GUARDED_BY(mutex_);
  PluginHealth health_ PLUMB_GUARDED_BY(mutex_);

  std::thread reader_;  // last: it uses all of the above
};

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_PLUGIN_PROCESS_H_
