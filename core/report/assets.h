// The page's style sheet and script, compiled in from assets/, with the hashes that let them past
// its content security policy.
#ifndef PLUMB_CORE_REPORT_ASSETS_H_
#define PLUMB_CORE_REPORT_ASSETS_H_

#include <string_view>

namespace plumb::report {

extern const std::string_view kStyleSheet;
extern const std::string_view kScript;
// "sha256-<base64>", as a policy names them.
extern const std::string_view kStyleSheetHash;
extern const std::string_view kScriptHash;

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_ASSETS_H_
