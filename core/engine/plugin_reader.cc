// The reader's side of PluginProcess: what the host says, how long it is silent, how it ends.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/base/clock.h"
#include "core/base/number_text.h"
#include "core/base/redact.h"
#include "core/engine/plugin_process.h"
#include "core/engine/process_cost.h"
#include "core/host/text.h"

namespace plumb::engine {
namespace {

// How often its silence is looked at; what it says wakes the reader.
constexpr int kPollMs = 500;
constexpr int64_t kSecondNs = 1'000'000'000;
// The kernel walks every mapping for it.
constexpr int64_t kMemoryIntervalNs = 5 * kSecondNs;
constexpr size_t kReadAtOnce = size_t{64} << 10;
constexpr int kReadsATurn = 16;
constexpr size_t kMostPrinted = 2'048;
constexpr size_t kMostLastWords = 300;

// What an honest host sends a few hundred times a second at most. Series have a limit of their own.
bool is_message(host::FrameType type) {
  using host::FrameType;
  return type != FrameType::kSamples && type != FrameType::kHistogram && type != FrameType::kSeries;
}

}  // namespace

void PluginProcess::read_until_end() {
  next_cost_ns_ = monotonic_ns();
  while (true) {
    pollfd fds[3] = {{socket_closed_ns_ == 0 ? socket_.get() : -1, POLLIN, 0},
                     {output_open_ ? output_.get() : -1, POLLIN, 0},
                     {child_.pidfd(), POLLIN, 0}};
    ::poll(fds, 3, kPollMs);
    if (fds[1].revents != 0) read_output();
    bool more = fds[0].revents != 0;
    for (int i = 0; more && i < kReadsATurn; ++i) more = read_socket();
    if (fds[2].revents != 0) {
      // What it had said before it died still counts.
      while (socket_closed_ns_ == 0 && read_socket()) {
      }
      read_output();
      if (const auto& end = child_.poll_end()) {
        finish(*end);
        return;
      }
    }
    // Silence is judged only once everything that was said has been heard.
    if (!more) watch(monotonic_ns());
  }
}

bool PluginProcess::read_socket() {
  std::array<char, kReadAtOnce> bytes;
  const ssize_t n = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (n <= 0) {
    socket_closed_ns_ = monotonic_ns();
    return false;
  }
  const int64_t now = monotonic_ns();
  if (now - second_began_ns_ >= kSecondNs) {
    second_began_ns_ = now;
    bytes_this_second_ = 0;
  }
  bytes_this_second_ += static_cast<size_t>(n);
  if (bytes_this_second_ > spec_.limits.bytes_per_second) {
    flooded(std::to_string(spec_.limits.bytes_per_second) + " bytes");
  }
  hear(std::string_view(bytes.data(), static_cast<size_t>(n)));
  return true;
}

void PluginProcess::flooded(const std::string& limit) {
  if (deaf_) return;
  deaf_ = true;
  condemn({"plugin-flooded", "flooded plumb with more than " + limit + " within a second"});
}

void PluginProcess::hear(std::string_view bytes) {
  if (deaf_) return;
  frames_.append(bytes);
  while (true) {
    const Result<std::optional<host::Frame>> frame = frames_.next();
    if (frame.is_ok() && !frame->has_value()) return;
    if (frame.is_ok() && is_message((*frame)->type) && !messages_.take(1, monotonic_ns())) {
      flooded(std::to_string(static_cast<int64_t>(spec_.limits.messages_per_second)) + " messages");
      return;
    }
    const Status taken = frame.is_ok() ? take(**frame) : frame.status();
    if (taken.is_ok()) continue;
    deaf_ = true;
    condemn({"plugin-protocol", "broke the protocol: " + taken.message()});
    return;
  }
}

void PluginProcess::read_output() {
  std::array<char, 4'096> bytes;
  while (output_open_) {
    const ssize_t n = ::read(output_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) output_open_ = false;
    if (n <= 0) return;
    const std::string_view text(bytes.data(), static_cast<size_t>(n));
    printed_ += text;
    if (printed_.size() > kMostPrinted) printed_.erase(0, printed_.size() - kMostPrinted);
    say(PLUMB_DEBUG, "printed: " + std::string(text));
    // One piece a turn: a plugin that never stops printing must not keep the rest waiting.
    if (text.size() == bytes.size()) return;
  }
}

Status PluginProcess::take(const host::Frame& frame) {
  using host::FrameType;
  switch (frame.type) {
    case FrameType::kHello: {
      PLUMB_ASSIGN_OR_RETURN(const host::Hello hello, host::decode_hello(frame.payload));
      if (hello.name == spec_.name) return take_loaded(Status::ok());
      return take_loaded(
          Status::invalid_argument(spec_.library.string() + " holds the plugin " + hello.name +
                                   ", which is not what its manifest says: build it again"));
    }
    case FrameType::kRefused: {
      PLUMB_ASSIGN_OR_RETURN(const host::Refused refused, host::decode_refused(frame.payload));
      return take_loaded(Status::from_code(refused.code, refused.message));
    }
    case FrameType::kReply: {
      PLUMB_ASSIGN_OR_RETURN(host::Reply reply, host::decode_reply(frame.payload));
      return take_reply(std::move(reply), {});
    }
    case FrameType::kResult: {
      PLUMB_ASSIGN_OR_RETURN(host::AnalyzeResult result, host::decode_result(frame.payload));
      return take_reply({result.request, PLUMB_OK, {}}, std::move(result.json));
    }
    case FrameType::kHeartbeat: {
      PLUMB_ASSIGN_OR_RETURN(const host::Heartbeat beat, host::decode_heartbeat(frame.payload));
      return take_heartbeat(beat);
    }
    case FrameType::kLog: {
      PLUMB_ASSIGN_OR_RETURN(const host::LogLine line, host::decode_log(frame.payload));
      say(line.level, line.message);
      return Status::ok();
    }
    case FrameType::kHealth:
      return take_health(frame);
    default:
      return receiver_.take(frame, monotonic_ns());
  }
}

Status PluginProcess::take_loaded(const Status& loaded) {
  const MutexLock lock(mutex_);
  if (loaded_) return Status::invalid_argument("a second greeting");
  loaded_ = loaded;
  heard_.notify_all();
  return Status::ok();
}

Status PluginProcess::take_reply(host::Reply reply, std::string result) {
  reply.message = redact(std::move(reply.message), spec_.secrets);
  bool drive_ended = false;
  bool stage_failed = false;
  {
    const MutexLock lock(mutex_);
    const auto it = pending_.find(reply.request);
    if (it == pending_.end() || it->second.reply) {
      return Status::invalid_argument("an answer to what was not asked");
    }
    if (it->second.awaited) {
      it->second.reply = reply;
      it->second.result = std::move(result);
      heard_.notify_all();
      return Status::ok();
    }
    pending_.erase(it);
    drive_ended = reply.request == drive_request_;
    stage_failed = !drive_ended && reply.code != PLUMB_OK;
    if (drive_ended) {
      drive_outcome_ =
          Status::from_code(reply.code, reply.message).with_context("plugin " + spec_.name);
    }
  }
  if (stage_failed) emit_event(PLUMB_WARNING, "stage-failed", reply.message);
  if (drive_ended && spec_.on_change) spec_.on_change();
  return Status::ok();
}

Status PluginProcess::take_health(const host::Frame& frame) {
  PLUMB_ASSIGN_OR_RETURN(const HealthChange change, receiver_.health_of(frame, monotonic_ns()));
  {
    const MutexLock lock(mutex_);
    health_ = {change.health, change.message, change.time_ns};
  }
  sink_.on_health(change);
  return Status::ok();
}

Status PluginProcess::take_heartbeat(const host::Heartbeat& beat) {
  watch_.beat(beat.call, beat.since_ns, monotonic_ns());
  if (beat.dropped > 0 && last_beat_.dropped == 0) {
    emit_event(PLUMB_WARNING, "plugin-flooded",
               "it sends more than plumb takes from one plugin; " + std::to_string(beat.dropped) +
                   " signals were dropped so far");
  }
  if (beat.refused > 0 && last_beat_.refused == 0) {
    emit_event(PLUMB_WARNING, "plugin-signals-refused",
               "some of its signals are not valid and were refused; its log says which");
  }
  if (beat.interval_ns != last_beat_.interval_ns) note_pace(beat);
  late_ns_ = std::max(late_ns_, beat.late_ns);
  last_beat_ = beat;
  beat_untold_ = true;
  return Status::ok();
}

// A sampler that is called at another interval than before says why.
void PluginProcess::note_pace(const host::Heartbeat& beat) {
  const int64_t before = last_beat_.interval_ns;
  if (before == 0 || beat.interval_ns == 0) return;
  double budget = 0;
  {
    const MutexLock lock(mutex_);
    budget = cpu_budget_;
  }
  const bool slower = beat.interval_ns > before;
  const std::string intervals =
      "asked every " + plumb::seconds_text(static_cast<double>(beat.interval_ns) / 1e9) +
      " instead of every " + plumb::seconds_text(static_cast<double>(before) / 1e9);
  const std::string used = ratio_text(static_cast<double>(beat.cpu_used_ppm) / 1e6);
  const std::string limit = ratio_text(budget) + " of a processor that cpu_budget allows";
  emit_event(slower ? PLUMB_WARNING : PLUMB_INFO, slower ? "sampler-slowed" : "sampler-restored",
             slower ? spec_.name + " used " + used + ", more than the " + limit + ": it is now " +
                          intervals
                    : spec_.name + " is below the " + limit + " again: it is now " + intervals);
}

void PluginProcess::watch(int64_t now_ns) {
  bool let_go = false;
  {
    const MutexLock lock(mutex_);
    if (verdict_) return;
    let_go = may_exit_;
    watch_.set_interval(std::max(interval_, std::chrono::nanoseconds(last_beat_.interval_ns)));
  }
  const auto wants_processor = [this] { return is_runnable(pid(), "/proc"); };
  if (const auto hung = watch_.hung(now_ns, wants_processor)) {
    condemn({"plugin-hung", "hung: " + *hung});
    return;
  }
  if (socket_closed_ns_ != 0) {
    if (!let_go && now_ns - socket_closed_ns_ > kSecondNs) {
      condemn({"plugin-protocol", "closed its connection to plumb and went on running"});
    }
    return;
  }
  if (now_ns < next_cost_ns_) return;
  next_cost_ns_ += kSecondNs;
  if (const auto cpu = read_cpu_seconds(pid(), "/proc")) self_.emit_cpu(*cpu, now_ns);
  if (now_ns >= next_memory_ns_) {
    next_memory_ns_ = now_ns + kMemoryIntervalNs;
    if (const auto bytes = read_memory_bytes(pid(), "/proc")) self_.emit_memory(*bytes, now_ns);
  }
  self_.emit_dropped(last_beat_.dropped, now_ns);
  // A second without a heartbeat knows nothing of how late samples were.
  if (last_beat_.interval_ns != 0 && std::exchange(beat_untold_, false)) {
    self_.emit_sampling({last_beat_.interval_ns, std::exchange(late_ns_, 0),
                         last_beat_.skipped_collects, last_beat_.failed_collects},
                        now_ns);
  }
}

PluginProcess::Verdict PluginProcess::verdict_of(const ChildEnd& end) {
  const MutexLock lock(mutex_);
  if (verdict_) return *verdict_;
  const bool clean = end.signal == 0 && end.exit_code == 0;
  if ((may_exit_ && clean) || (loaded_ && !loaded_->is_ok())) return {};
  std::string reason = end.text();
  if (clean) reason += " of its own accord";
  if (may_exit_) reason += " after it had been stopped";
  if (!loaded_) reason += " while it was being loaded";
  return {"plugin-crashed", reason + last_words()};
}

std::string PluginProcess::last_words() const {
  std::string_view text = printed_;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const size_t line = text.rfind('\n');
  if (line != std::string_view::npos) text.remove_prefix(line + 1);
  if (text.empty()) return {};
  return ", having printed: " + redact(host::clean_text(text, kMostLastWords), spec_.secrets);
}

void PluginProcess::finish(const ChildEnd& end) {
  const Verdict verdict = verdict_of(end);
  const int64_t now = monotonic_ns();
  self_.emit_cpu(end.cpu_seconds, now);
  bool stopped = false;
  {
    const MutexLock lock(mutex_);
    finishing_ = true;
    stopped = may_exit_ && verdict.kind == "plugin-crashed";
    if (!verdict.kind.empty() && !stopped) health_ = {PLUMB_HEALTH_DARK, verdict.reason, now};
  }
  if (!verdict.kind.empty()) {
    emit_event(stopped ? PLUMB_WARNING : PLUMB_ERROR, verdict.kind,
               "plugin " + spec_.name + " " + verdict.reason);
    // What crashed on its way out had given everything.
    if (!stopped) sink_.on_health({spec_.name, now, PLUMB_HEALTH_DARK, verdict.reason});
  }
  {
    const MutexLock lock(mutex_);
    ended_ = true;
    end_reason_ = verdict.reason.empty() ? "has ended" : verdict.reason;
    if (drive_request_ != 0 && !drive_outcome_) {
      drive_outcome_ = Status::unavailable("plugin " + spec_.name + " " + end_reason_);
    }
    heard_.notify_all();
  }
  if (spec_.on_change) spec_.on_change();
}

void PluginProcess::say(uint32_t level, const std::string& message) const {
  if (!spec_.log) return;
  spec_.log(level, spec_.name + ": " +
                       redact(host::clean_text(message, host::kMaxMessage), spec_.secrets));
}

void PluginProcess::emit_event(uint32_t level, const std::string& kind,
                               const std::string& message) {
  sink_.on_event({spec_.name, monotonic_ns(), level, kind, message});
}

}  // namespace plumb::engine
