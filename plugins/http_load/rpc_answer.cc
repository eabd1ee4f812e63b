#include "plugins/http_load/rpc_answer.h"

#include <strings.h>

#include <algorithm>
#include <utility>

namespace plumb::http_load {
namespace {

constexpr size_t kLongestSessionId = 1'024;

bool is_named(std::string_view name, std::string_view wanted) {
  return name.size() == wanted.size() && strncasecmp(name.data(), wanted.data(), name.size()) == 0;
}

bool begins_with(std::string_view text, std::string_view wanted) {
  return text.size() >= wanted.size() && is_named(text.substr(0, wanted.size()), wanted);
}

// Visible ASCII, as MCP demands: it goes back as a header.
bool is_session_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestSessionId &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

}  // namespace

void RpcAnswer::expect(uint64_t id, bool cuts_streams) {
  id_ = id;
  cuts_streams_ = cuts_streams;
  on_answer(0);
}

void RpcAnswer::on_answer(int) {
  is_stream_ = is_too_large_ = false;
  first_event_ns_ = answered_ns_ = 0;
  session_id_.clear();
  body_.clear();
  events_.reset();
  streamed_.reset();
}

void RpcAnswer::on_header(std::string_view name, std::string_view value) {
  if (is_named(name, "content-type")) is_stream_ = begins_with(value, "text/event-stream");
  if (is_named(name, "mcp-session-id") && is_session_id(value)) session_id_ = value;
}

bool RpcAnswer::on_body(std::string_view bytes, int64_t now_ns) {
  now_ns_ = now_ns;
  if (is_stream_) {
    // The end of the answer's own last line may come apart from it.
    if (streamed_) return bytes.find_first_not_of("\r\n") == std::string_view::npos;
    is_too_large_ = !events_.feed(bytes, *this);
    return !is_too_large_ && !(streamed_ && cuts_streams_);
  }
  is_too_large_ = body_.size() + bytes.size() > kMostBytes;
  if (!is_too_large_) body_.append(bytes);
  return !is_too_large_;
}

void RpcAnswer::on_event(const SseEvent& event) {
  // An event without a message only says where a stream can be taken up again.
  if (event.data.empty() || streamed_) return;
  if (first_event_ns_ == 0) first_event_ns_ = now_ns_;
  streamed_ = read_rpc_message(event.data, id_);
  if (streamed_) answered_ns_ = now_ns_;
}

RpcReply RpcAnswer::take_reply() {
  if (streamed_) return *std::exchange(streamed_, std::nullopt);
  if (is_too_large_)
    return {.error = ErrorClass::kProtocol,
            .detail = "the answer, or an event of it, is larger than 4 MiB"};
  if (is_stream_)
    return {.error = ErrorClass::kProtocol,
            .detail = "the stream of events ended without the answer"};
  return read_rpc_reply(body_, id_);
}

RpcReply settle(RpcAnswer& answer, const Request& request, Completion& completion,
                std::string& detail) {
  if (completion.error != ErrorClass::kNone) return {.error = completion.error};
  RpcReply reply = answer.take_reply();
  if (reply.ok()) return reply;
  const bool says_why = reply.error == ErrorClass::kRpc;
  if (!request.succeeds_with(completion.status) && !says_why) return reply;
  completion.error = reply.error;
  detail = reply.detail;
  completion.detail = detail;
  return reply;
}

}  // namespace plumb::http_load
