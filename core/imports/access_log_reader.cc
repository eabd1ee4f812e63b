// Access logs with a JSON object on each line: nginx (log_format escape=json), Envoy, Caddy,
// Traefik, and any other whose fields --map names.
#include <algorithm>
#include <array>

#include "core/base/number_text.h"
#include "core/imports/csv_value.h"
#include "core/imports/endpoint_name.h"
#include "core/imports/flat_json.h"
#include "core/imports/formats.h"

namespace plumb::imports {
namespace {

struct KnownTime {
  std::string_view field;
  bool is_start;  // else it is when the line was written: the request's end
};
// The exact before the coarse: Traefik's `time` has whole seconds.
constexpr std::array<KnownTime, 12> kTimes = {{{"StartUTC", true},
                                               {"start_time", true},
                                               {"msec", false},
                                               {"ts", false},
                                               {"time_iso8601", false},
                                               {"@timestamp", false},
                                               {"timestamp", false},
                                               {"time", false},
                                               {"time_local", false},
                                               {"datetime", false},
                                               {"date", false},
                                               {"t", false}}};

struct KnownDuration {
  std::string_view field;
  std::string_view unit;  // of a bare number; empty: by what stands beside it
};
constexpr std::array<KnownDuration, 16> kDurations = {{{"Duration", "ns"},
                                                       {"request_time", "s"},
                                                       {"duration_ms", "ms"},
                                                       {"latency_ms", "ms"},
                                                       {"elapsed_ms", "ms"},
                                                       {"response_time_ms", "ms"},
                                                       {"request_time_ms", "ms"},
                                                       {"duration_us", "us"},
                                                       {"duration_ns", "ns"},
                                                       {"duration_s", "s"},
                                                       {"duration_seconds", "s"},
                                                       {"responseTime", "ms"},
                                                       {"duration", ""},
                                                       {"latency", ""},
                                                       {"elapsed", ""},
                                                       {"response_time", ""}}};

constexpr std::array<std::string_view, 8> kStatuses = {
    "status",     "DownstreamStatus", "response_code", "status_code",
    "statusCode", "res.statusCode",   "code",          "http_status"};
constexpr std::array<std::string_view, 6> kMethods = {
    "method", "request.method", "RequestMethod", "request_method", "req.method", "http_method"};
constexpr std::array<std::string_view, 9> kPaths = {
    "uri",     "request.uri", "RequestPath", "request_uri", "path", "x_envoy_original_path",
    "req.url", "url",         "request"};

// Which fields of a line say what.
struct Fields {
  std::string time;
  bool time_is_start = false;
  std::string duration;
  double unit_ns = 0;  // of a bare number; 0: there must be a unit behind it
  std::string status;
  std::string method;
  std::string path;
  std::string endpoint;

  bool complete() const { return !time.empty() && !duration.empty() && !status.empty(); }
};

template <size_t N>
std::string first_present(const FlatJson& json, const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names)
    if (json.find(name) != nullptr) return std::string(name);
  return {};
}

// Envoy's `duration` is in milliseconds, Caddy's in seconds.
double unit_beside(const FlatJson& json) {
  if (json.find("response_code") != nullptr) return 1e6;
  if (json.find("request.uri") != nullptr) return 1e9;
  return 0;
}

// latency_ms is in milliseconds; took:us says it outright.
void split_unit(std::string& field, double& unit) {
  if (const size_t colon = field.rfind(':'); colon != std::string::npos) {
    if (const auto given = unit_ns(std::string_view(field).substr(colon + 1))) {
      unit = *given;
      field.resize(colon);
      return;
    }
  }
  if (const size_t underscore = field.rfind('_'); underscore != std::string::npos)
    if (const auto named = unit_ns(std::string_view(field).substr(underscore + 1))) unit = *named;
}

Fields find_fields(const FlatJson& json, const ReaderOptions& options) {
  Fields out;
  for (const KnownTime& known : kTimes)
    if (out.time.empty() && json.find(known.field) != nullptr) {
      out.time = known.field;
      out.time_is_start = known.is_start;
    }
  for (const KnownDuration& known : kDurations)
    if (out.duration.empty() && json.find(known.field) != nullptr) {
      out.duration = known.field;
      out.unit_ns = known.unit.empty() ? unit_beside(json) : *unit_ns(known.unit);
    }
  out.status = first_present(json, kStatuses);
  out.method = first_present(json, kMethods);
  out.path = first_present(json, kPaths);
  const auto given = [&](const char* role, std::string& field) {
    const auto found = options.fields.find(role);
    if (found != options.fields.end()) field = found->second;
    return found != options.fields.end();
  };
  if (given("time", out.time)) out.time_is_start = false;
  if (given("start", out.time)) out.time_is_start = true;
  if (given("duration", out.duration)) {
    const auto known =
        std::find_if(kDurations.begin(), kDurations.end(),
                     [&](const KnownDuration& one) { return one.field == out.duration; });
    out.unit_ns = known != kDurations.end() && !known->unit.empty() ? *unit_ns(known->unit)
                                                                    : unit_beside(json);
    split_unit(out.duration, out.unit_ns);
  }
  (void)given("status", out.status);
  (void)given("method", out.method);
  (void)given("path", out.path);
  (void)given("endpoint", out.endpoint);
  return out;
}

class AccessLog final : public Reader {
 public:
  AccessLog(Sink& sink, const ReaderOptions& options) : sink_(sink), options_(options) {}

