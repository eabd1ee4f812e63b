// Makes up a value that a JSON schema allows: arguments for a tool that nobody wrote arguments for.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_SCHEMA_INSTANCE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_SCHEMA_INSTANCE_H_

#include <cstdint>
#include <nlohmann/json.hpp>

namespace plumb::http_load {

// A small value: of objects the required properties only, of arrays as few items as are allowed.
// Follows const, default, enum, type, the bounds of numbers, strings and arrays, format, simple
// patterns, local $ref, allOf, and the first of anyOf and oneOf; other keywords are not looked at,
// so that a strict server may refuse what comes out. The same for the same schema and draw. The
// schema is untrusted: depth and size of the value are bounded.
nlohmann::json schema_instance(const nlohmann::json& schema, uint64_t draw);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_SCHEMA_INSTANCE_H_
