// The side of the engine's threads: starting the process, requests and their deadlines. What the
// host says is in plugin_reader.cc.
#include "core/engine/plugin_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

// glibc 2.36 forgot to do this in the header itself.
extern "C" {
#include <sys/pidfd.h>
}

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/base/clock.h"

namespace plumb::engine {
namespace {

using std::chrono::nanoseconds;

// How long a request may take to be written: only analyses are larger than the socket's buffer.
constexpr nanoseconds kSendTime = std::chrono::seconds(2);
// What destroy and the end of the process may take after a stop that used up its time.
constexpr nanoseconds kLeastForEnd = std::chrono::milliseconds(500);
// A process that was sent SIGKILL ends unless the kernel itself is stuck.
constexpr nanoseconds kKillTime = std::chrono::seconds(5);

int64_t after(nanoseconds duration) { return monotonic_ns() + duration.count(); }

}  // namespace

Result<std::unique_ptr<PluginProcess>> PluginProcess::spawn(PluginSpec spec, SignalSink& sink,
                                                            SeriesIds& ids) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return Status::unavailable(std::string("no socket for a plugin: ") + std::strerror(errno));
  }
  UniqueFd ours(sockets[0]);
  const UniqueFd theirs(sockets[1]);
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) {
    return Status::unavailable(std::string("no pipe for a plugin: ") + std::strerror(errno));
  }
  UniqueFd output(pipe[0]);
  const UniqueFd output_in(pipe[1]);
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);

  ChildSpec child;
  child.argv = {spec.host_executable.string(), "--fd", std::to_string(ChildProcess::kExtraFd),
                "--plugin", spec.library.string()};
  child.output = output_in.get();
  child.errors = output_in.get();
  child.extra = theirs.get();
  auto process = ChildProcess::spawn(child);
  if (!process.is_ok()) return process.status().with_context("plugin " + spec.name);
  return std::unique_ptr<PluginProcess>(new PluginProcess(
      std::move(spec), std::move(process).value(), std::move(ours), std::move(output), sink, ids));
}

PluginProcess::PluginProcess(PluginSpec spec, ChildProcess child, UniqueFd socket, UniqueFd output,
                             SignalSink& sink, SeriesIds& ids)
    : spec_(std::move(spec)),
      sink_(sink),
      child_(std::move(child)),
      socket_(std::move(socket)),
      output_(std::move(output)),
      receiver_(spec_.name, monotonic_ns(), spec_.secrets, sink, ids),
      self_(spec_.name, sink, ids),
      watch_(spec_.limits.watch, monotonic_ns()),
      messages_(spec_.limits.messages_per_second, host::kBurstSeconds),
      reader_([this] { read_until_end(); }) {}

PluginProcess::~PluginProcess() {
  kill();
  reader_.join();
}

bool PluginProcess::is_alive() {
  const MutexLock lock(mutex_);
  return !ended_;
}

PluginHealth PluginProcess::health() {
  const MutexLock lock(mutex_);
  return health_;
}

Status PluginProcess::configure(const nlohmann::json& values, const std::string& document) {
  PLUMB_RETURN_IF_ERROR(wait_loaded(after(spec_.limits.load)));
  const uint32_t request = open_request("configure", true);
  PLUMB_ASSIGN_OR_RETURN(const std::string frame,
                         host::encode(host::ConfigureRequest{request, values, document}));
  return ask(request, frame, spec_.limits.configure);
}

Status PluginProcess::start() {
  const uint32_t request = open_request("start", true);
  return ask(request, host::encode(host::StartRequest{request}), spec_.limits.start);
}

void PluginProcess::begin_sampling(nanoseconds interval, double cpu_budget) {
  {
    const MutexLock lock(mutex_);
    interval_ = interval;
    cpu_budget_ = cpu_budget;
  }
  // A host that cannot be written to is dead or hung, and the reader tells so.
  const auto budget_ppm = static_cast<uint32_t>(std::lround(cpu_budget * 1e6));
  static_cast<void>(
      send(host::encode(host::BeginSampling{interval.count(), budget_ppm}), after(kSendTime)));
}

void PluginProcess::stage(const StageSpan& stage) {
  const uint32_t request = open_request("stage", false);
  static_cast<void>(send(host::encode(host::StageRequest{request, stage}), after(kSendTime)));
}

void PluginProcess::drive(const std::vector<StageSpan>& stages) {
  const uint32_t request = open_request("drive", false);
  {
    const MutexLock lock(mutex_);
    drive_request_ = request;
    drive_outcome_.reset();
    if (ended_) drive_outcome_ = Status::unavailable(end_reason_);
  }
  static_cast<void>(send(host::encode(host::DriveRequest{request, stages}), after(kSendTime)));
}

std::optional<Status> PluginProcess::drive_outcome() {
  const MutexLock lock(mutex_);
  return drive_outcome_;
}

Result<std::string> PluginProcess::analyze(std::string_view json, nanoseconds deadline) {
  const uint32_t request = open_request("analyze", true);
  PLUMB_ASSIGN_OR_RETURN(const std::string frame,
                         host::encode(host::AnalyzeRequest{request, std::string(json)}));
  const int64_t until = after(deadline);
  PLUMB_RETURN_IF_ERROR(send(frame, until));
  PLUMB_ASSIGN_OR_RETURN(Pending answer, await(request, until));
  if (answer.reply->code == PLUMB_OK) return std::move(answer.result);
  return Status::from_code(answer.reply->code, answer.reply->message)
      .with_context("plugin " + spec_.name);
}

