// Takes secrets out of text that is about to leave the process (logs, errors, run files).
#ifndef PLUMB_CORE_BASE_REDACT_H_
#define PLUMB_CORE_BASE_REDACT_H_

#include <span>
#include <string>

namespace plumb {

// `text` with every occurrence of a secret, and of its form inside a JSON string, replaced by
// "***". Longer secrets go first, so that one inside another leaves nothing behind; secrets of
// fewer than four characters are left alone, since they would shred any sentence.
std::string redact(std::string text, std::span<const std::string> secrets);

}  // namespace plumb

#endif  // PLUMB_CORE_BASE_REDACT_H_
