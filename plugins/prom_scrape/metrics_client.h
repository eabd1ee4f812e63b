// Fetches one page again and again over a connection that is kept (libcurl). Not thread-safe.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_METRICS_CLIENT_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_METRICS_CLIENT_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "plugins/prom_scrape/endpoint.h"

namespace plumb::prom_scrape {

struct MetricsPage {
  long status = 0;
  std::string content_type;  // as the server says
  std::string location;      // of an answer that redirects
  // The body's length was told, so that nothing of it can be missing.
  bool whole = false;
  // Valid until the next get(). Decoded, where it came compressed.
  const std::string* body = nullptr;
};

class MetricsClient {
 public:
  static constexpr size_t kMostBodyBytes = size_t{16} << 20;  // decoded

  // `headers` ("Name: value") go with each request and are in no error. get() returns soon once
  // `interrupted` turns true.
  MetricsClient(Endpoint endpoint, std::vector<std::string> headers,
                std::chrono::milliseconds timeout, const std::atomic<bool>& interrupted);
  ~MetricsClient();
  MetricsClient(const MetricsClient&) = delete;
  MetricsClient& operator=(const MetricsClient&) = delete;

  // Any answer is one, whatever its status. Follows no redirect, uses no proxy, verifies
  // certificates. UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED (too large) or CANCELLED
  // otherwise, with a sentence.
  Result<MetricsPage> get();

 private:
  struct Transfer;
  Status prepare();

  const Endpoint endpoint_;
  const std::vector<std::string> headers_;
  const std::chrono::milliseconds timeout_;
  const std::atomic<bool>& interrupted_;
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_METRICS_CLIENT_H_