  std::optional<Problem> line(std::string_view text) override {
    if (trimmed(text).empty()) return std::nullopt;
    if (auto problem = json_.parse(text)) return problem;
    if (!fields_.complete()) fields_ = find_fields(json_, options_);
    // Servers write other lines beside those about requests.
    if (!fields_.complete() || json_.find(fields_.time) == nullptr ||
        json_.find(fields_.duration) == nullptr || json_.find(fields_.status) == nullptr) {
      ++others_;
      return std::nullopt;
    }
    return request();
  }

  std::optional<Problem> finish() override {
    if (requests_ == 0)
      return Problem{0,
                     "no line has a time, a duration and a status; name the fields with --map "
                     "time=...,duration=...,status=..."};
    if (others_ > 0)
      sink_.on_note("Lines without a time, a duration or a status are left out (" +
                        grouped(static_cast<double>(others_)) + ").",
                    false);
    sink_.on_note(
        "An access log has what the server saw: time on the way to it, in its accept queue and "
        "for connecting is in no figure, and neither are requests that never reached it.",
        true);
    return std::nullopt;
  }

 private:
  std::optional<Problem> bad(const std::string& field, std::string_view expected) const {
    return Problem{0, field + " is '" + std::string(json_.text(field).substr(0, 40)) + "'; " +
                          std::string(expected) + " is expected"};
  }

  std::optional<Problem> request() {
    const auto time = parse_time(json_.text(fields_.time));
    if (!time) return bad(fields_.time, "a time (epoch or RFC 3339)");
    const auto duration = read_length();
    if (!duration && unit_missing_)
      return Problem{0, "the unit of " + fields_.duration + " is not known; say it with --map " +
                            "duration=" + fields_.duration + ":ms (or s, us, ns)"};
    if (!duration) return bad(fields_.duration, "a length of time of zero or more");
    const auto status = parse_count(json_.text(fields_.status));
    if (!status) return bad(fields_.status, "a status code");
    Request out;
    const std::string endpoint = endpoint_of_line();
    out.endpoint = endpoint;
    out.end_ns = *time + (fields_.time_is_start ? *duration : 0);
    out.response_ns = *duration;
    out.service_ns = *duration;
    out.status = static_cast<int>(std::min<uint64_t>(*status, 999));
    // Envoy has 0, nginx 499, for a client that went away.
    out.failed = out.status == 0 || out.status >= 400;
    if (out.failed) out.error_class = out.status == 0 ? "reset" : "status";
    ++requests_;
    sink_.on_request(out);
    return std::nullopt;
  }

  std::optional<int64_t> read_length() {
    const std::string_view text = json_.text(fields_.duration);
    const auto number = parse_finite(text);
    unit_missing_ = number && fields_.unit_ns == 0;
    if (unit_missing_) return std::nullopt;
    return number ? duration_ns(*number, fields_.unit_ns) : parse_duration_text(text);
  }

  std::string endpoint_of_line() const {
    if (!fields_.endpoint.empty()) return endpoint_of_name("", json_.text(fields_.endpoint));
    std::string_view method = json_.text(fields_.method);
    std::string_view path = json_.text(fields_.path);
    // nginx's $request is the whole line: GET /orders HTTP/1.1
    if (fields_.path == "request") {
      const auto space = path.find(' ');
      if (space != std::string_view::npos) {
        if (method.empty()) method = path.substr(0, space);
        path.remove_prefix(space + 1);
        path = path.substr(0, path.find(' '));
      }
    }
    return path.empty() ? "all" : endpoint_of_url(method, path);
  }

  Sink& sink_;
  const ReaderOptions options_;
  FlatJson json_;
  Fields fields_;
  bool unit_missing_ = false;
  uint64_t requests_ = 0;
  uint64_t others_ = 0;
};

bool is_access_log(const std::vector<std::string>& head, const ReaderOptions& options) {
  FlatJson json;
  for (const std::string& line : head)
    if (!json.parse(line) && find_fields(json, options).complete()) return true;
  return false;
}

}  // namespace

Format access_log_format() {
  return {.name = "access-log",
          .tool = "access_log",
          .title = "access logs in JSON lines (nginx, Envoy, Caddy, Traefik, or any with --map)",
          .recognises = is_access_log,
          .make = [](Sink& sink, const ReaderOptions& options) -> std::unique_ptr<Reader> {
            return std::make_unique<AccessLog>(sink, options);
          }};
}

}  // namespace plumb::imports
