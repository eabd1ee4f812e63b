#include "core/imports/k6_requests.h"

#include <algorithm>

#include "core/base/number_text.h"
#include "core/imports/endpoint_name.h"
#include "core/imports/text_values.h"

namespace plumb::imports {
namespace {

enum K6Metric : size_t {
  kReqs,
  kDuration,
  kBlocked,
  kConnecting,
  kHandshaking,
  kSending,
  kWaiting,
  kReceiving,
  kFailed
};
constexpr std::array<std::string_view, 9> kK6Metrics = {
    "http_reqs",           "http_req_duration",        "http_req_blocked",
    "http_req_connecting", "http_req_tls_handshaking", "http_req_sending",
    "http_req_waiting",    "http_req_receiving",       "http_req_failed"};

constexpr double kMillisecondNs = 1e6;

// k6's error codes in the classes that http_load uses.
std::string_view k6_error_class(std::string_view code, int status) {
  if (status >= 400) return "status";
  if (code == "1050") return "timeout_wait";
  if (code == "1211") return "timeout_connect";
  if (code == "1212") return "refused";
  if (code == "1220" || code == "1221") return "reset";
  if (code.size() == 4 && code.starts_with("11")) return "dns";
  if (code.size() == 4 && code.starts_with("13")) return "tls";
  if (code.size() == 4 && code.starts_with("16")) return "protocol";
  return status > 0 ? "check" : "other";
}

}  // namespace

std::optional<Problem> K6Requests::point(std::string_view metric, int64_t time_ns, double value,
                                         const K6Tags& tags) {
  const auto* const found = std::find(kK6Metrics.begin(), kK6Metrics.end(), metric);
  if (found == kK6Metrics.end()) {
    other(metric, time_ns, value);
    return std::nullopt;
  }
  const auto index = static_cast<size_t>(found - kK6Metrics.begin());
  const bool is_time = index != kReqs && index != kFailed;
  if (is_time && !duration_ns(value, kMillisecondNs))
    return Problem{0, std::string(metric) + " is " + std::to_string(value) +
                          " ms; a length of time of zero or more, and at most a day, is expected"};
  if (!continues(index, time_ns, tags)) {
    end();
    begin(time_ns, tags);
  }
  values_[index] = value;
  present_[index] = true;
  return std::nullopt;
}

bool K6Requests::continues(size_t metric, int64_t time_ns, const K6Tags& tags) const {
  return open_ && !present_[metric] && time_ns == time_ns_ && tags.name == name_ &&
         tags.method == method_ && tags.status == status_;
}

void K6Requests::begin(int64_t time_ns, const K6Tags& tags) {
  open_ = true;
  time_ns_ = time_ns;
  present_.fill(false);
  name_ = tags.name;
  url_ = tags.url;
  method_ = tags.method;
  status_ = tags.status;
  error_ = tags.error;
  error_code_ = tags.error_code;
  expected_ = tags.expected_response;
}

void K6Requests::end() {
  if (!open_) return;
  open_ = false;
  if (!present_[kDuration]) {
    ++incomplete_;
    return;
  }
  const auto ns = [&](K6Metric metric) {
    return present_[metric] ? *duration_ns(values_[metric], kMillisecondNs) : kUnknown;
  };
  Request request;
  const std::string endpoint = endpoint_of_name(method_, name_.empty() ? url_ : name_);
  request.endpoint = endpoint;
  request.end_ns = time_ns_;
  request.service_ns = ns(kDuration);
  // k6's blocked time contains connecting and handshaking; its duration contains neither.
  const int64_t blocked = std::max<int64_t>(ns(kBlocked), 0);
  request.response_ns = request.service_ns + blocked;
  request.phases[kConnect] = ns(kConnecting);
  request.phases[kTls] = ns(kHandshaking);
  if (present_[kBlocked])
    request.phases[kQueue] = std::max<int64_t>(0, blocked - std::max<int64_t>(ns(kConnecting), 0) -
                                                      std::max<int64_t>(ns(kHandshaking), 0));
  request.phases[kSend] = ns(kSending);
  request.phases[kWait] = ns(kWaiting);
  request.phases[kTransfer] = ns(kReceiving);
  request.status = static_cast<int>(std::min<uint64_t>(parse_count(status_).value_or(0), 999));
  request.failed = present_[kFailed]      ? values_[kFailed] != 0
                   : expected_ == "false" ? true
                   : expected_ == "true"  ? false
                                          : request.status == 0 || request.status >= 400;
  if (request.failed) {
    request.error_class = k6_error_class(error_code_, request.status);
    request.example = error_;
  }
  if (!target_told_) {
    const std::string origin = origin_of_url(url_.empty() ? name_ : url_);
    if (!origin.empty()) sink_.on_target(origin);
    target_told_ = true;
  }
  ++requests_;
  sink_.on_request(request);
}

void K6Requests::other(std::string_view metric, int64_t time_ns, double value) {
  if (metric == "vus") sink_.on_gauge("load_users", "users", time_ns, value);
  if (metric == "dropped_iterations") dropped_iterations_ += value;
}

std::optional<Problem> K6Requests::finish() {
  end();
  if (requests_ == 0)
    return Problem{0, "there is no HTTP request in it: points of http_req_duration are expected"};
  if (incomplete_ > 0)
    sink_.on_note("Requests without http_req_duration are left out (" +
                      grouped(static_cast<double>(incomplete_)) + ").",
                  true);
  if (dropped_iterations_ > 0)
    sink_.on_note("k6 dropped " + grouped(dropped_iterations_) +
                      " iterations because no virtual user was free: the load that was asked for "
                      "was not sent, and what those requests would have waited is in no figure.",
                  true);
  return std::nullopt;
}

}  // namespace plumb::imports
