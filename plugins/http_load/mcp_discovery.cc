#include "plugins/http_load/mcp_discovery.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugins/http_load/json_rpc.h"
#include "plugins/http_load/mcp_conversation.h"
#include "plugins/http_load/mcp_message.h"
#include "plugins/http_load/nearest_name.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using Kind = RpcCall::Kind;

constexpr int kMostPages = 50;
constexpr size_t kMostOffered = 2'000;
constexpr size_t kLongestName = 200;
constexpr size_t kLargestSchema = 256 * 1024;
constexpr int64_t kMethodNotFound = -32601;
constexpr int64_t kUnsupportedRevision = -32022;
// The default mix: the first three tools by name, and the list of them.
constexpr double kToolWeights[] = {40, 30, 20};
constexpr double kListWeight = 10;
constexpr double kWeightOfAllTools = 90;

RpcCall call_of(Kind kind, std::string method, std::string subject = {}) {
  RpcCall call;
  call.kind = kind;
  call.method = std::move(method);
  call.subject = std::move(subject);
  return call;
}

// What a server offers of one kind, by name; of a tool its input schema.
struct Offers {
  bool known = false;  // the server has answered
  std::map<std::string, json> by_name;
};

bool is_known_revision(const std::string& revision) {
  return revision == kSessionRevision || revision == "2025-06-18" || revision == "2025-03-26";
}

class Discovery {
 public:
  Discovery(LoadPlan& plan, McpConversation& server) : plan_(plan), server_(server) {}

  Status run() {
    PLUMB_RETURN_IF_ERROR(agree());
    PLUMB_RETURN_IF_ERROR(plan_.requests.empty() ? choose() : check());
    dialect().cuts_streams = server_.leaves_streams_open();
    if (dialect().initializes) {
      add_endpoint(call_of(Kind::kInitialize, "initialize"), 1);
      add_endpoint(call_of(Kind::kInitialized, "notifications/initialized"), 1);
    }
    server_.end_session(dialect());
    return Status::ok();
  }

 private:
  McpDialect& dialect() { return plan_.rpc.dialect; }
  std::string address() const { return plan_.url + plan_.rpc.path; }

  Status refused(const std::string& doing, const McpAnswer& answer) const {
    if (answer.status == 0)
      return Status::unavailable("the MCP server at " + address() +
                                 " does not answer: " + answer.problem());
    return Status::unavailable("the MCP server at " + address() + " answers " + doing + " with " +
                               answer.problem());
  }

  // ---- how to speak with it

  Status agree() {
    if (plan_.rpc.session == McpSession::kStateless) return agree_without_session();
    const McpAnswer answer = server_.ask(dialect(), call_of(Kind::kInitialize, "initialize"));
    if (answer.ok()) return begin_session(answer.reply.result);
    const bool too_new =
        answer.status >= 400 && answer.status < 500 &&
        (answer.reply.code == kMethodNotFound || answer.reply.code == kUnsupportedRevision);
    if (too_new && plan_.rpc.session == McpSession::kAuto) return agree_without_session();
    return refused("initialize", answer);
  }

  Status begin_session(const json& result) {
    const std::string revision = result.is_object() ? result.value("protocolVersion", "") : "";
    if (!is_known_revision(revision))
      return Status::unavailable("the MCP server at " + address() + " speaks revision '" +
                                 one_line(revision, 40) + "', which is none that plumb knows");
    dialect().revision = revision;
    if (plan_.rpc.session == McpSession::kAlways && server_.session_id().empty())
      return Status::unavailable("load.mcp.session is always, and the MCP server at " + address() +
                                 " gives no session: set it to auto");
    const McpAnswer answer =
        server_.ask(dialect(), call_of(Kind::kInitialized, "notifications/initialized"));
    return answer.ok() ? Status::ok() : refused("notifications/initialized", answer);
  }

  // By the revision that has no sessions; where the server does not know it, by an older one
  // without its handshake, as servers without state allow.
  Status agree_without_session() {
    dialect().initializes = false;
    dialect().is_self_contained = true;
    dialect().revision = kStatelessRevision;
    const RpcCall probe = call_of(Kind::kList, "tools/list");
    const McpAnswer first = server_.ask(dialect(), probe);
    if (first.ok() || first.reply.code == kMethodNotFound) return Status::ok();
    if (first.status != 400) return refused("tools/list", first);
    dialect().is_self_contained = false;
    dialect().revision = kSessionRevision;
    const McpAnswer second = server_.ask(dialect(), probe);
    if (second.ok() || second.reply.code == kMethodNotFound) return Status::ok();
    return refused("tools/list without a session", first);
  }

  // ---- what it offers

  // All pages of a list. A server that has no such list offers nothing.
  Status list(const std::string& what, Offers& out) {
    if (out.known) return Status::ok();
    RpcCall call = call_of(Kind::kList, what + "/list");
    for (int page = 0; page < kMostPages; ++page) {
      McpAnswer answer = server_.ask(dialect(), call);
      if (answer.reply.code == kMethodNotFound) break;
      if (!answer.ok()) return refused(call.method, answer);
      json& result = answer.reply.result;
      if (!result.is_object() || !result.contains(what) || !result[what].is_array())
        return Status::unavailable("the MCP server at " + address() + " answers " + call.method +
                                   " without a list of " + what);
      for (json& offer : result[what]) add_offer(std::move(offer), out);
      const auto cursor = result.find("nextCursor");
      if (cursor == result.end() || !cursor->is_string() || cursor->empty()) break;
      call.cursor = cursor->get<std::string>();
    }
    out.known = true;
    return Status::ok();
  }

