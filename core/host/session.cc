#include "core/host/session.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <type_traits>
#include <utility>

#include "core/base/clock.h"
#include "core/host/text.h"

namespace plumb::host {
namespace {

// How long the plugin may take for what is left once the engine has closed its end.
constexpr int64_t kAfterCloseNs = 5'000'000'000;
constexpr int64_t kStopAfterCloseNs = 2'000'000'000;
// A collect that still runs this long after a stop was asked for is interrupted.
constexpr int64_t kInterruptAfterStopNs = 500'000'000;
// How long a sampler may rest at most.
constexpr int64_t kLongestRestNs = 1'000'000'000;
// Of an interval, so that no rhythm of what is watched is met in the same phase all along.
constexpr double kWobble = 0.25;
constexpr size_t kReadAtOnce = size_t{64} << 10;

int64_t process_cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

}  // namespace

Session::Session(UniqueFd socket, const Library& library)
    : socket_(std::move(socket)),
      library_(library),
      outbox_(socket_.get()),
      emitter_(outbox_),
      instance_(library, emitter_.table()) {}

void Session::refuse(int socket, const Status& why) {
  const std::string frame = encode(Refused{why.code(), clean_text(why.message(), kMaxMessage)});
  [[maybe_unused]] const ssize_t n = ::send(socket, frame.data(), frame.size(), MSG_NOSIGNAL);
}

int Session::run() {
  std::thread plugin([this] { live(); });
  serve();
  if (!ended_.load()) {
    plugin.detach();
    return 1;
  }
  plugin.join();
  return 0;
}

// ---- The thread of run() ----

void Session::serve() {
  while (!(ended_.load() && outbox_.empty())) {
    const int64_t now = monotonic_ns();
    if (!input_open_ && now - closed_ns_ > kAfterCloseNs) return;
    if (now >= next_beat_ns_) beat(now);
    pollfd fds[2] = {{socket_.get(), 0, 0}, {outbox_.wake_fd(), POLLIN, 0}};
    if (input_open_) fds[0].events |= POLLIN;
    if (!outbox_.empty()) fds[0].events |= POLLOUT;
    // With nothing to read or write, a socket whose other end is closed would still wake poll.
    if (fds[0].events == 0) fds[0].fd = -1;
    const int64_t wait_ms = std::max<int64_t>(0, (next_beat_ns_ - monotonic_ns()) / 1'000'000 + 1);
    if (::poll(fds, 2, static_cast<int>(wait_ms)) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) outbox_.clear_wake();
    if (input_open_ && fds[0].revents != 0 && !read_requests()) {
      input_open_ = false;
      closed_ns_ = monotonic_ns();
      instance_.interrupt();
      const MutexLock lock(mutex_);
      closing_ = true;
      changed_.notify_all();
    }
    outbox_.flush();
  }
}

// False when the engine has closed its end, or says what cannot be understood.
bool Session::read_requests() {
  char bytes[kReadAtOnce];
  const ssize_t n = ::recv(socket_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  if (n == 0) return false;
  reader_.append(std::string_view(bytes, static_cast<size_t>(n)));
  while (true) {
    const Result<std::optional<Frame>> frame = reader_.next();
    if (!frame.is_ok()) return false;
    if (!frame->has_value()) return true;
    if (const Status status = take_frame(**frame); !status.is_ok()) {
      emitter_.log(PLUMB_ERROR, "the engine sent what is no request: " + status.message());
      return false;
    }
  }
}

Status Session::take_frame(const Frame& frame) {
  const auto queue = [this](auto request) -> Status {
    if (!request.is_ok()) return request.status();
    take(std::move(request).value());
    return Status::ok();
  };
  switch (frame.type) {
    case FrameType::kConfigure:
      return queue(decode_configure(frame.payload));
    case FrameType::kStart:
      return queue(decode_start(frame.payload));
    case FrameType::kBeginSampling:
      return queue(decode_begin_sampling(frame.payload));
    case FrameType::kStage:
      return queue(decode_stage(frame.payload));
    case FrameType::kDrive:
      return queue(decode_drive(frame.payload));
    case FrameType::kAnalyze:
      return queue(decode_analyze(frame.payload));
    case FrameType::kStop:
      stop_asked_ns_ = monotonic_ns();
      next_beat_ns_ = std::min(next_beat_ns_, stop_asked_ns_ + kInterruptAfterStopNs + 1);
      return queue(decode_stop(frame.payload));
    case FrameType::kInterrupt:
      interrupted_ = true;
      instance_.interrupt();
      return Status::ok();
    default:
      return Status::invalid_argument("a frame that only a host sends");
  }
}

void Session::take(Task task) {
  const MutexLock lock(mutex_);
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

void Session::beat(int64_t now_ns) {
  next_beat_ns_ = now_ns + kHeartbeatNs;
  const CallNow call = instance_.call_now();
  const Emitter::Losses losses = emitter_.losses();
  outbox_.put_control(encode(Heartbeat{call.name, call.since_ns, losses.dropped, losses.refused,
                                       skipped_.load(), failed_.load(), interval_ns_.load(),
                                       late_ns_.exchange(0), cpu_used_ppm_.load()}));
  const int64_t stop_asked = stop_asked_ns_.load();
  const bool overdue = stop_asked != 0 && now_ns - stop_asked > kInterruptAfterStopNs;
  if (overdue && std::string_view(call.name) == "collect") instance_.interrupt();
}

// ---- The plugin's thread ----

void Session::live() {
  const Status created = instance_.create();
  if (created.is_ok()) {
    const Manifest& manifest = library_.manifest();
    outbox_.put_control(
        encode(Hello{manifest.name, clean_text(manifest.version, kMaxName), manifest.role}));
    Task task;
    for (Turn turn = wait_for_turn(task); turn != Turn::kClose; turn = wait_for_turn(task)) {
      if (turn == Turn::kTask) {
        perform(task);
      } else {
        tick();
      }
    }
    const Status stopped = instance_.stop(monotonic_ns() + kStopAfterCloseNs);
    if (!stopped.is_ok()) emitter_.log(PLUMB_WARNING, "stop failed: " + stopped.message());
    emitter_.close();
    instance_.destroy();
  } else {
    outbox_.put_control(
        encode(Refused{created.code(), clean_text("create: " + created.message(), kMaxMessage)}));
  }
  ended_ = true;
  outbox_.wake();
}

Session::Turn Session::wait_for_turn(Task& task) {
  const MutexLock lock(mutex_);
  while (true) {
    if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
      return Turn::kTask;
    }
    if (closing_) return Turn::kClose;
    if (!ticker_) {
      changed_.wait(mutex_);
    } else if (monotonic_ns() >= ticker_->next_ns()) {
      return Turn::kTick;
    } else {
      changed_.wait_until(mutex_, time_point_of(ticker_->next_ns()));
    }
  }
}

void Session::perform(const Task& task) {
  std::visit(
      [this](const auto& t) {
        using T = std::decay_t<decltype(t)>;
        if constexpr (std::is_same_v<T, ConfigureRequest>) {
          reply(t.request, instance_.configure(t));
        } else if constexpr (std::is_same_v<T, StartRequest>) {
          emitter_.open();
          reply(t.request, instance_.start());
        } else if constexpr (std::is_same_v<T, BeginSampling>) {
          if (library_.table().collect == nullptr || !instance_.is_started()) return;
          pace_.emplace(t.interval_ns, static_cast<double>(t.cpu_budget_ppm) / 1e6);
          interval_ns_ = t.interval_ns;
          const MutexLock lock(mutex_);
          const int64_t now_ns = monotonic_ns();
          ticker_.emplace(now_ns, t.interval_ns, kWobble, static_cast<uint64_t>(now_ns));
        } else if constexpr (std::is_same_v<T, StageRequest>) {
          reply(t.request, instance_.stage(t.stage));
          end_rest(monotonic_ns());
        } else if constexpr (std::is_same_v<T, DriveRequest>) {
          reply(t.request, interrupted_ ? Status::cancelled("interrupted before it began")
                                        : instance_.drive(t.stages));
        } else if constexpr (std::is_same_v<T, AnalyzeRequest>) {
          analyze(t);
        } else {
          stop_sampling();
          const Status stopped = instance_.stop(t.deadline_ns);
          emitter_.close();
          reply(t.request, stopped);
        }
      },
      task);
}

void Session::analyze(const AnalyzeRequest& request) {
  if (interrupted_) {
    reply(request.request, Status::cancelled("interrupted before it began"));
    return;
  }
  Result<std::string> result = instance_.analyze(request.json);
  if (result.is_ok() && !is_utf8(*result)) {
    result = Status::internal("the analyzer's result is not UTF-8");
  }
  if (!result.is_ok()) {
    reply(request.request, result.status());
    return;
  }
  const Result<std::string> frame = encode(AnalyzeResult{request.request, *result});
  if (frame.is_ok()) {
    outbox_.put_control(*frame);
  } else {
    reply(request.request, frame.status());
  }
}

void Session::stop_sampling() {
  interval_ns_ = 0;
  const MutexLock lock(mutex_);
  ticker_.reset();
}

void Session::tick() {
  note_lateness(monotonic_ns());
  const Status status = instance_.collect();
  keep_pace(monotonic_ns());
  if (status.is_ok()) {
    if (failures_in_a_row_ > 0) emitter_.set_collecting(PLUMB_HEALTH_OK, "");
    failures_in_a_row_ = 0;
    return;
  }
  const bool cut_short = status.code() == PLUMB_CANCELLED && stop_asked_ns_ != 0;
  if (cut_short) return;
  ++failed_;
  ++failures_in_a_row_;
  if (failures_in_a_row_ == 1) {
    emitter_.set_collecting(PLUMB_HEALTH_DEGRADED, "collecting fails: " + status.message());
  }
  if (worth_logging(failures_in_a_row_)) {
    emitter_.log(PLUMB_WARNING, "collecting failed " + std::to_string(failures_in_a_row_) +
                                    " times in a row: " + status.message());
  }
}

void Session::note_lateness(int64_t now_ns) {
  const MutexLock lock(mutex_);
  if (ticker_) late_ns_ = std::max(late_ns_.load(), now_ns - ticker_->next_ns());
}

void Session::keep_pace(int64_t now_ns) {
  const bool changed = pace_->judge(now_ns, process_cpu_ns());
  cpu_used_ppm_ = static_cast<uint32_t>(std::min(pace_->share(), 1'000.0) * 1e6);
  const MutexLock lock(mutex_);
  if (!ticker_) return;
  if (changed) {
    ticker_->set_interval(pace_->interval_ns());
    interval_ns_ = pace_->interval_ns();
  }
  skipped_ += ticker_->served(now_ns);
  ticker_->rest_until(std::min(emitter_.take_rest(), now_ns + kLongestRestNs));
}

void Session::end_rest(int64_t now_ns) {
  const MutexLock lock(mutex_);
  if (ticker_) ticker_->end_rest(now_ns);
}

void Session::reply(uint32_t request, const Status& status) {
  outbox_.put_control(
      encode(Reply{request, status.code(), clean_text(status.message(), kMaxMessage)}));
}

}  // namespace plumb::host
