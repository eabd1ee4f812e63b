#include "plugins/http_load/mcp_conversation.h"

#include <algorithm>

#include "plugins/http_load/mcp_message.h"

namespace plumb::http_load {
namespace {

// How long a stream may take to end once the answer is there.
constexpr int64_t kStreamEndNs = 500'000'000;

// The plan with one request for everything, over one connection.
LoadPlan conversation_plan(const LoadPlan& plan) {
  LoadPlan out = plan;
  Request base;
  // What the plan's requests need to be let in, an API key say, the conversation needs as well.
  if (!plan.requests.empty()) base.headers = plan.requests[0].headers;
  if (plan.requests.empty())
    base.headers = {{"Content-Type", "application/json"},
                    {"Accept", "application/json, text/event-stream"}};
  base.method = "POST";
  base.path = plan.rpc.path;
  base.timeout_ns = plan.timeout_ns;
  out.requests = {base};
  out.model = Model::kClosed;
  out.connections = 1;
  return out;
}

}  // namespace

std::string McpAnswer::problem() const {
  if (status == 0) return reply.detail;
  const std::string answered = "HTTP " + std::to_string(status);
  return reply.detail.empty() ? answered : answered + ", " + reply.detail;
}

McpConversation::McpConversation(const LoadPlan& plan, const Clock& clock, const StopFlag& stop)
    : plan_(conversation_plan(plan)), clock_(clock), stop_(stop) {}

Result<std::unique_ptr<McpConversation>> McpConversation::open(const LoadPlan& plan,
                                                               const Clock& clock,
                                                               const StopFlag& stop) {
  std::unique_ptr<McpConversation> out(new McpConversation(plan, clock, stop));
  PLUMB_ASSIGN_OR_RETURN(out->transport_, Http1Transport::open(out->plan_, clock, stop));
  return out;
}

void McpConversation::on_completion(Completion& completion) {
  completed_ = true;
  status_ = completion.status;
  trouble_ = completion.error == ErrorClass::kNone ? "" : std::string(completion.detail);
}

bool McpConversation::exchange(const Message& message) {
  completed_ = false;
  status_ = 0;
  trouble_.clear();
  const int64_t begun_ns = clock_.now_ns();
  transport_->start({.intended_ns = begun_ns, .message = &message, .sink = &answer_});
  int64_t until_ns = begun_ns + 2 * plan_.timeout_ns;  // the transport's own timeout comes first
  bool has_reply = false;
  while (!completed_ && !stop_.requested() && clock_.now_ns() < until_ns) {
    transport_->poll(until_ns, *this);
    if (has_reply || !answer_.has_streamed_reply()) continue;
    has_reply = true;
    until_ns = std::min(until_ns, clock_.now_ns() + kStreamEndNs);
  }
  if (completed_) return true;
  transport_->abandon_all();
  return false;
}

McpAnswer McpConversation::ask(const McpDialect& dialect, const RpcCall& call) {
  const uint64_t id = next_id_++;
  answer_.expect(id, dialect.cuts_streams || leaves_streams_open_);
  const bool ended = exchange(mcp_message(dialect, call, plan_.requests[0], id, session_id_, 0));
  if (call.kind == RpcCall::Kind::kInitialize) session_id_ = answer_.session_id();
  McpAnswer out{.status = status_};
  if (!ended && answer_.has_streamed_reply()) {
    leaves_streams_open_ = true;
    out.status = 200;
  }
  if (out.status == 0) {
    out.reply.error = ErrorClass::kOther;
    out.reply.detail = trouble_.empty() ? "interrupted" : trouble_;
  } else if (call.kind != RpcCall::Kind::kInitialized) {
    out.reply = answer_.take_reply();
  }
  return out;
}

void McpConversation::end_session(const McpDialect& dialect) {
  if (session_id_.empty()) return;
  Message message = plan_.requests[0];
  message.method = "DELETE";
  message.headers.emplace_back("MCP-Protocol-Version", dialect.revision);
  message.headers.emplace_back("Mcp-Session-Id", session_id_);
  answer_.expect(0, true);
  exchange(message);
  session_id_.clear();
}

}  // namespace plumb::http_load
