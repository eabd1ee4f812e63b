// The first names that came: what may become a label. A name that goes keeps its place, because its
// series stay; those that come when all places are taken are left out. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_BOUNDED_NAMES_H_
#define PLUMB_PLUGINS_HOST_METRICS_BOUNDED_NAMES_H_

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace plumb::host_metrics {

class BoundedNames {
 public:
  explicit BoundedNames(size_t most) : most_(most) {}

  // Whether the name has a place.
  bool take(std::string_view name) {
    if (names_.contains(name)) return true;
    if (names_.size() < most_) return names_.emplace(name).second;
    if (first_left_out_.empty()) first_left_out_ = name;
    return false;
  }

  // One sentence about those left out, of what they are called ("disks"); empty without any. It
  // stays the same however many more come.
  std::string problem(std::string_view what) const {
    if (first_left_out_.empty()) return {};
    return "more than " + std::to_string(most_) + " " + std::string(what) +
           " were seen: " + first_left_out_ + " and what came after it are left out";
  }

 private:
  size_t most_;
  std::set<std::string, std::less<>> names_;
  std::string first_left_out_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_BOUNDED_NAMES_H_
