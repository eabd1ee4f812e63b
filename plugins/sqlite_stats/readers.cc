#include "readers.h"

#include <algorithm>
#include <utility>

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kLongPin = 1'000'000'000;
// A tenth of what SQLite by default lets grow before it checkpoints.
constexpr uint32_t kManyFrames = 100;
// Shorter ones are ordinary readers, met in the moment after a commit.
constexpr int64_t kWorthKeeping = 500'000'000;

bool holds_more(const Pin& a, const Pin& b) { return a.held_back > b.held_back; }

bool believed(const Pin& pin) { return pin.last_ns > pin.since_ns; }

}  // namespace

void ReaderWatch::look(int64_t now_ns, const std::vector<ReaderLock>& readers,
                       const WalIndex& wal) {
  for (auto& [key, pin] : pins_) pin.over = true;
  for (const ReaderLock& reader : readers) {
    const uint32_t mark = wal.read_marks.at(static_cast<size_t>(reader.slot));
    const uint32_t frame = reader.slot == 0 ? wal.backfilled : mark;
    if (frame == kUnusedMark || frame >= wal.frames) continue;
    const auto [at, is_new] = pins_.try_emplace({reader.pid, reader.slot, frame, wal.generation});
    Pin& pin = at->second;
    if (is_new) {  // one of another PID namespace has the pid 0
      pin.pid = reader.pid;
      pin.slot = reader.slot;
      pin.frame = frame;
      pin.since_ns = now_ns;
    }
    pin.over = false;
    pin.last_ns = now_ns;
    pin.held_back = std::max(pin.held_back, wal.frames - frame);
  }
  std::erase_if(pins_, [this](auto& entry) {
    if (!entry.second.over) return false;
    finish(std::move(entry.second));
    return true;
  });
}

void ReaderWatch::clear() {
  for (auto& [key, pin] : pins_) {
    pin.over = true;
    finish(std::move(pin));
  }
  pins_.clear();
}

void ReaderWatch::finish(Pin pin) {
  if (pin.length_ns() < kWorthKeeping) return;
  past_.push_back(std::move(pin));
  std::sort(past_.begin(), past_.end(), holds_more);
  if (past_.size() > kMostPinsKept) past_.pop_back();
}

uint32_t ReaderWatch::held_back() const {
  uint32_t most = 0;
  for (const auto& [key, pin] : pins_) {
    if (believed(pin)) most = std::max(most, pin.held_back);
  }
  return most;
}

int64_t ReaderWatch::oldest_ns() const {
  int64_t oldest = 0;
  for (const auto& [key, pin] : pins_) oldest = std::max(oldest, pin.length_ns());
  return oldest;
}

std::vector<Pin*> ReaderWatch::take_news() {
  std::vector<Pin*> news;
  for (auto& [key, pin] : pins_) {
    if (pin.told || pin.length_ns() < kLongPin || pin.held_back < kManyFrames) continue;
    pin.told = true;
    news.push_back(&pin);
  }
  return news;
}

std::vector<Pin*> ReaderWatch::nameless() {
  std::vector<Pin*> out;
  for (auto& [key, pin] : pins_) {
    if (pin.command.empty() && believed(pin)) out.push_back(&pin);
  }
  return out;
}

std::vector<const Pin*> ReaderWatch::worst() const {
  std::vector<const Pin*> out;
  for (const auto& [key, pin] : pins_) {
    if (believed(pin)) out.push_back(&pin);
  }
  std::sort(out.begin(), out.end(), [](const Pin* a, const Pin* b) { return holds_more(*a, *b); });
  for (const Pin& pin : past_) out.push_back(&pin);
  if (out.size() > kMostPinsKept) out.resize(kMostPinsKept);
  return out;
}

}  // namespace plumb::sqlite_stats
