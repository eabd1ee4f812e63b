#include "core/imports/jmeter_sample.h"

#include <algorithm>

#include "core/base/number_text.h"
#include "core/imports/endpoint_name.h"
#include "core/imports/text_values.h"

namespace plumb::imports {
namespace {

// A sample without an answer has the name of Java's exception where its code should be.
std::string_view jmeter_error_class(std::string_view code, int status) {
  const auto has = [&](std::string_view word) { return code.find(word) != std::string_view::npos; };
  if (status >= 400) return "status";
  if (has("ConnectTimeout")) return "timeout_connect";
  if (has("Timeout")) return "timeout_wait";
  if (has("UnknownHost")) return "dns";
  if (has("SSL")) return "tls";
  if (has("ConnectException") || has("HttpHostConnect")) return "refused";
  if (has("NoRouteToHost") || has("BindException")) return "no_local_port";
  if (has("SocketException") || has("NoHttpResponse")) return "reset";
  // The answer was there, and an assertion did not like it.
  return status > 0 ? "check" : "other";
}

}  // namespace

void JmeterSamples::add(const JmeterSample& sample) {
  // A transaction controller's own row repeats the time of the requests within.
  if (sample.message.starts_with("Number of samples in transaction")) {
    ++transactions_;
    return;
  }
  ++samples_;
  Request request;
  const std::string endpoint = endpoint_of_name("", sample.label);
  request.endpoint = endpoint;
  request.end_ns = sample.start_ns + sample.elapsed_ns;
  request.response_ns = sample.elapsed_ns;
  request.status = static_cast<int>(std::min<uint64_t>(parse_count(sample.code).value_or(0), 999));
  request.failed = !sample.success;
  if (request.failed) {
    request.error_class = jmeter_error_class(sample.code, request.status);
    request.example = !sample.failure.empty() ? sample.failure : sample.message;
  }
  const int64_t connect = std::max<int64_t>(sample.connect_ns, 0);
  request.phases[kConnect] = sample.connect_ns;
  if (sample.connect_ns != kUnknown)
    request.service_ns = std::max<int64_t>(0, sample.elapsed_ns - connect);
  // A failed sample has no first byte, and JMeter writes 0.
  if (sample.latency_ns > 0 && sample.latency_ns <= sample.elapsed_ns) {
    request.phases[kWait] = std::max<int64_t>(0, sample.latency_ns - connect);
    request.phases[kTransfer] = sample.elapsed_ns - sample.latency_ns;
  }
  if (!target_told_ && !sample.url.empty()) {
    if (const std::string origin = origin_of_url(sample.url); !origin.empty())
      sink_.on_target(origin);
    target_told_ = true;
  }
  if (sample.threads) tell_threads(request.end_ns, *sample.threads);
  sink_.on_request(request);
}

// Once a second is enough, and a large file has many rows.
void JmeterSamples::tell_threads(int64_t time_ns, double threads) {
  constexpr int64_t kSecond = 1'000'000'000;
  if (time_ns >= threads_told_ns_ && time_ns < threads_told_ns_ + kSecond) return;
  threads_told_ns_ = time_ns;
  sink_.on_gauge("load_users", "users", time_ns, threads);
}

std::optional<Problem> JmeterSamples::finish() {
  if (samples_ == 0) return Problem{0, "there is no sample in it"};
  if (transactions_ > 0)
    sink_.on_note("Rows of transaction controllers are left out (" +
                      grouped(static_cast<double>(transactions_)) +
                      "): the requests within them are counted.",
                  false);
  sink_.on_note(
      "JMeter's timeStamp is taken as the start of a sample, as its jmeter.properties has it "
      "(sampleresult.timestamp.start=true); its times have whole milliseconds.",
      false);
  return std::nullopt;
}

}  // namespace plumb::imports
