// What cannot be watched now, and what to do about it: the plugin's health in words.
#ifndef PLUMB_PLUGINS_HOST_METRICS_PROBLEMS_H_
#define PLUMB_PLUGINS_HOST_METRICS_PROBLEMS_H_

#include <map>
#include <string>
#include <string_view>

#include "plugins/proc/file.h"

namespace plumb::host_metrics {

inline std::string cannot_read(const proc::KeptFile& file) {
  return file.path() + " cannot be read: is proc mounted, and is this user allowed to?";
}

class Problems {
 public:
  // One sentence per subject; an empty one means there is no problem with it any more.
  void set(std::string_view subject, std::string_view sentence) {
    if (sentence.empty()) {
      if (const auto it = sentences_.find(subject); it != sentences_.end()) {
        sentences_.erase(it);
        changed_ = true;
      }
      return;
    }
    std::string& kept = sentences_[std::string(subject)];
    if (kept == sentence) return;
    kept = sentence;
    changed_ = true;
  }
  bool empty() const { return sentences_.empty(); }
  const std::map<std::string, std::string, std::less<>>& all() const { return sentences_; }
  std::string text() const {
    std::string out;
    for (const auto& [subject, sentence] : sentences_) {
      if (!out.empty()) out += "; ";
      out += sentence;
    }
    return out;
  }
  // True once after each change.
  bool take_changed() {
    const bool was = changed_;
    changed_ = false;
    return was;
  }

 private:
  std::map<std::string, std::string, std::less<>> sentences_;
  bool changed_ = false;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_PROBLEMS_H_
