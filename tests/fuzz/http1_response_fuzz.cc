// Any bytes as HTTP/1.1 answers, cut into pieces at places that the input chooses: no crash, no
// unbounded memory, and an answer that is complete stays so.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/http_load/http1_response.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using plumb::http_load::Http1Response;
  if (size < 2) return 0;
  const size_t step = data[0] + 1u;
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  Http1Response response;
  response.begin((data[1] & 1) != 0);
  auto progress = Http1Response::Progress::kMore;
  while (!rest.empty() && progress == Http1Response::Progress::kMore) {
    progress = response.feed(rest.substr(0, step));
    rest.remove_prefix(rest.size() < step ? rest.size() : step);
  }
  if (progress == Http1Response::Progress::kMore) progress = response.close();
  if (progress == Http1Response::Progress::kMalformed && response.problem().empty())
    __builtin_trap();
  if (response.server_timing().size() > 4'096) __builtin_trap();
  return 0;
}
