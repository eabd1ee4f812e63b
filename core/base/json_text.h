// JSON as text, whatever its strings hold.
#ifndef PLUMB_CORE_BASE_JSON_TEXT_H_
#define PLUMB_CORE_BASE_JSON_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>

namespace plumb {

// The document on one line, or indented by `indent` blanks. Text from plugins and targets may hold
// anything, so bytes that are not UTF-8 are replaced instead of being an error, and what a terminal
// would obey (control characters, marks that turn the direction of writing) is written as \uXXXX.
std::string json_text(const nlohmann::json& value, int indent = -1);

}  // namespace plumb

#endif  // PLUMB_CORE_BASE_JSON_TEXT_H_
