#include "http_post.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <memory>

namespace plumb::llm_analyzer {
namespace {

constexpr size_t kMostHeaderBytes = 64u << 10;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;
using Easy = std::unique_ptr<CURL, FreeEasy>;
using List = std::unique_ptr<curl_slist, FreeList>;

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

bool is_loopback_name(const std::string& host) {
  if (host == "localhost" || host == "[::1]" || host == "::1") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  if (address.sa_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

struct Transfer {
  HttpResponse response;
  size_t header_bytes = 0;
  bool too_large = false;
  const std::atomic<bool>* cancelled = nullptr;
};

size_t on_body(char* data, size_t size, size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const size_t bytes = size * count;
  if (transfer.response.body.size() + bytes > kMostResponseBytes) {
    transfer.too_large = true;
    return 0;
  }
  transfer.response.body.append(data, bytes);
  return bytes;
}

size_t on_header(char* data, size_t size, size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const size_t bytes = size * count;
  transfer.header_bytes += bytes;
  if (transfer.header_bytes > kMostHeaderBytes) {
    transfer.too_large = true;
    return 0;
  }
  constexpr std::string_view kName = "retry-after:";
  const std::string_view line(data, bytes);
  if (line.size() <= kName.size() || ::curl_strnequal(line.data(), kName.data(), kName.size()) == 0)
    return bytes;
  const size_t at = line.find_first_not_of(' ', kName.size());
  long seconds = 0;
  if (at != std::string_view::npos &&
      std::from_chars(line.data() + at, line.data() + line.size(), seconds).ec == std::errc())
    transfer.response.retry_after = std::chrono::seconds(seconds);
  return bytes;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(context)->cancelled->load() ? 1 : 0;
}

// The name "localhost" is what the resolver says it is, so plain text is held to it here.
curl_socket_t open_loopback_socket(void*, curlsocktype, curl_sockaddr* address) {
  if (!is_loopback(address->addr)) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Status to_status(CURLcode code, const Transfer& transfer) {
  if (transfer.too_large)
    return Status::resource_exhausted("the answer is larger than " +
                                      std::to_string(kMostResponseBytes >> 20) + " MiB");
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Status::deadline_exceeded("no answer came in time");
    case CURLE_ABORTED_BY_CALLBACK:
      return Status::cancelled("the run was stopped");
    default:
      return Status::unavailable(curl_easy_strerror(code));
  }
}

}  // namespace

Status check_base_url(const std::string& text) {
  const Url url(curl_url());
  const auto bad = [](const std::string& why) {
    return Status::invalid_argument("base_url " + why);
  };
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return bad("is no URL such as https://api.example.com");
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty() ||
      !part_of(url.get(), CURLUPART_QUERY).empty() ||
      !part_of(url.get(), CURLUPART_FRAGMENT).empty())
    return bad("must hold neither a user name nor a query: credentials belong into api_key");
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme == "https") return Status::ok();
  if (scheme == "http" && is_loopback_name(part_of(url.get(), CURLUPART_HOST))) return Status::ok();
  return bad("must be https; plain http is for this machine only (http://127.0.0.1:PORT)");
}

Result<HttpResponse> http_post(const std::string& url, const std::vector<std::string>& headers,
                               std::string_view body, std::chrono::milliseconds timeout,
                               const std::atomic<bool>& cancelled) {
  if (timeout.count() <= 0) return Status::deadline_exceeded("no time is left");
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  const Easy easy(initialised == CURLE_OK ? curl_easy_init() : nullptr);
  if (!easy) return Status::internal("libcurl could not be started");
  List list;
  for (const std::string& header : headers) {
    curl_slist* longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) return Status::resource_exhausted("out of memory");
    static_cast<void>(list.release());
    list.reset(longer);
  }
  Transfer transfer;
  transfer.cancelled = &cancelled;
  CURL* c = easy.get();
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_POST, 1L);
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_PROXY, "");  // nor one from the environment
  curl_easy_setopt(c, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, &transfer);
  if (url.starts_with("http:"))
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, &open_loopback_socket);
  const CURLcode code = curl_easy_perform(c);
  if (code != CURLE_OK) return to_status(code, transfer);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &transfer.response.status);
  return std::move(transfer.response);
}

}  // namespace plumb::llm_analyzer
