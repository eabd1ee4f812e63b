// Test only: an HTTP server on loopback that answers every request with what it was last told.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_METRICS_SERVER_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_METRICS_SERVER_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace plumb::prom_scrape {

class MetricsServer {
 public:
  struct Answer {
    std::string body;
    int status = 200;
    std::string content_type = "text/plain; version=0.0.4; charset=utf-8";
    std::map<std::string, std::string> headers = {};
    enum Framing {
      kLength,      // with its length, and the connection stays
      kChunked,     // in chunks, and the connection stays
      kUntilClose,  // without its length; the end of the connection ends it
      kCutOff,      // half of what its length promises, then the connection ends
      kNone,        // never answers
    } framing = kLength;
  };

  // On a free port, or on `port`. Throws when it cannot listen.
  explicit MetricsServer(uint16_t port = 0);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  void answer(Answer answer);
  uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // The requests so far: target and headers, as one text each.
  std::vector<std::string> requests() const;
  size_t connections() const { return connections_; }

 private:
  class Connection;
  void accept();
  Answer next(std::string request);

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  Answer answer_;
  std::vector<std::string> requests_;
  std::atomic<size_t> connections_{0};
  std::thread thread_;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_METRICS_SERVER_H_
