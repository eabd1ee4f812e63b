// The description of the HTTP API: docs/openapi.json, as of when plumb was built.
#ifndef PLUMB_CORE_SERVE_OPENAPI_H_
#define PLUMB_CORE_SERVE_OPENAPI_H_

#include <string_view>

namespace plumb::serve {

std::string_view openapi_document();

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_OPENAPI_H_