  static void add_offer(json offer, Offers& out) {
    if (!offer.is_object() || out.by_name.size() >= kMostOffered) return;
    const auto name = offer.find("name");
    if (name == offer.end() || !name->is_string()) return;
    std::string key = *name;
    if (key.empty() || key.size() > kLongestName || one_line(key) != key) return;
    const auto schema = offer.find("inputSchema");
    const auto arguments = offer.find("arguments");
    json kept = json::object();
    if (schema != offer.end()) kept = std::move(*schema);
    if (schema == offer.end() && arguments != offer.end()) kept = schema_of_prompt(*arguments);
    if (kept.dump(-1, ' ', false, json::error_handler_t::replace).size() > kLargestSchema)
      kept = json::object();
    out.by_name.emplace(std::move(key), std::move(kept));
  }

  // A prompt's arguments are texts.
  static json schema_of_prompt(const json& arguments) {
    json required = json::array();
    if (arguments.is_array())
      for (const json& argument : arguments)
        if (argument.is_object() && argument.contains("name") && argument["name"].is_string() &&
            argument.value("required", json(false)) == true)
          required.push_back(argument["name"]);
    return {{"type", "object"}, {"required", std::move(required)}};
  }

  static std::vector<std::string> names_of(const Offers& offers) {
    constexpr size_t kMostNamed = 50;
    std::vector<std::string> out;
    for (const auto& [name, schema] : offers.by_name)
      if (out.size() < kMostNamed) out.push_back(name);
    return out;
  }

  // ---- what is asked of it

  Status check() {
    for (size_t i = 0; i < plan_.rpc.calls.size(); ++i)
      PLUMB_RETURN_IF_ERROR(settle(plan_.rpc.calls[i], "load.requests[" + std::to_string(i) + "]"));
    return Status::ok();
  }

  Status settle(RpcCall& call, const std::string& where) {
    if (call.kind == Kind::kTool) {
      PLUMB_RETURN_IF_ERROR(list("tools", tools_));
      return settle_offer(call, tools_, where + ".tool", "tool");
    }
    if (call.kind == Kind::kPrompt) {
      PLUMB_RETURN_IF_ERROR(list("prompts", prompts_));
      return settle_offer(call, prompts_, where + ".prompt", "prompt");
    }
    return Status::ok();
  }

  Status settle_offer(RpcCall& call, const Offers& offers, const std::string& key,
                      const std::string& kind) {
    const auto found = offers.by_name.find(call.subject);
    if (found == offers.by_name.end())
      return Status::invalid_argument(key + ": the MCP server at " + address() + " has no " + kind +
                                      " '" + call.subject + "'." +
                                      name_hint(call.subject, names_of(offers)));
    call.schema = found->second;
    if (call.kind != Kind::kTool || !dialect().is_self_contained) return Status::ok();
    auto arguments = header_arguments_of(call.schema);
    if (!arguments)
      return Status::invalid_argument(key + ": the tool '" + call.subject +
                                      "' has an x-mcp-header that MCP does not allow");
    call.header_arguments = std::move(*arguments);
    return Status::ok();
  }

  Status choose() {
    PLUMB_RETURN_IF_ERROR(list("tools", tools_));
    std::vector<std::string> names = plan_.rpc.tools;
    for (const auto& [name, schema] : tools_.by_name)
      if (plan_.rpc.tools.empty() && names.size() < std::size(kToolWeights) && can_call(schema))
        names.push_back(name);
    for (size_t i = 0; i < names.size(); ++i) {
      RpcCall call = call_of(Kind::kTool, "tools/call", names[i]);
      PLUMB_RETURN_IF_ERROR(settle_offer(call, tools_, "load.mcp.tools", "tool"));
      const bool is_many = names.size() > std::size(kToolWeights);
      add_endpoint(std::move(call), is_many ? kWeightOfAllTools / static_cast<double>(names.size())
                                            : kToolWeights[i]);
    }
    add_endpoint(call_of(Kind::kList, "tools/list"), kListWeight);
    return Status::ok();
  }

  bool can_call(const json& schema) {
    return !dialect().is_self_contained || header_arguments_of(schema).has_value();
  }

  void add_endpoint(RpcCall call, double weight) {
    Request request;
    request.name = endpoint_of(call);
    request.method = "POST";
    request.path = plan_.rpc.path;
    request.weight = weight;
    request.timeout_ns = plan_.timeout_ns;
    request.headers = {{"Content-Type", "application/json"},
                       {"Accept", "application/json, text/event-stream"}};
    if (!plan_.requests.empty()) request.headers = plan_.requests[0].headers;
    plan_.requests.push_back(std::move(request));
    plan_.rpc.calls.push_back(std::move(call));
  }

  LoadPlan& plan_;
  McpConversation& server_;
  Offers tools_;
  Offers prompts_;
};

}  // namespace

Status discover_mcp(LoadPlan& plan, const Clock& clock, const StopFlag& stop) {
  auto server = McpConversation::open(plan, clock, stop);
  if (!server.is_ok()) return server.status();
  return Discovery(plan, **server).run();
}

}  // namespace plumb::http_load
