// Any bytes as what scenarios read: cookies and redirects of a target, rows of a file, templates of
// a plan. No crash, bounded memory, and nothing that breaks out of a request's lines.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/http_load/cookie_jar.h"
#include "plugins/http_load/feeder_table.h"
#include "plugins/http_load/redirect.h"
#include "plugins/http_load/template.h"

namespace {

using namespace plumb::http_load;

void expect_one_line(std::string_view text) {
  if (text.find_first_of("\r\n") != std::string_view::npos) __builtin_trap();
}

void fuzz_cookies(const std::string& text) {
  const CookieSite site{"example.org", false};
  CookieJar jar;
  for (int i = 0; i < 3; ++i) jar.store(text, "/a/b?c", site, 1'767'225'600'000);
  std::string out;
  jar.write("/a/b", site, 1'767'225'600'000, out);
  expect_one_line(out);
  if (out.size() > CookieJar::kLargestCookie) __builtin_trap();
}

void fuzz_redirect(const std::string& text) {
  const auto path = resolve_location("http://127.0.0.1:8080", "/a/b", text);
  if (!path.is_ok()) return;
  expect_one_line(*path);
  if (!path->starts_with('/') || path->find(' ') != std::string::npos) __builtin_trap();
}

void fuzz_template(const std::string& text, TemplatePlace place) {
  TemplateNames names;
  names.add("token");
  const auto compiled = Template::compile(text, place, names);
  if (!compiled.is_ok()) return;
  Random random(1);
  const std::string values[] = {"a\r\nb"};
  std::string out;
  compiled->render({values, 1, 2, random, system_wall_ms}, out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      fuzz_cookies(text);
      break;
    case 1:
      fuzz_redirect(text);
      break;
    case 2:
      (void)parse_csv(text, "x.csv").is_ok();
      break;
    case 3:
      (void)parse_json_lines(text, "x.jsonl").is_ok();
      break;
    default:
      fuzz_template(text, static_cast<TemplatePlace>(data[0] % 4));
  }
  return 0;
}
