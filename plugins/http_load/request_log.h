// A log of every request, as CSV in a zstd stream. It never slows the load down: rows are handed to
// a thread that compresses and writes, and are dropped and counted when it cannot keep up.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_REQUEST_LOG_H_
#define PLUMB_PLUGINS_HTTP_LOAD_REQUEST_LOG_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <plumb/status.hpp>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

class RequestLog {
 public:
  // Writes `file` anew, unless it is there and no such log. `requests` outlive the log. An error
  // names the file and what is wrong.
  static Result<std::unique_ptr<RequestLog>> open(const std::string& file,
                                                  std::span<const Request> requests);
  ~RequestLog();
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  // The load begins then; before the first writer.
  void begin(int64_t start_ns) { start_ns_ = start_ns; }

  // Where one worker writes its rows. Not thread-safe.
  class Writer {
   public:
    explicit Writer(RequestLog& log) : log_(log) {}
    ~Writer() { flush(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    // `failed` as the run counts it: an unexpected status is a failure without an error class.
    void add(const Completion& completion, bool failed);
    void flush();

   private:
    RequestLog& log_;
    std::string rows_;
    uint64_t count_ = 0;
    int64_t oldest_ns_ = 0;  // when the first of rows_ finished
  };

  // Writes what is left and ends the file. Afterwards its status and what was dropped are final.
  Status close();
  uint64_t dropped() const { return dropped_; }

 private:
  struct Block {
    std::string rows;
    uint64_t count;
  };
  class Stream;

  RequestLog(std::unique_ptr<Stream> stream, std::span<const Request> requests);
  void take(Block block);
  void write_blocks();

  const std::unique_ptr<Stream> stream_;
  std::vector<std::string> names_;  // of endpoints, as CSV
  int64_t start_ns_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> blocks_;
  bool ending_ = false;
  uint64_t dropped_ = 0;
  Status status_ = Status::ok();
  std::thread thread_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_REQUEST_LOG_H_
