#include "plugins/http_load/curl_request.h"

#include <strings.h>

namespace plumb::http_load {

Status CurlRequest::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_, line.c_str());
  if (longer == nullptr) return Status::resource_exhausted("out of memory");
  headers_ = longer;
  return Status::ok();
}

Result<std::unique_ptr<CurlRequest>> CurlRequest::make(const LoadPlan& plan,
                                                       const Message& message) {
  std::unique_ptr<CurlRequest> out(new CurlRequest(message));
  out->url_ = plan.url + message.path;
  const bool takes_body =
      message.method == "POST" || message.method == "PUT" || message.method == "PATCH";
  out->has_body_ = takes_body || !message.body.empty();
  // Large bodies would otherwise wait up to a second for "100 Continue".
  PLUMB_RETURN_IF_ERROR(out->add_header("Expect:"));
  bool authorized = false;
  bool typed = false;
  for (const auto& [name, value] : message.headers) {
    // libcurl drops a header with nothing after its colon; this is how it takes an empty one.
    PLUMB_RETURN_IF_ERROR(out->add_header(value.empty() ? name + ";" : name + ": " + value));
    authorized = authorized || strcasecmp(name.c_str(), "authorization") == 0;
    typed = typed || strcasecmp(name.c_str(), "content-type") == 0;
  }
  if (!plan.authorization.empty() && !authorized)
    PLUMB_RETURN_IF_ERROR(out->add_header("Authorization: " + plan.authorization));
  // The plan says what a body is; libcurl's guess (a form) must not.
  if (out->has_body_ && !typed) PLUMB_RETURN_IF_ERROR(out->add_header("Content-Type:"));
  return out;
}

void CurlRequest::apply(CURL* easy, curl_slist& first_header) const {
  first_header.next = headers_;
  curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, &first_header);
  curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  if (has_body_) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(message_.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, message_.body.data());
  } else if (message_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, message_.method.c_str());
}

}  // namespace plumb::http_load
