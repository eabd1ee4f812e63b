#include "core/engine/target_process.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>
#include <utility>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/engine/listener.h"
#include "core/engine/plugin_watch.h"

namespace plumb::engine {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kAsk = std::chrono::seconds(2);  // one health request
constexpr nanoseconds kAskAgain = std::chrono::milliseconds(50);
constexpr nanoseconds kProbe = std::chrono::milliseconds(300);  // is the port taken?
constexpr size_t kTailLines = 5;
constexpr size_t kTailBytes = 2'048;
constexpr int kLastGoodStatus = 399;

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

Curl make_curl(const std::string& url, nanoseconds timeout) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  Curl curl(curl_easy_init());
  if (!curl) return curl;
  const long ms = std::max<long>(
      1, static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, ms);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &discard);
  return curl;
}

// A target's address as curl takes it; one without a scheme counts as http.
std::string base_url(const plan::Target& target) {
  if (!target.url.empty()) return target.url;
  return "http://" + target.host + ":" + std::to_string(target.port);
}

Status connect_once(const plan::Target& target, nanoseconds timeout) {
  const Curl curl = make_curl(base_url(target), timeout);
  if (!curl) return Status::internal("curl cannot be initialised");
  curl_easy_setopt(curl.get(), CURLOPT_CONNECT_ONLY, 1L);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK) return Status::ok();
  return Status::unavailable(std::string("no connection: ") + curl_easy_strerror(code) +
                             ". Is it running?");
}

Status get_once(const plan::Target& target, nanoseconds timeout) {
  const Curl curl = make_curl(base_url(target) + target.health, timeout);
  if (!curl) return Status::internal("curl cannot be initialised");
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return Status::unavailable("GET " + target.health + ": " + curl_easy_strerror(code) +
                               ". Is it running?");
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status <= kLastGoodStatus) return Status::ok();
  return Status::unavailable("GET " + target.health + " answered " + std::to_string(status) +
                             ". Give target.health a path that answers below 400.");
}

std::string address(const plan::Target& target) {
  return target.host + ":" + std::to_string(target.port);
}

// Returns early, with true, when `stop` is used.
bool pause(nanoseconds duration, const std::stop_token& stop) {
  Mutex mutex;
  CondVar stopped;
  const std::stop_callback wake(stop, [&] {
    const MutexLock lock(mutex);
    stopped.notify_all();
  });
  const auto until = std::chrono::steady_clock::now() + duration;
  const MutexLock lock(mutex);
  while (!stop.stop_requested() && stopped.wait_until(mutex, until)) {
  }
  return stop.stop_requested();
}

}  // namespace

Status check_health(const plan::Target& target, nanoseconds timeout) {
  return target.health.empty() ? connect_once(target, timeout) : get_once(target, timeout);
}

std::string tail_of(const std::filesystem::path& path, size_t lines) {
  std::ifstream in(path, std::ios::ate);
  if (!in) return {};
  const auto size = static_cast<std::streamoff>(in.tellg());
  in.seekg(std::max<std::streamoff>(0, size - static_cast<std::streamoff>(kTailBytes)));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  while (!text.empty() && text.back() == '\n') text.pop_back();
  size_t at = text.size();
  for (size_t i = 0; i < lines && at != std::string::npos && at > 0; ++i) {
    at = text.rfind('\n', at - 1);
  }
  return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

Result<std::unique_ptr<TargetProcess>> TargetProcess::start(const plan::Target& target,
                                                            const std::filesystem::path& log) {
  if (connect_once(target, kProbe).is_ok()) {
    std::string who = "something";
    if (const auto listener = find_listener(target.port, "/proc")) {
      who = listener->command + " (pid " + std::to_string(listener->pid) + ")";
    }
    return Status::unavailable("cannot start the target: " + who + " already answers on " +
                               address(target) +
                               "; stop it, or leave target.start out of the plan to test it");
  }
  UniqueFd output;
  if (!log.empty()) {
    output.reset(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!output) {
      return Status::unavailable("cannot write the target's log " + log.string() + ": " +
                                 std::strerror(errno));
    }
  }
  ChildSpec spec;
  spec.argv = target.start;
  spec.output = output.get();
  spec.errors = output.get();
  auto child = ChildProcess::spawn(spec);
  if (!child.is_ok()) return child.status().with_context("target.start");
  return std::unique_ptr<TargetProcess>(new TargetProcess(std::move(child).value(), log));
}

std::optional<std::string> TargetProcess::how_it_ended() {
  const auto& end = child_.poll_end();
  if (!end) return std::nullopt;
  std::string text = "the target " + end->text();
  const std::string tail = log_.empty() ? std::string() : tail_of(log_, kTailLines);
  if (!tail.empty()) text += "; the end of " + log_.string() + ":\n" + tail;
  return text;
}

void TargetProcess::stop(nanoseconds grace) {
  child_.signal_group(SIGTERM);
  if (!child_.wait_end(monotonic_ns() + grace.count())) child_.kill_and_reap();
}

Status wait_until_healthy(const plan::Target& target, TargetProcess* process,
                          const std::stop_token& stop) {
  const int64_t until = monotonic_ns() + target.health_timeout.count();
  while (true) {
    if (stop.stop_requested()) return Status::cancelled("interrupted before the target answered");
    const int64_t left = until - monotonic_ns();
    const Status health =
        check_health(target, std::clamp<nanoseconds>(nanoseconds(left), kProbe, kAsk));
    // Asked of a process that has ended, another one may have answered.
    if (process != nullptr) {
      if (const auto end = process->how_it_ended()) return Status::unavailable(*end);
    }
    if (health.is_ok()) return health;
    if (left <= 0) {
      return Status::unavailable("the target at " + base_url(target) + " was not healthy within " +
                                 seconds_text(target.health_timeout) + ": " + health.message());
    }
    pause(kAskAgain, stop);
  }
}

}  // namespace plumb::engine
