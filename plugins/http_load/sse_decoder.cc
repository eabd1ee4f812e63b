#include "plugins/http_load/sse_decoder.h"

#include <charconv>
#include <utility>

namespace plumb::http_load {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

void SseDecoder::reset() { *this = SseDecoder(most_bytes_); }

bool SseDecoder::feed(std::string_view bytes, SseHandler& handler) {
  while (!bytes.empty() && !lost_) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const size_t end = bytes.find_first_of("\r\n");
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() + data_.size() > most_bytes_) {
      reset();
      lost_ = true;
      break;
    }
    if (end == std::string_view::npos) {
      line_.append(part);
      break;
    }
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      take(part, handler);
    } else {
      line_.append(part);
      take(line_, handler);
      line_.clear();
    }
  }
  return !lost_;
}

void SseDecoder::take(std::string_view line, SseHandler& handler) {
  if (first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  first_line_ = false;
  if (line.empty()) return dispatch(handler);
  const size_t colon = line.find(':');
  if (colon == 0) return;  // a comment
  std::string_view value;
  if (colon != std::string_view::npos) value = line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  take_field(line.substr(0, colon), value);
}

void SseDecoder::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_.append(value).push_back('\n');
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_ = value;
  } else if (name == "retry") {
    uint64_t ms = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), ms);
    if (!value.empty() && error == std::errc() && end == value.data() + value.size())
      retry_ms_ = ms;
  }
}

// An event without data is none, whatever else it has.
void SseDecoder::dispatch(SseHandler& handler) {
  if (!data_.empty()) {
    const std::string_view data = std::string_view(data_).substr(0, data_.size() - 1);
    handler.on_event({type_.empty() ? "message" : std::string_view(type_), data, id_});
  }
  data_.clear();
  type_.clear();
}

}  // namespace plumb::http_load
