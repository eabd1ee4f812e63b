#include "core/serve/problem.h"

#include "core/base/json_text.h"

namespace plumb::serve {
namespace {

std::string text_of(const nlohmann::json& body) { return json_text(body, 2) + "\n"; }

}  // namespace

Response to_response(const Problem& problem) {
  nlohmann::json body = problem.extra;
  body["type"] = "urn:plumb:problem:" + problem.kind;
  body["title"] = problem.title;
  body["status"] = problem.status;
  body["detail"] = problem.detail;
  Response response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.body = text_of(body);
  response.headers = problem.headers;
  return response;
}

Response json_response(int status, const nlohmann::json& body) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = text_of(body);
  return response;
}

Problem problem_of(const Status& status) {
  switch (status.code()) {
    case PLUMB_NOT_FOUND:
      return {404, "not-found", "There is no such thing", status.message()};
    case PLUMB_INVALID_ARGUMENT:
      return {422, "invalid", "That cannot be done", status.message()};
    case PLUMB_PERMISSION_DENIED:
      return {403, "forbidden", "That is not allowed", status.message()};
    case PLUMB_RESOURCE_EXHAUSTED:
      return {409, "busy", "Something else is under way", status.message()};
    case PLUMB_UNAVAILABLE:
      return {503, "unavailable", "That cannot be done now", status.message()};
    default:
      return {500, "internal", "plumbd failed", status.message()};
  }
}

}  // namespace plumb::serve
