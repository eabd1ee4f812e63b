// Timeouts of what is in flight: a list for each distinct timeout, in which what began first is due
// first, so that adding, removing and asking cost the same however much is in flight. Not
// thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_DEADLINES_H_
#define PLUMB_PLUGINS_HTTP_LOAD_DEADLINES_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "plugins/http_load/arrivals.h"
#include "plugins/http_load/load_plan.h"

namespace plumb::http_load {

// What can have a deadline derives from Deadline<itself>.
template <typename T>
struct Deadline {
  T* older = nullptr;
  T* newer = nullptr;
  int64_t due_ns = 0;
  size_t list = 0;
};

template <typename T>
class Deadlines {
 public:
  explicit Deadlines(std::span<const Request> requests) {
    for (const Request& request : requests) {
      auto at = std::find_if(lists_.begin(), lists_.end(), [&](const List& list) {
        return list.timeout_ns == request.timeout_ns;
      });
      if (at == lists_.end()) at = lists_.insert(lists_.end(), List{request.timeout_ns});
      of_endpoint_.push_back(static_cast<size_t>(at - lists_.begin()));
    }
  }

  void add(T& item, uint32_t endpoint, int64_t begun_ns) {
    item.list = of_endpoint_[endpoint];
    List& list = lists_[item.list];
    item.due_ns = begun_ns + list.timeout_ns;
    item.older = list.newest;
    item.newer = nullptr;
    (list.newest != nullptr ? list.newest->newer : list.oldest) = &item;
    list.newest = &item;
  }

  void remove(T& item) {
    List& list = lists_[item.list];
    (item.older != nullptr ? item.older->newer : list.oldest) = item.newer;
    (item.newer != nullptr ? item.newer->older : list.newest) = item.older;
  }

  // When the first is due; kNever when there is none.
  int64_t next_ns() const {
    int64_t next = kNever;
    for (const List& list : lists_)
      if (list.oldest != nullptr) next = std::min(next, list.oldest->due_ns);
    return next;
  }

  // One that is due by `now_ns`, or null.
  T* due(int64_t now_ns) const {
    for (const List& list : lists_)
      if (list.oldest != nullptr && list.oldest->due_ns <= now_ns) return list.oldest;
    return nullptr;
  }

  void clear() {
    for (List& list : lists_) list.oldest = list.newest = nullptr;
  }

 private:
  struct List {
    int64_t timeout_ns;
    T* oldest = nullptr;
    T* newest = nullptr;
  };
  std::vector<List> lists_;
  std::vector<size_t> of_endpoint_;
};

// "no complete answer within 2000 ms, while connecting"
inline std::string timeout_sentence(int64_t timeout_ns, std::string_view during) {
  return "no complete answer within " + std::to_string(timeout_ns / 1'000'000) + " ms, " +
         std::string(during);
}

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_DEADLINES_H_
