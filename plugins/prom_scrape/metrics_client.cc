#include "plugins/prom_scrape/metrics_client.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string_view>
#include <utility>

namespace plumb::prom_scrape {
namespace {

constexpr size_t kMostHeaderBytes = size_t{64} << 10;
constexpr size_t kMostHeaderValue = 200;
// OpenMetrics first, since it says when each counter began.
constexpr const char* kAccept =
    "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

bool is_loopback_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  if (address.sa_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

// The name "localhost" is what the resolver says it is, so it is held to this machine here.
curl_socket_t open_local_socket(void*, curlsocktype, curl_sockaddr* address) {
  if (!is_loopback_address(address->addr)) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// The value of a header line if it is the header `name` ("location:").
std::string_view header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || ::curl_strnequal(line.data(), name.data(), name.size()) == 0)
    return {};
  line.remove_prefix(name.size());
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  return line.substr(0, kMostHeaderValue);
}

}  // namespace

struct MetricsClient::Transfer {
  struct FreeHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  struct FreeHeaders {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, FreeHeaders> headers;  // outlives `easy`, which uses it
  std::unique_ptr<CURL, FreeHandle> easy;
  std::string body;
  MetricsPage page;
  size_t header_bytes = 0;
  bool too_large = false;
  const std::atomic<bool>* interrupted = nullptr;

  static size_t on_body(char* data, size_t size, size_t count, void* context) {
    auto& self = *static_cast<Transfer*>(context);
    const size_t bytes = size * count;
    if (self.body.size() + bytes > kMostBodyBytes) {
      self.too_large = true;
      return 0;
    }
    self.body.append(data, bytes);
    return bytes;
  }

  static size_t on_header(char* data, size_t size, size_t count, void* context) {
    auto& self = *static_cast<Transfer*>(context);
    const size_t bytes = size * count;
    self.header_bytes += bytes;
    if (self.header_bytes > kMostHeaderBytes) {
      self.too_large = true;
      return 0;
    }
    const std::string_view line(data, bytes);
    // An interim answer ("100 Continue") has headers of its own.
    if (line.starts_with("HTTP/")) self.page = {};
    if (const auto type = header_value(line, "content-type:"); !type.empty())
      self.page.content_type = type;
    if (const auto where = header_value(line, "location:"); !where.empty())
      self.page.location = where;
    const bool length = !header_value(line, "content-length:").empty();
    const bool chunked = header_value(line, "transfer-encoding:").ends_with("chunked");
    self.page.whole = self.page.whole || length || chunked;
    return bytes;
  }

  static int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(context)->interrupted->load() ? 1 : 0;
  }

  Status status_of(CURLcode code, std::chrono::milliseconds timeout) const {
    if (too_large)
      return Status::resource_exhausted("the answer is larger than " +
                                        std::to_string(kMostBodyBytes >> 20) + " MiB");
    switch (code) {
      case CURLE_OPERATION_TIMEDOUT:
        return Status::deadline_exceeded("no whole answer came within " +
                                         std::to_string(timeout.count()) +
                                         " ms: raise timeout, or choose a smaller page");
      case CURLE_ABORTED_BY_CALLBACK:
        return Status::cancelled("the run was stopped");
      // Bytes behind the end of a gzip stream are an error in writing to libcurl.
      case CURLE_BAD_CONTENT_ENCODING:
      case CURLE_WRITE_ERROR:
        return Status::unavailable(
            "the answer's compression is damaged, or something follows its end");
      case CURLE_PARTIAL_FILE:
        return Status::unavailable("the answer was cut off");
      default:
        return Status::unavailable(curl_easy_strerror(code));
    }
  }
};

MetricsClient::MetricsClient(Endpoint endpoint, std::vector<std::string> headers,
                             std::chrono::milliseconds timeout,
                             const std::atomic<bool>& interrupted)
    : endpoint_(std::move(endpoint)),
      headers_(std::move(headers)),
      timeout_(timeout),
      interrupted_(interrupted) {}

MetricsClient::~MetricsClient() = default;

Status MetricsClient::prepare() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto fresh = std::make_unique<Transfer>();
  fresh->easy.reset(initialised == CURLE_OK ? curl_easy_init() : nullptr);
  if (!fresh->easy) return Status::internal("libcurl could not be started");
  fresh->interrupted = &interrupted_;
  std::vector<std::string> headers = headers_;
  headers.emplace_back(kAccept);
  for (const std::string& header : headers) {
    curl_slist* longer = curl_slist_append(fresh->headers.get(), header.c_str());
    if (longer == nullptr) return Status::resource_exhausted("out of memory");
    static_cast<void>(fresh->headers.release());
    fresh->headers.reset(longer);
  }
  CURL* c = fresh->easy.get();
  curl_easy_setopt(c, CURLOPT_URL, endpoint_.url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, fresh->headers.get());
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(c, CURLOPT_USERAGENT, "plumb");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_PROXY, "");  // nor one from the environment
  curl_easy_setopt(c, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_.count()));
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, fresh.get());
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, fresh.get());
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, fresh.get());
  if (endpoint_.loopback_only) curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, &open_local_socket);
  transfer_ = std::move(fresh);
  return Status::ok();
}

Result<MetricsPage> MetricsClient::get() {
  if (!transfer_) PLUMB_RETURN_IF_ERROR(prepare());
  Transfer& transfer = *transfer_;
  transfer.body.clear();
  transfer.page = {};
  transfer.header_bytes = 0;
  transfer.too_large = false;
  const CURLcode code = curl_easy_perform(transfer.easy.get());
  if (code != CURLE_OK) return transfer.status_of(code, timeout_);
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &transfer.page.status);
  transfer.page.body = &transfer.body;
  return transfer.page;
}

}  // namespace plumb::prom_scrape
