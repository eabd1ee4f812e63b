#include "plugins/http_load/oauth2.h"

#include <curl/curl.h>
#include <strings.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "plugins/http_load/encoding.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr long kFetchTimeoutMs = 10'000;
constexpr size_t kLargestAnswer = 64 * 1024;
constexpr int64_t kLongestBackoffS = 30;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t append_answer(char* data, size_t one, size_t count, void* to) {
  auto& out = *static_cast<std::string*>(to);
  if (out.size() + one * count > kLargestAnswer) return 0;
  out.append(data, one * count);
  return one * count;
}

int abort_when_stopping(void* stopping, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<std::atomic<bool>*>(stopping)->load() ? 1 : 0;
}

// application/x-www-form-urlencoded, but for blanks, which %20 says as well.
void add_field(const char* name, const std::string& value, std::string& form) {
  if (value.empty()) return;
  if (!form.empty()) form += '&';
  form.append(name).append("=");
  append_url_encoded(value, form);
}

// RFC 6749, 2.3.1: both are form-encoded before they become a user and a password.
std::string basic_header(const AuthPlan& plan) {
  std::string pair;
  append_url_encoded(plan.client_id, pair);
  pair += ':';
  append_url_encoded(plan.client_secret, pair);
  std::string out = "Authorization: Basic ";
  append_base64(pair, out);
  return out;
}

std::string form_of(const AuthPlan& plan) {
  std::string form;
  const bool refreshes = !plan.refresh_token.empty();
  add_field("grant_type", refreshes ? "refresh_token" : "client_credentials", form);
  add_field("refresh_token", plan.refresh_token, form);
  add_field("scope", plan.scope, form);
  add_field("audience", plan.audience, form);
  // A client without a secret only says who it is.
  if (plan.client_secret.empty()) add_field("client_id", plan.client_id, form);
  return form;
}

std::string without_secrets(std::string text, const AuthPlan& plan) {
  for (const std::string* secret : {&plan.client_secret, &plan.refresh_token}) {
    if (secret->empty()) continue;
    for (size_t at = text.find(*secret); at != std::string::npos; at = text.find(*secret, at + 3))
      text.replace(at, secret->size(), "***");
  }
  return text;
}

std::string text_at(const json& answer, const char* key) {
  const auto found = answer.find(key);
  return found != answer.end() && found->is_string() ? found->get<std::string>() : "";
}

Status refused_by_server(int status, const json& answer, const AuthPlan& plan) {
  std::string out = "answered " + std::to_string(status);
  if (answer.is_object()) {
    const std::string error = text_at(answer, "error");
    const std::string description = text_at(answer, "error_description");
    if (!error.empty()) out += ": " + printable(without_secrets(error, plan), 100);
    if (!description.empty()) out += ": " + printable(without_secrets(description, plan), 200);
  }
  return Status::permission_denied(out);
}

bool is_bearer(const std::string& type) {
  return type.empty() || (type.size() == 6 && strncasecmp(type.c_str(), "bearer", 6) == 0);
}

int64_t seconds_at(const json& answer, const char* key) {
  const auto found = answer.find(key);
  if (found == answer.end()) return 0;
  const double seconds = found->is_number() ? found->get<double>() : 0;
  return seconds > 0 && seconds < 1e9 ? static_cast<int64_t>(seconds) : 0;
}

}  // namespace

Result<Grant> parse_grant(int status, std::string_view body, const AuthPlan& plan) {
  const json answer = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (status != 200) return refused_by_server(status, answer, plan);
  if (!answer.is_object()) return Status::unavailable("answered no JSON object");
  Grant out;
  out.access_token = text_at(answer, "access_token");
  if (out.access_token.empty()) return Status::unavailable("answered without an access_token");
  if (has_control_character(out.access_token))
    return Status::unavailable("answered an access_token with control characters");
  const std::string type = text_at(answer, "token_type");
  if (!is_bearer(type))
    return Status::unsupported("gave a token of type '" + printable(type, 40) + "', not Bearer");
  out.refresh_token = text_at(answer, "refresh_token");
  out.expires_in_s = seconds_at(answer, "expires_in");
  return out;
}

