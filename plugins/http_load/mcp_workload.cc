#include "plugins/http_load/mcp_workload.h"

#include <utility>

#include "plugins/http_load/json_rpc.h"
#include "plugins/http_load/mcp_message.h"
#include "plugins/http_load/random.h"
#include "plugins/http_load/rpc_workload.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using Kind = RpcCall::Kind;

// What a tool says of its failure: the first text of its content.
std::string text_of_failure(const json& result) {
  const auto content = result.find("content");
  if (content != result.end() && content->is_array())
    for (const json& part : *content)
      if (part.is_object() && part.contains("text") && part["text"].is_string())
        return "the tool says: " + one_line(part["text"].get_ref<const std::string&>());
  return "the tool says that it failed";
}

bool says_failed(const json& result) {
  const auto at = result.find("isError");
  return at != result.end() && *at == true;
}

// Empty where the result is the whole of it, as always before revision 2026-07-28.
std::string incompleteness_of(const json& result) {
  const auto type = result.find("resultType");
  if (type == result.end() || *type == "complete") return {};
  return "the result is not complete: resultType is " +
         (type->is_string() ? one_line(type->get_ref<const std::string&>(), 60) : "no text");
}

bool is_greeting(const RpcCall& call) {
  return call.kind == Kind::kInitialize || call.kind == Kind::kInitialized;
}

std::vector<uint32_t> operations_of(const LoadPlan& plan) {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < plan.rpc.calls.size(); ++i)
    if (!is_greeting(plan.rpc.calls[i])) out.push_back(static_cast<uint32_t>(i));
  return out;
}

std::vector<double> weights_at(const std::vector<uint32_t>& endpoints, const LoadPlan& plan) {
  std::vector<double> out;
  out.reserve(endpoints.size());
  for (const uint32_t endpoint : endpoints) out.push_back(plan.requests[endpoint].weight);
  return out;
}

// The endpoint of the one call of a kind; 0 where nobody greets.
uint32_t endpoint_with(Kind kind, const LoadPlan& plan) {
  for (size_t i = 0; i < plan.rpc.calls.size(); ++i)
    if (plan.rpc.calls[i].kind == kind) return static_cast<uint32_t>(i);
  return 0;
}

}  // namespace

McpWorkload::McpWorkload(const LoadPlan& plan, uint32_t worker)
    : plan_(plan),
      operations_(operations_of(plan)),
      mix_(weights_at(operations_, plan)),
      initialize_(endpoint_with(Kind::kInitialize, plan)),
      initialized_(endpoint_with(Kind::kInitialized, plan)),
      cuts_streams_(plan.rpc.dialect.cuts_streams),
      next_id_(first_rpc_id(worker)) {}

Step McpWorkload::begin(uint32_t user, bool, uint64_t draw) {
  while (users_.size() <= user) {
    users_.push_back(std::make_unique<User>());
    if (!plan_.rpc.dialect.initializes) users_.back()->stage = Stage::kOperation;
  }
  users_[user]->draw = draw;
  return next(user);
}

uint32_t McpWorkload::endpoint_of_stage(const User& user) const {
  if (user.stage == Stage::kInitialize) return initialize_;
  if (user.stage == Stage::kInitialized) return initialized_;
  return operations_[mix_.pick(user.draw)];
}

Step McpWorkload::next(uint32_t user) {
  User& u = *users_[user];
  const uint32_t endpoint = endpoint_of_stage(u);
  const uint64_t id = next_id_++;
  // The arguments' bits are others than those that chose the operation.
  const uint64_t draw = Random(u.draw).next();
  u.message = mcp_message(plan_.rpc.dialect, plan_.rpc.calls[endpoint], plan_.requests[endpoint],
                          id, u.session_id, draw);
  u.answer.expect(id, cuts_streams_);
  return {endpoint, &u.message, &u.answer};
}

void McpWorkload::fail(Completion& completion, ErrorClass error, std::string detail) {
  detail_ = std::move(detail);
  completion.error = error;
  completion.detail = detail_;
}

void McpWorkload::judge(User& user, Completion& completion) {
  // A notification has no answer; of one that is there only a refusal counts.
  if (user.stage == Stage::kInitialized) {
    if (completion.error != ErrorClass::kNone || user.answer.is_empty()) return;
    RpcReply reply = user.answer.take_reply();
    if (reply.error == ErrorClass::kRpc) fail(completion, reply.error, std::move(reply.detail));
    return;
  }
  const RpcReply reply =
      settle(user.answer, plan_.requests[completion.endpoint], completion, detail_);
  if (completion.error != ErrorClass::kNone || !reply.result.is_object()) return;
  if (says_failed(reply.result))
    return fail(completion, ErrorClass::kTool, text_of_failure(reply.result));
  if (std::string what = incompleteness_of(reply.result); !what.empty())
    fail(completion, ErrorClass::kTool, std::move(what));
}

Next McpWorkload::completed(Completion& completion) {
  User& u = *users_[completion.user];
  completion.first_event_ns = u.answer.first_event_ns();
  // A stream's head and what comes before the answer are sent while the server is still at work.
  if (u.answer.answered_ns() != 0) completion.times.first_byte_ns = u.answer.answered_ns();
  // A server that was seen to end its streams at the start does not always: never wait again.
  if (completion.error != ErrorClass::kNone && u.answer.has_streamed_reply()) cuts_streams_ = true;
  const std::string session_id = u.answer.session_id();
  judge(u, completion);
  const bool ok = completion.error == ErrorClass::kNone &&
                  plan_.requests[completion.endpoint].succeeds_with(completion.status);
  if (u.stage == Stage::kOperation) {
    if (completion.status == 404 && !u.session_id.empty()) {
      u.session_id.clear();
      u.stage = Stage::kInitialize;
    }
    return {};
  }
  if (!ok) {
    u.session_id.clear();
    u.stage = Stage::kInitialize;
    return {};
  }
  if (u.stage == Stage::kInitialize) u.session_id = session_id;
  u.stage = u.stage == Stage::kInitialize ? Stage::kInitialized : Stage::kOperation;
  return {.what = Next::What::kStep};
}

}  // namespace plumb::http_load
