#include "core/cli/progress.h"

#include <chrono>
#include <cstdio>

#include "core/base/clock.h"
#include "core/base/number_text.h"

namespace plumb::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRedraw{250};
constexpr milliseconds kPlain{5000};
constexpr size_t kBarCells = 10;

std::string bar(double done) {
  std::string out;
  for (size_t i = 0; i < kBarCells; ++i)
    out += static_cast<double>(i) < done * static_cast<double>(kBarCells) - 0.01 ? "━" : "─";
  return out;
}

std::string time_text(const std::optional<double>& seconds) {
  return seconds ? seconds_text(*seconds) : "–";
}

std::string stage_text(const session::LiveSnapshot& now) {
  const double done = now.stage_s > 0 ? now.stage_elapsed_s / now.stage_s : 1;
  return now.stage->name + " " + grouped(now.stage_elapsed_s) + "/" + grouped(now.stage_s) + " s " +
         bar(done);
}

}  // namespace

std::string progress_line(const session::LiveSnapshot& now, size_t width) {
  if (!now.stage) return cut(now.phase.empty() ? "starting" : now.phase, width);
  std::string line = stage_text(now);
  // What matters least stands last, where a narrow terminal cuts.
  if (now.last) {
    line += "  " + grouped(now.last->rate) + "/s";
    if (now.target_rate && *now.target_rate > 0) line += " of " + grouped(*now.target_rate);
    line += "  p50 " + time_text(now.last->p50_s) + "  p95 " + time_text(now.last->p95_s);
  }
  line += "  errors " + grouped(static_cast<double>(now.failed));
  for (const HealthChange& change : now.unwell)
    line += "  " + change.plugin + " " + std::string(health_name(change.health));
  if (now.top)
    line += "  " + now.top->name + " " + milliseconds_text(now.top->ms) + " of " +
            milliseconds_text(now.top->of_ms) + " ms";
  if (now.in_flight) line += "  in flight " + grouped(*now.in_flight);
  return cut(line, width);
}

Progress::Progress(const session::Live& live, const Terminal& terminal)
    : live_(live),
      redraws_(terminal.tty_err),
      width_(terminal.tty_err ? static_cast<size_t>(terminal.width > 1 ? terminal.width - 1 : 1)
                              : 200),
      thread_([this] { show(); }) {}

void Progress::show() {
  const MutexLock lock(mutex_);
  auto next = std::chrono::steady_clock::now() + (redraws_ ? kRedraw : kPlain);
  while (!stopping_) {
    if (wake_.wait_until(mutex_, next)) continue;
    if (!stopping_) draw();
    next += redraws_ ? kRedraw : kPlain;
  }
}

void Progress::draw() {
  const std::string line = progress_line(live_.snapshot(monotonic_ns()), width_);
  if (redraws_)
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  else
    std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
}

void Progress::say(std::string_view sentence) {
  const MutexLock lock(mutex_);
  std::fprintf(stderr, "%splumb: %.*s\n", redraws_ && !stopping_ ? "\r\033[K" : "",
               static_cast<int>(sentence.size()), sentence.data());
}

void Progress::stop() {
  {
    const MutexLock lock(mutex_);
    if (!stopping_ && redraws_) std::fputs("\r\033[K", stderr);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace plumb::cli
