// What goes wrong, as application/problem+json (RFC 9457).
#ifndef PLUMB_CORE_SERVE_PROBLEM_H_
#define PLUMB_CORE_SERVE_PROBLEM_H_

#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/serve/http_message.h"

namespace plumb::serve {

struct Problem {
  int status = 500;
  // Stable and kebab-case: scripts branch on it. Sent as urn:plumb:problem:<kind>.
  std::string kind;
  std::string title;                                // the same for every problem of the kind
  std::string detail;                               // what was wrong here, and what to do
  nlohmann::json extra = nlohmann::json::object();  // further members
  std::vector<std::pair<std::string, std::string>> headers = {};
};

Response to_response(const Problem& problem);

// JSON for people and programs: indented, ends in a line feed, broken UTF-8 replaced.
Response json_response(int status, const nlohmann::json& body);

// The problem that an expected failure of the core is: NOT_FOUND 404, INVALID_ARGUMENT 422, ...
Problem problem_of(const Status& status);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_PROBLEM_H_
