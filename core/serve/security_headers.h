// What every answer says to a browser that got hold of it.
#ifndef PLUMB_CORE_SERVE_SECURITY_HEADERS_H_
#define PLUMB_CORE_SERVE_SECURITY_HEADERS_H_

#include "core/serve/http_message.h"

namespace plumb::serve {

// Adds nosniff, no framing, no referrer, no caching, and a content policy that lets nothing load.
// A header that the response has already is left as it is. An HTML page brings its own content
// policy inside; for it the header only forbids framing, which a page cannot do itself.
void add_security_headers(Response& response);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_SECURITY_HEADERS_H_
