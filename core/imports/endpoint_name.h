// What a request is called in reports.
#ifndef PLUMB_CORE_IMPORTS_ENDPOINT_NAME_H_
#define PLUMB_CORE_IMPORTS_ENDPOINT_NAME_H_

#include <string>
#include <string_view>

namespace plumb::imports {

// "GET /orders/:id": the path of a URL without its query, with numbers, UUIDs and long hexadecimal
// words as :id, so that requests for the same thing have the same name and no secret of a query is
// kept. Cut off at 120 bytes.
std::string endpoint_of_url(std::string_view method, std::string_view url);
// A name that someone gave; one that is a URL is treated as such.
std::string endpoint_of_name(std::string_view method, std::string_view name);
// scheme://host[:port], or empty.
std::string origin_of_url(std::string_view url);

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_ENDPOINT_NAME_H_
