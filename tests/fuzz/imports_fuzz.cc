// Any bytes as any tool's output, read as each format that there is and as the one recognised:
// no crash, no request with an impossible time, and nothing but facts that are finite.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/imports/import.h"
#include "core/imports/metric_table.h"
#include "core/imports/shift.h"

namespace {

using namespace plumb::imports;

class Memory final : public ByteSource {
 public:
  explicit Memory(std::string_view text) : text_(text) {}
  plumb::Result<size_t> read(std::span<char> into) override {
    const size_t n = std::min(into.size(), text_.size());
    std::memcpy(into.data(), text_.data(), n);
    text_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view text_;
};

class Checked final : public Sink {
 public:
  void on_request(const Request& request) override {
    if (request.response_ns < 0 || request.end_ns < 0 || request.status < 0 ||
        request.endpoint.empty() || request.endpoint.size() > 200)
      __builtin_trap();
    for (const int64_t phase : request.phases)
      if (phase < kUnknown) __builtin_trap();
  }
  void on_gauge(std::string_view, std::string_view, int64_t, double value) override {
    if (!std::isfinite(value)) __builtin_trap();
  }
  void on_fact(const ToldFact& fact) override {
    if (!std::isfinite(fact.value) || fact.value < 0) __builtin_trap();
  }
  void on_span(int64_t start_ns, int64_t end_ns) override {
    if (end_ns < start_ns) __builtin_trap();
  }
  void on_note(const std::string&, bool) override {}
  void on_target(std::string_view) override {}
};

void read_as(const std::string& format, std::string_view text) {
  ImportOptions options;
  options.format = format;
  options.lenient = !text.empty() && (text.size() & 1) != 0;
  Checked sink;
  (void)read_into(
      std::make_unique<Memory>(text), "fuzz", options, [&](const Format&) -> Sink& { return sink; },
      [] { return plumb::Status::ok(); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t choice = data[0] % (formats().size() + 2);
  if (choice < formats().size()) {
    read_as(std::string(formats()[choice].name), text);
  } else if (choice == formats().size()) {
    read_as("", text);
  } else if (const auto table = read_metric_table(std::make_unique<Memory>(text), "fuzz", 1000);
             table.is_ok()) {
    const auto normal = parse_span("0..10", *table);
    const auto abnormal = parse_span("11..20", *table);
    if (normal.is_ok() && abnormal.is_ok()) (void)rank_shifts(*table, *normal, *abnormal);
  }
  return 0;
}
