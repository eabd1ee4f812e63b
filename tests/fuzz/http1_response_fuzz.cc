// Any bytes as HTTP/1.1 answers, cut into pieces at places that the input chooses: no crash, no
// unbounded memory, and an answer that is complete stays so.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/http_load/http1_response.h"

namespace {

// Counts what it is given, and has enough after so many bytes.
class CountingSink final : public plumb::http_load::AnswerSink {
 public:
  explicit CountingSink(size_t enough) : enough_(enough) {}
  void on_answer(int status) override {
    if (status < 100 && status != 0) __builtin_trap();
    answered_ = true;
  }
  void on_header(std::string_view name, std::string_view value) override {
    if (!answered_ || name.size() + value.size() > 100'000) __builtin_trap();
  }
  bool on_body(std::string_view bytes, int64_t) override {
    if (!answered_ || ended_) __builtin_trap();
    seen_ += bytes.size();
    ended_ = seen_ > enough_;
    return !ended_;
  }

 private:
  const size_t enough_;
  size_t seen_ = 0;
  bool answered_ = false;
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using plumb::http_load::Http1Response;
  if (size < 2) return 0;
  const size_t step = data[0] + 1u;
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  Http1Response response;
  CountingSink sink(data[1] >> 2);
  response.begin((data[1] & 1) != 0, (data[1] & 2) != 0 ? &sink : nullptr);
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
