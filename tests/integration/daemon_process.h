// A real plumbd on a free port, and an HTTP client for it.
#ifndef PLUMB_TESTS_INTEGRATION_DAEMON_PROCESS_H_
#define PLUMB_TESTS_INTEGRATION_DAEMON_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unique_fd.h"

namespace plumb {

struct HttpReply {
  long status = 0;  // 0: no answer
  std::string body;
  std::string location;
  std::string content_type;
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

// Started in the constructor, killed in the destructor unless it has ended.
class DaemonProcess {
 public:
  // What it says on stderr goes to `log`.
  DaemonProcess(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                const std::string& listen = "127.0.0.1:0");
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  // From the line that it prints; 0 when it ended without one.
  uint16_t port() const { return port_; }
  void signal(int number) const;
  // Its exit code, or -1 when it was killed or goes on after about 15 s.
  int wait();

  HttpReply get(const std::string& path) const { return request("GET", path, {}, {}); }
  HttpReply request(const std::string& method, const std::string& path,
                    const std::string& content_type, const std::string& body) const;
  // Follows an event stream until it ends, or `enough` says so of what has come. Gives what came.
  std::string follow(const std::string& path,
                     const std::function<bool(const std::string&)>& enough) const;

 private:
  std::string url(const std::string& path) const;

  pid_t pid_ = -1;
  uint16_t port_ = 0;
  UniqueFd output_;
};

}  // namespace plumb

#endif  // PLUMB_TESTS_INTEGRATION_DAEMON_PROCESS_H_