void PluginProcess::interrupt() {
  static_cast<void>(send(host::encode_interrupt(), after(kSendTime)));
}

Status PluginProcess::stop(nanoseconds deadline) {
  const int64_t until = after(deadline);
  Status stopped;
  bool dying = false;
  {
    const MutexLock lock(mutex_);
    dying = finishing_ || verdict_.has_value();
  }
  if (!dying) {
    const uint32_t request = open_request("stop", true);
    stopped = ask(request, host::encode(host::StopRequest{request, until}), deadline);
  }
  {
    const MutexLock lock(mutex_);
    if (ended_) return stopped;
    may_exit_ = true;
  }
  // The end of input tells the host to destroy the plugin and to go.
  ::shutdown(socket_.get(), SHUT_WR);
  const Status ended = wait_ended(std::max(until, after(kLeastForEnd)));
  if (!ended.is_ok()) {
    condemn({"plugin-hung", "did not end within " + seconds_text(deadline) + " of being stopped"});
    static_cast<void>(wait_ended(after(kKillTime)));
  }
  return stopped.is_ok() ? ended : stopped;
}

void PluginProcess::kill() {
  condemn({});
  static_cast<void>(wait_ended(after(kKillTime)));
}

// ---- Requests ----

uint32_t PluginProcess::open_request(const std::string& call, bool awaited) {
  const MutexLock lock(mutex_);
  const uint32_t request = ++last_request_;
  pending_.emplace(request, Pending{call, awaited});
  return request;
}

Status PluginProcess::send(std::string_view frame, int64_t until_ns) {
  const MutexLock lock(send_mutex_);
  while (!frame.empty()) {
    const ssize_t n =
        ::send(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      frame.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      return Status::unavailable("plugin " + spec_.name + ": its process has ended");
    }
    const int64_t left_ms = (until_ns - monotonic_ns()) / 1'000'000;
    if (left_ms <= 0) {
      // Half a frame may be written: there is no going on from here.
      condemn({"plugin-hung", "does not read what it is asked"});
      return Status::deadline_exceeded("plugin " + spec_.name + " does not read what it is asked");
    }
    pollfd fd{socket_.get(), POLLOUT, 0};
    ::poll(&fd, 1, static_cast<int>(std::min<int64_t>(left_ms, 100)));
  }
  return Status::ok();
}

Result<PluginProcess::Pending> PluginProcess::await(uint32_t request, int64_t until_ns) {
  std::string call;
  {
    const MutexLock lock(mutex_);
    const auto it = pending_.find(request);
    while (!it->second.reply && !ended_ && monotonic_ns() < until_ns) {
      heard_.wait_until(mutex_, time_point_of(until_ns));
    }
    Pending pending = std::move(it->second);
    pending_.erase(it);
    if (pending.reply) return pending;
    if (ended_) return Status::unavailable("plugin " + spec_.name + " " + end_reason_);
    call = pending.call;
  }
  const std::string reason = call + " did not return in time";
  condemn({"plugin-hung", "hung: " + reason});
  static_cast<void>(wait_ended(after(kKillTime)));
  return Status::deadline_exceeded("plugin " + spec_.name + ": " + reason);
}

Status PluginProcess::ask(uint32_t request, std::string_view frame, nanoseconds deadline) {
  const int64_t until = after(deadline);
  // A process that has just ended is told by await, with its reason.
  static_cast<void>(send(frame, until));
  PLUMB_ASSIGN_OR_RETURN(const Pending answer, await(request, until));
  return Status::from_code(answer.reply->code, answer.reply->message)
      .with_context("plugin " + spec_.name);
}

Status PluginProcess::wait_loaded(int64_t until_ns) {
  {
    const MutexLock lock(mutex_);
    while (!loaded_ && !ended_ && monotonic_ns() < until_ns) {
      heard_.wait_until(mutex_, time_point_of(until_ns));
    }
    if (loaded_) return loaded_->with_context("plugin " + spec_.name);
    if (ended_) return Status::unavailable("plugin " + spec_.name + " " + end_reason_);
  }
  condemn({"plugin-hung", "hung: it did not finish loading"});
  static_cast<void>(wait_ended(after(kKillTime)));
  return Status::deadline_exceeded("plugin " + spec_.name + " did not finish loading");
}

Status PluginProcess::wait_ended(int64_t until_ns) {
  const MutexLock lock(mutex_);
  while (!ended_) {
    if (monotonic_ns() >= until_ns) {
      return Status::deadline_exceeded("plugin " + spec_.name + " did not end in time");
    }
    heard_.wait_until(mutex_, time_point_of(until_ns));
  }
  return Status::ok();
}

void PluginProcess::condemn(Verdict verdict) {
  const MutexLock lock(mutex_);
  if (ended_) return;
  if (!verdict_) verdict_ = std::move(verdict);
  // By descriptor: its number may already be another process's.
  ::pidfd_send_signal(child_.pidfd(), SIGKILL, nullptr, 0);
}

}  // namespace plumb::engine
