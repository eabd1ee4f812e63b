#include "hold_lengths.h"

#include <algorithm>
#include <utility>

namespace plumb::sqlite_stats {
namespace {

// Samples that must have found short holds before their mean is believed, and for how long it is
// waited for them.
constexpr int64_t kEnoughSamples = 5;
constexpr int64_t kLongestWait = 5'000'000'000;

int64_t length_so_far(const Hold* open) {
  if (open == nullptr || open->last_ns == open->start_ns) return 0;
  return open->length_ns() + (open->start_ns - open->before_ns) / 2;
}

}  // namespace

void HoldLengths::sample(int64_t now_ns, int64_t since_ns, int64_t held_ns,
                         const std::optional<EndedHold>& ended, uint64_t commits) {
  if (!start_ns_) start_ns_ = now_ns - since_ns;
  sampled_ns_ += since_ns;
  ++samples_;
  held_ns_ += held_ns;
  commits_ += static_cast<int64_t>(commits);
  if (!ended) return;
  lengths_.record(static_cast<uint64_t>(std::max<int64_t>(0, ended->length_ns)));
  long_ns_ += ended->length_ns;
  if (ended->committed) ++long_commits_;
}

std::optional<HoldRecord> HoldLengths::take(int64_t now_ns, const Hold* open, bool all) {
  if (!start_ns_ || samples_ == 0 || now_ns <= *start_ns_) return std::nullopt;
  const int64_t sample_ns = std::max<int64_t>(1, sampled_ns_ / samples_);
  const int64_t open_ns = length_so_far(open);
  const int64_t short_ns = std::max<int64_t>(0, held_ns_ - long_ns_ - open_ns);
  const int64_t seen = short_ns / sample_ns;
  // Without a commit, what was seen once each was rolled back, or wrote nothing.
  const int64_t count = std::max<int64_t>(commits_ - long_commits_, commits_ == 0 ? seen : 0);
  const bool waits = count > 0 && seen < kEnoughSamples && now_ns - *start_ns_ < kLongestWait;
  if (waits && !all) return std::nullopt;
  if (count > 0) {
    // Half a sample more than was seen: short holds that no sample met were not without length.
    const int64_t mean = (short_ns + sample_ns / 2) / count;
    lengths_.record(static_cast<uint64_t>(std::clamp<int64_t>(mean, 1, 2 * sample_ns)),
                    static_cast<uint64_t>(count));
  }
  HoldRecord record{*start_ns_, now_ns, std::exchange(lengths_, Histogram())};
  start_ns_ = now_ns;
  sampled_ns_ = samples_ = long_ns_ = commits_ = long_commits_ = 0;
  held_ns_ = open_ns;  // against its whole length, once it has ended
  return record.lengths.count() == 0 ? std::nullopt : std::optional(std::move(record));
}

}  // namespace plumb::sqlite_stats
