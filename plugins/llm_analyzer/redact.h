// Makes text that plumb did not write (SQL, URLs, labels) fit for a prompt: literals become "?",
// secrets go, and prose that a stranger may have planted there is not passed on. Pure functions.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_REDACT_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_REDACT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace plumb::llm_analyzer {

// Removes what looks like a credential: bearer tokens, key=value secrets, well-known key prefixes,
// JSON web tokens, private key blocks, passwords in URLs, long random strings, mail addresses.
// Everything else stays. Control characters become spaces.
std::string remove_secrets(std::string_view text);

// The shape of an untrusted text, at most `limit` bytes: SQL with every literal and comment gone, a
// URL without query values and numbers, an identifier as it is; prose becomes "[N words]".
std::string to_template(std::string_view text, size_t limit);

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_REDACT_H_
