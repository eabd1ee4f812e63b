#include "core/cli/capacity_progress.h"

#include <cstdio>

#include "core/base/number_text.h"
#include "core/capacity/report.h"

namespace plumb::cli {
namespace {

std::string bracket_text(double kept, double missed) {
  if (kept > 0 && missed > 0)
    return "  between " + grouped(kept) + " and " + grouped(missed) + "/s";
  if (kept > 0) return "  at least " + grouped(kept) + "/s";
  return missed > 0 ? "  below " + grouped(missed) + "/s" : "";
}

std::string numbered(size_t number) {
  return "probe " + grouped(static_cast<double>(number)) + "  ";
}

}  // namespace

std::string probe_begins(size_t number, const capacity::ProbeRequest& request, double kept,
                         double missed) {
  return numbered(number) + grouped(request.rate) + "/s for " +
         seconds_text(request.warmup_s + request.measure_s) + bracket_text(kept, missed);
}

std::string probe_ended(size_t number, const capacity::Probe& probe, double kept, double missed) {
  return numbered(number) + capacity::probe_line(probe) + bracket_text(kept, missed);
}

void CapacityProgress::on_begin(size_t number, const capacity::ProbeRequest& request, double kept,
                                double missed) {
  draw(probe_begins(number, request, kept, missed));
}

void CapacityProgress::on_end(size_t number, const capacity::Probe& probe, double kept,
                              double missed) {
  if (shows_) tell(probe_ended(number, probe, kept, missed));
}

void CapacityProgress::on_phase(const std::string& text) { draw(text); }

void CapacityProgress::draw(const std::string& line) {
  if (!redraws_) return;
  const MutexLock lock(mutex_);
  std::fprintf(stderr, "\r\033[K%s", cut(line, width_).c_str());
  std::fflush(stderr);
}

void CapacityProgress::tell(std::string_view sentence) {
  const MutexLock lock(mutex_);
  if (redraws_) std::fputs("\r\033[K", stderr);
  say(sentence);
}

void CapacityProgress::clear() {
  if (!redraws_) return;
  const MutexLock lock(mutex_);
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

}  // namespace plumb::cli