Result<std::unique_ptr<Oauth2Authorization>> Oauth2Authorization::open(const AuthPlan& plan) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::unique_ptr<Oauth2Authorization> out(new Oauth2Authorization(plan));
  const auto first = out->fetch();
  if (!first.is_ok()) return first.status();
  out->take(*first);
  if (first->expires_in_s > 0)
    out->thread_ = std::thread(
        [self = out.get(), expires_in_s = first->expires_in_s] { self->keep_fresh(expires_in_s); });
  return out;
}

Oauth2Authorization::~Oauth2Authorization() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<Grant> Oauth2Authorization::fetch() {
  const auto failed = [this](const Status& why) {
    return Status::from_code(why.code(), "load.auth: " + plan_.token_url + ": " + why.message());
  };
  const std::unique_ptr<CURL, EasyDeleter> easy(curl_easy_init());
  std::unique_ptr<curl_slist, ListDeleter> headers(
      curl_slist_append(nullptr, "Accept: application/json"));
  if (easy == nullptr || headers == nullptr) return Status::resource_exhausted("out of memory");
  if (!plan_.client_secret.empty()) curl_slist_append(headers.get(), basic_header(plan_).c_str());
  const std::string form = form_of(plan_);
  std::string body;
  char why[CURL_ERROR_SIZE] = "";
  CURL* const e = easy.get();
  curl_easy_setopt(e, CURLOPT_URL, plan_.token_url.c_str());
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(e, CURLOPT_PROXY, "");
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, kFetchTimeoutMs);
  curl_easy_setopt(e, CURLOPT_USERAGENT, "plumb/0.1");
  curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, static_cast<long>(form.size()));
  curl_easy_setopt(e, CURLOPT_POSTFIELDS, form.c_str());
  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, &append_answer);
  curl_easy_setopt(e, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, &abort_when_stopping);
  curl_easy_setopt(e, CURLOPT_XFERINFODATA, &stopping_);
  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, why);
  const CURLcode code = curl_easy_perform(e);
  if (code == CURLE_WRITE_ERROR) return failed(Status::unavailable("answered more than 64 KiB"));
  if (code != CURLE_OK)
    return failed(Status::unavailable(why[0] != '\0' ? why : curl_easy_strerror(code)));
  long status = 0;
  curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
  auto grant = parse_grant(static_cast<int>(status), body, plan_);
  if (!grant.is_ok()) return failed(grant.status());
  return grant;
}

void Oauth2Authorization::take(const Grant& grant) {
  if (!grant.refresh_token.empty() && !plan_.refresh_token.empty())
    plan_.refresh_token = grant.refresh_token;
  auto value = std::make_shared<const std::string>("Bearer " + grant.access_token);
  const std::lock_guard lock(value_mutex_);
  value_.swap(value);
  ++version_;
}

// Fetches after four fifths of a token's life; after a failure again and again, less and less
// often. The old token stays until there is a new one: the target says when it is no longer good.
void Oauth2Authorization::keep_fresh(int64_t expires_in_s) {
  auto pause = std::chrono::milliseconds(expires_in_s * 800);
  int64_t backoff_s = 1;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, pause, [this] { return stopping_.load(); })) return;
    }
    const auto grant = fetch();
    if (grant.is_ok()) {
      take(*grant);
      backoff_s = 1;
      if (grant->expires_in_s == 0) return;
      pause = std::chrono::milliseconds(grant->expires_in_s * 800);
    } else {
      pause = std::chrono::seconds(backoff_s);
      backoff_s = std::min(backoff_s * 2, kLongestBackoffS);
    }
  }
}

// A worker that meets the new token, or another worker, just here goes on with its old one until
// its next request. Only a user's first request may wait, for the copy of a pointer.
void Oauth2Authorization::renew(uint64_t, int64_t, Credential& mine) const {
  if (mine.value != nullptr && mine.version == version_.load()) return;
  std::unique_lock lock(value_mutex_, std::defer_lock);
  if (mine.value == nullptr)
    lock.lock();
  else if (!lock.try_lock())
    return;
  mine.value = value_;
  mine.version = version_.load();
}

}  // namespace plumb::http_load
