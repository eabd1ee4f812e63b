// A request of the plan as libcurl takes it, made once and applied to any easy handle.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_CURL_REQUEST_H_
#define PLUMB_PLUGINS_HTTP_LOAD_CURL_REQUEST_H_

#include <curl/curl.h>

#include <memory>
#include <plumb/status.hpp>
#include <string>

#include "plugins/http_load/load_plan.h"

namespace plumb::http_load {

class CurlRequest {
 public:
  // `message` outlives what is made.
  static Result<std::unique_ptr<CurlRequest>> make(const LoadPlan& plan, const Message& message);
  ~CurlRequest() { curl_slist_free_all(headers_); }
  CurlRequest(const CurlRequest&) = delete;
  CurlRequest& operator=(const CurlRequest&) = delete;

  // Makes `easy` carry this request. `first_header` is the handle's own header, which stays with
  // its owner; this request's headers are chained behind it.
  void apply(CURL* easy, curl_slist& first_header) const;

 private:
  explicit CurlRequest(const Message& message) : message_(message) {}
  Status add_header(const std::string& line);

  const Message& message_;
  std::string url_;
  bool has_body_ = false;
  curl_slist* headers_ = nullptr;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_CURL_REQUEST_H_
