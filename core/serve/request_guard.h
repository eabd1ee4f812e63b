// Who may ask at all. Loopback is no boundary: a web page that a browser on this machine has open
// can reach it too, directly or under a name of its own that resolves to 127.0.0.1.
#ifndef PLUMB_CORE_SERVE_REQUEST_GUARD_H_
#define PLUMB_CORE_SERVE_REQUEST_GUARD_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/serve/http_message.h"
#include "core/serve/problem.h"

namespace plumb::serve {

// Refuses, with a problem, whatever does not come from this machine and of its own will:
//   400  a target that is no path; several Host headers, or none
//   403  a Host that is not a loopback name or address with our port; an Origin other than ours;
//        Sec-Fetch-Site: cross-site, and same-site for all but GET and HEAD
std::optional<Problem> check_origin(const RequestHead& head);

// 401 unless the request carries `token` as a bearer. Takes the same time whatever was sent of the
// right length.
std::optional<Problem> check_token(const RequestHead& head, std::string_view token);

// 415 unless the content type is one of JSON's or YAML's.
std::optional<Problem> check_content_type(const RequestHead& head);

// What comes before the parameters of a Content-Type, in lower case; empty when there is none.
std::string media_type(const RequestHead& head);
bool is_yaml(std::string_view media_type);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_REQUEST_GUARD_H_
