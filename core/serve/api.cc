#include "core/serve/api.h"

#include <exception>

#include "core/base/nearest.h"
#include "core/serve/request_guard.h"

namespace plumb::serve {
namespace {

constexpr std::string_view kIdPart = "{id}";

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view part = path.substr(0, path.find('/'));
    parts.push_back(part);
    path.remove_prefix(part.size());
  }
  return parts;
}

// Whether the path has the pattern's form; what stands for {id} goes to `id`.
bool fits(std::string_view pattern, std::string_view path, std::string& id) {
  const auto wanted = parts_of(pattern);
  const auto given = parts_of(path);
  if (wanted.size() != given.size()) return false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != kIdPart && wanted[i] != given[i]) return false;
    if (wanted[i] == kIdPart && given[i].empty()) return false;
    if (wanted[i] == kIdPart) id = std::string(given[i]);
  }
  return true;
}

// The pattern with the path's own part in place of {id}, to be compared with it.
std::string filled_in(std::string_view pattern, std::string_view path) {
  const auto given = parts_of(path);
  std::string out;
  size_t i = 0;
  for (const std::string_view part : parts_of(pattern)) {
    const bool fill = part == kIdPart && i < given.size();
    out.append("/").append(fill ? given[i] : part);
    ++i;
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

const std::vector<Api::Route>& Api::table() {
  static const std::vector<Route> routes = {
      {"GET", "/health", &Api::health, false},
      {"GET", "/metrics", &Api::metrics, false},
      {"GET", "/openapi.json", &Api::openapi, false},
      {"GET", "/api/v1/plugins", &Api::list_plugins, false},
      {"POST", "/api/v1/plans/validate", &Api::validate_plan, true},
      {"GET", "/api/v1/runs", &Api::list_runs, true},
      {"POST", "/api/v1/runs", &Api::start_run, true},
      {"GET", "/api/v1/runs/{id}", &Api::get_run, true},
      {"DELETE", "/api/v1/runs/{id}", &Api::delete_run, true},
      {"POST", "/api/v1/runs/{id}/stop", &Api::stop_run, true},
      {"GET", "/api/v1/runs/{id}/events", &Api::run_events, true},
      {"GET", "/api/v1/runs/{id}/report", &Api::run_report, true},
  };
  return routes;
}

std::vector<std::pair<std::string, std::string>> Api::routes() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Route& route : table()) out.emplace_back(route.method, route.pattern);
  return out;
}

Api::Api(ApiOptions options, RunService& runs)
    : options_(std::move(options)), runs_(runs), files_(options_.run_dir), metrics_(runs) {}

Api::Match Api::match(const RequestHead& head) {
  Match match;
  const std::string_view method = head.method == "HEAD" ? "GET" : std::string_view(head.method);
  for (const Route& route : table()) {
    std::string id;
    if (!fits(route.pattern, head.path(), id)) continue;
    match.methods.emplace_back(route.method);
    if (route.method == "GET") match.methods.emplace_back("HEAD");
    if (route.method != method) continue;
    match.route = &route;
    match.id = std::move(id);
  }
  return match;
}

Problem Api::unknown_path(std::string_view path) {
  std::vector<std::string> known;
  for (const Route& route : table()) known.push_back(filled_in(route.pattern, path));
  const std::string word(path.substr(0, 200));
  return {404, "no-such-path", "Nothing is served at this path",
          "Nothing is served at this path." + did_you_mean(word, known) +
              " /openapi.json describes all there is."};
}

Admission Api::admit(const RequestHead& head) {
  Admission admission;
  const auto refused = [&](const Problem& problem) {
    admission.refusal = to_response(problem);
    return admission;
  };
  if (const auto problem = check_origin(head)) return refused(*problem);
  const Match found = match(head);
  const bool open = found.route && found.route->pattern == "/health";
  if (!options_.token.empty() && !open) {
    if (const auto problem = check_token(head, options_.token)) return refused(*problem);
  }
  if (found.methods.empty()) return refused(unknown_path(head.path()));
  if (!found.route) {
    Problem problem{405, "method", "The path does not take this method",
                    "This path takes " + joined(found.methods) + "."};
    problem.headers.emplace_back("Allow", joined(found.methods));
    return refused(problem);
  }
  admission.route = std::string(found.route->pattern);
  admission.blocking = found.route->blocking;
  if (head.method == "POST") {
    const std::string* length = head.header("content-length");
    const bool says_nothing = !head.header("content-type") && !head.header("transfer-encoding") &&
                              (!length || *length == "0");
    const bool needs_no_body = found.route->answer == &Api::stop_run;
    if (!(needs_no_body && says_nothing)) {
      if (const auto problem = check_content_type(head)) return refused(*problem);
    }
  }
  return admission;
}

Response Api::handle(const Request& request) {
  const Match found = match(request.head);
  if (!found.route) return to_response(unknown_path(request.head.path()));
  // What the modules below expect comes as a status; this is for a machine without memory.
  try {
    return (this->*found.route->answer)(Call{request, found.id});
  } catch (const std::exception& error) {
    return to_response({500, "internal", "plumbd failed", error.what()});
  }
}

Response Api::refuse(int status, const std::string& detail) {
  switch (status) {
    case 413:
      return to_response({413, "body-too-long", "The body is too long", detail});
    case 431:
      return to_response({431, "headers-too-long", "The headers are too long", detail});
    case 503: {
      Problem problem{503, "full", "plumbd has no room for more", detail};
      problem.headers.emplace_back("Retry-After", "2");
      return to_response(problem);
    }
    default:
      return to_response({status, "bad-request", "The request cannot be read", detail});
  }
}

void Api::answered(const std::string& route, int status, std::chrono::nanoseconds took) {
  metrics_.request_answered(route, status, took);
}

}  // namespace plumb::serve
