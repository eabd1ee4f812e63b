#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "errors.h"

namespace shop {

// At most `capacity` connections, opened when first needed and kept while usable() says so. Who
// finds none free waits in order of arrival. Safe from any thread; leases must not outlive the
// pool.
template <typename Connection>
class Pool {
 public:
  using Open = std::function<std::unique_ptr<Connection>()>;

  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    ~Lease() { pool_.give_back(std::move(connection_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<Connection> connection_;
  };

  Pool(std::size_t capacity, Open open) : capacity_(capacity), open_(std::move(open)) {}

  // Throws Unavailable after 10 s without a free connection, and what `open` throws.
  Lease take() {
    std::unique_ptr<Connection> connection = take_free();
    if (connection) return Lease(*this, std::move(connection));
    try {
      return Lease(*this, open_());
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }

 private:
  struct Waiter {
    std::condition_variable served;
    bool done = false;
    std::unique_ptr<Connection> connection;
  };

  // A free connection, or null: the caller now owns the right to open one.
  std::unique_ptr<Connection> take_free() {
    std::unique_lock lock(mutex_);
    if (!free_.empty()) {
      auto connection = std::move(free_.back());
      free_.pop_back();
      return connection;
    }
    if (in_use_or_free_ < capacity_) {
      ++in_use_or_free_;
      return nullptr;
    }
    Waiter waiter;
    waiters_.push_back(&waiter);
    if (!waiter.served.wait_for(lock, std::chrono::seconds(10), [&] { return waiter.done; })) {
      waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &waiter));
      throw Unavailable("no connection became free within 10 s");
    }
    return std::move(waiter.connection);
  }

  // Hands the connection, or with null the right to open one, to the first who waits.
  void give_back(std::unique_ptr<Connection> connection) {
    if (connection && !connection->usable()) connection.reset();
    std::lock_guard lock(mutex_);
    if (!waiters_.empty()) {
      Waiter* waiter = waiters_.front();
      waiters_.pop_front();
      waiter->connection = std::move(connection);
      waiter->done = true;
      waiter->served.notify_one();
    } else if (connection) {
      free_.push_back(std::move(connection));
    } else {
      --in_use_or_free_;
    }
  }

  const std::size_t capacity_;
  const Open open_;
  std::mutex mutex_;
  std::size_t in_use_or_free_ = 0;                 // guarded by mutex_
  std::vector<std::unique_ptr<Connection>> free_;  // guarded by mutex_
  std::deque<Waiter*> waiters_;                    // guarded by mutex_
};

}  // namespace shop
