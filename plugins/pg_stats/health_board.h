// What the sampler cannot see, gathered into the one health that the host is told.
#ifndef PLUMB_PLUGINS_PG_STATS_HEALTH_BOARD_H_
#define PLUMB_PLUGINS_PG_STATS_HEALTH_BOARD_H_

#include <map>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

namespace plumb::pg_stats {

// Notes by subject, each a sentence with what to do; any note means degraded. Hints are told, too,
// where nothing worse is to be said. Not thread-safe.
class HealthBoard {
 public:
  explicit HealthBoard(Host host) : host_(host) {}
  void note(const std::string& subject, const std::string& sentence) { notes_[subject] = sentence; }
  void clear(const std::string& subject) { notes_.erase(subject); }
  void hint(const std::string& sentence) { hints_.push_back(sentence); }
  void clear_all() {
    notes_.clear();
    hints_.clear();
  }
  // Nothing can be seen, until seeing().
  void dark(const std::string& reason) { dark_ = reason; }
  void seeing() { dark_.clear(); }
  // Tells the host when something has changed. From start on only.
  void publish() {
    uint32_t state = PLUMB_HEALTH_OK;
    std::string message;
    if (!dark_.empty()) {
      state = PLUMB_HEALTH_DARK;
      message = dark_;
    } else if (!notes_.empty()) {
      state = PLUMB_HEALTH_DEGRADED;
      for (const auto& [subject, sentence] : notes_)
        message += (message.empty() ? "" : "; ") + sentence;
    }
    if (message.empty())
      for (const std::string& hint : hints_)
        message += (message.empty() ? "not seen, as the server is set up: " : "; ") + hint;
    if (state == state_ && message == message_) return;
    state_ = state;
    message_ = message;
    host_.health(state, message);
  }

 private:
  Host host_;
  std::map<std::string, std::string> notes_;
  std::vector<std::string> hints_;
  std::string dark_;
  uint32_t state_ = 0;
  std::string message_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_HEALTH_BOARD_H_
