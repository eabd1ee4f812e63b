// Test support: text that tries to leave the place it is put into.
#ifndef PLUMB_CORE_REPORT_TESTDATA_HOSTILE_TEXT_H_
#define PLUMB_CORE_REPORT_TESTDATA_HOSTILE_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>

namespace plumb::testing {

inline const std::string kHostile =
    "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)><!--|`**_[a](http://b)\n"
    "# @everyone \x1b[31m\x07\xff\xc0\xaf\xe2\x80\xae=1+1";

// `document` with `text` behind every string in it, keys aside.
inline nlohmann::json with_every_text(const nlohmann::json& document, const std::string& text) {
  if (document.is_string()) return document.get<std::string>() + text;
  nlohmann::json out = document;
  if (document.is_structured())
    for (auto& item : out) item = with_every_text(item, text);
  return out;
}

}  // namespace plumb::testing

#endif  // PLUMB_CORE_REPORT_TESTDATA_HOSTILE_TEXT_H_
