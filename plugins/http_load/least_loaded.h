// What has room for more, by how much each carries: adding, removing and asking for the one that
// carries least cost the same however many there are. Not thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_LEAST_LOADED_H_
#define PLUMB_PLUGINS_HTTP_LOAD_LEAST_LOADED_H_

#include <algorithm>
#include <cstddef>
#include <vector>

namespace plumb::http_load {

// What can be listed derives from Load<itself>.
template <typename T>
struct Load {
  T* before = nullptr;
  T* after = nullptr;
  size_t load = 0;
  bool is_listed = false;
};

template <typename T>
class LeastLoaded {
 public:
  // Lists it as carrying `load`, wherever it was before. Of those that carry the same, the one that
  // was put last comes first.
  void put(T& item, size_t load) {
    take_out(item);
    if (load >= lists_.size()) lists_.resize(load + 1);
    item.load = load;
    item.before = nullptr;
    item.after = lists_[load];
    if (item.after != nullptr) item.after->before = &item;
    lists_[load] = &item;
    item.is_listed = true;
    lowest_ = std::min(lowest_, load);
  }

  void take_out(T& item) {
    if (!item.is_listed) return;
    (item.before != nullptr ? item.before->after : lists_[item.load]) = item.after;
    if (item.after != nullptr) item.after->before = item.before;
    item.is_listed = false;
  }

  // Null when nothing is listed.
  T* least() {
    while (lowest_ < lists_.size() && lists_[lowest_] == nullptr) ++lowest_;
    return lowest_ < lists_.size() ? lists_[lowest_] : nullptr;
  }

 private:
  std::vector<T*> lists_;  // by load, the first of each
  size_t lowest_ = 0;      // nothing is listed below it
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_LEAST_LOADED_H_
