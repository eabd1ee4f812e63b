// What a reader of another tool's output tells, and the one interface all readers have.
#ifndef PLUMB_CORE_IMPORTS_READER_H_
#define PLUMB_CORE_IMPORTS_READER_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/signal/signal.h"

namespace plumb::imports {

// The phases of a request, as http_load calls them.
enum Phase : size_t { kQueue, kDns, kConnect, kTls, kSend, kWait, kTransfer };
inline constexpr std::array<std::string_view, 7> kPhaseNames = {"queue", "dns",  "connect", "tls",
                                                                "send",  "wait", "transfer"};
inline constexpr int64_t kUnknown = -1;

// One request that ended. Text is borrowed for the duration of the call.
struct Request {
  std::string_view endpoint;
  int64_t end_ns = 0;             // of the epoch, or since the start where the format has no clock
  int64_t response_ns = 0;        // all of it, connecting included
  int64_t service_ns = kUnknown;  // from the actual send
  int status = 0;                 // 0: none is known
  bool failed = false;
  std::string_view error_class;  // of a failed one: refused, timeout_wait, status, ...
  std::string_view example;      // of a failed one: what the tool said
  std::array<int64_t, kPhaseNames.size()> phases = {kUnknown, kUnknown, kUnknown, kUnknown,
                                                    kUnknown, kUnknown, kUnknown};
};

// A number that the tool had computed already, over the whole of its run.
struct ToldFact {
  std::string name;  // as core/facts names it: latency.p95, requests.count
  double value = 0;
  std::string unit;
  std::string endpoint = {};  // empty: all
};

// Where readers tell what they found. Times may come in any order.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void on_request(const Request& request) = 0;
  // Users at work, or another level that the tool sampled. `name` and `unit` as series have them.
  virtual void on_gauge(std::string_view name, std::string_view unit, int64_t time_ns,
                        double value) = 0;
  virtual void on_fact(const ToldFact& fact) = 0;
  // When the run of a format without single requests began and ended.
  virtual void on_span(int64_t start_ns, int64_t end_ns) = 0;
  // A sentence about what was read. `limits`: it says what the format cannot give.
  virtual void on_note(const std::string& sentence, bool limits) = 0;
  // The address under test, where the output has it.
  virtual void on_target(std::string_view url) = 0;
};

// Why a line cannot be read.
struct Problem {
  size_t column = 0;  // from 1; 0: the line as a whole
  std::string message;
};

// One reader reads one file, line after line.
class Reader {
 public:
  virtual ~Reader() = default;
  // A line without its end.
  virtual std::optional<Problem> line(std::string_view text) = 0;
  // After the last line. A problem here is about the file as a whole.
  virtual std::optional<Problem> finish() = 0;
};

// What the command line says about how to read.
struct ReaderOptions {
  // Of access logs: field by role (time, duration, status, method, path, endpoint).
  std::map<std::string, std::string> fields = {};
  std::string url = {};  // of the target, for formats that do not name it
};

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_READER_H_
