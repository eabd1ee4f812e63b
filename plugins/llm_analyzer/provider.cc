#include "provider.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace plumb::llm_analyzer {
namespace {

using nlohmann::json;

constexpr char kOpenAiHost[] = "https://api.openai.com";
constexpr size_t kMostRepeated = 8'000;

json message(const char* role, const std::string& content) {
  return {{"role", role}, {"content", content}};
}

void add_conversation(json& messages, const Prompt& prompt, const Refused* refused) {
  messages.push_back(message("user", prompt.user));
  if (refused == nullptr) return;
  // An assistant's turn must not be empty.
  const std::string answer = refused->answer.substr(0, kMostRepeated);
  messages.push_back(message("assistant", answer.empty() ? "(nothing)" : answer));
  messages.push_back(message("user", "That answer cannot be used: " + refused->reason +
                                         ". Answer again, with nothing but the JSON object."));
}

int64_t count_of(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? at->get<int64_t>() : 0;
}

std::string text_of(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

json object_of(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_object() ? *at : json::object();
}

Result<Reply> parse_anthropic(const json& document) {
  Reply reply;
  const json usage = object_of(document, "usage");
  reply.input_tokens = count_of(usage, "input_tokens");
  reply.output_tokens = count_of(usage, "output_tokens");
  const auto content = document.find("content");
  if (content == document.end() || !content->is_array())
    return Status::internal("the response has no content: is this the Anthropic Messages API?");
  for (const json& block : *content) {
    if (block.is_object() && text_of(block, "type") == "text") reply.text += text_of(block, "text");
  }
  const std::string stop = text_of(document, "stop_reason");
  if (stop == "refusal") return Status::unsupported("the model refused to answer");
  return reply;
}

Result<Reply> parse_openai(const json& document) {
  Reply reply;
  const json usage = object_of(document, "usage");
  reply.input_tokens = count_of(usage, "prompt_tokens");
  reply.output_tokens = count_of(usage, "completion_tokens");
  const auto choices = document.find("choices");
  if (choices == document.end() || !choices->is_array() || choices->empty() ||
      !choices->front().is_object())
    return Status::internal("the response has no choices: is this a chat completions API?");
  const json answer = object_of(choices->front(), "message");
  if (!text_of(answer, "refusal").empty())
    return Status::unsupported("the model refused to answer");
  reply.text = text_of(answer, "content");
  return reply;
}

// What the server calls its error, if it looks like such a name and nothing else.
std::string error_type(std::string_view body) {
  const json document = json::parse(body, nullptr, false);
  if (!document.is_object()) return {};
  const std::string type = text_of(object_of(document, "error"), "type");
  const bool plain = type.size() <= 60 && std::all_of(type.begin(), type.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || c == '_';
                     });
  return plain ? type : std::string();
}

}  // namespace

std::string Endpoint::url() const {
  std::string base = base_url;
  const auto strip = [&](std::string_view end) {
    if (base.ends_with(end)) base.resize(base.size() - end.size());
  };
  strip("/");
  strip("/v1");
  return base + (api == Api::kAnthropic ? "/v1/messages" : "/v1/chat/completions");
}

std::vector<std::string> Endpoint::headers() const {
  std::vector<std::string> list = {"content-type: application/json", "accept: application/json",
                                   "expect:"};
  if (api == Api::kAnthropic) {
    list.push_back("anthropic-version: 2023-06-01");
    if (!api_key.empty()) list.push_back("x-api-key: " + api_key);
  } else if (!api_key.empty()) {
    list.push_back("authorization: Bearer " + api_key);
  }
  return list;
}

std::string Endpoint::body(const Prompt& prompt, const Refused* refused) const {
  json out{{"model", model}};
  json messages = json::array();
  if (api == Api::kAnthropic) {
    out["max_tokens"] = max_tokens;
    out["system"] = prompt.system;
    out["output_config"] = {{"format", {{"type", "json_schema"}, {"schema", answer_schema()}}}};
  } else {
    // OpenAI's newer models refuse max_tokens; other servers often know nothing else.
    out[base_url.starts_with(kOpenAiHost) ? "max_completion_tokens" : "max_tokens"] = max_tokens;
    messages.push_back(message("system", prompt.system));
    if (ask_for_schema) {
      out["response_format"] = {
          {"type", "json_schema"},
          {"json_schema", {{"name", "analysis"}, {"strict", true}, {"schema", answer_schema()}}}};
    }
  }
  add_conversation(messages, prompt, refused);
  out["messages"] = std::move(messages);
  return dumped(out);
}

Result<Reply> parse_reply(Api api, std::string_view body) {
  const json document = json::parse(body, nullptr, false);
  if (!document.is_object()) return Status::internal("the response is not a JSON object");
  return api == Api::kAnthropic ? parse_anthropic(document) : parse_openai(document);
}

Status failure_of(long http_status, std::string_view body) {
  const std::string type = error_type(body);
  const std::string what = "HTTP " + std::to_string(http_status) + (type.empty() ? "" : " " + type);
  switch (http_status) {
    case 401:
      return Status::permission_denied(what + ": the API key is not accepted; check api_key");
    case 403:
      return Status::permission_denied(what + ": the API key may not use this model");
    case 404:
      return Status::not_found(what + ": no such model or address; check model and base_url");
    case 429:
      return Status::unavailable(what + ": the rate limit or the quota is used up");
    case 400:
    case 413:
    case 422:
      return Status::invalid_argument(what + ": the server does not take the request");
    default:
      break;
  }
  if (http_status >= 500) return Status::unavailable(what + ": the server failed");
  if (http_status >= 300 && http_status < 400)
    return Status::unsupported(what + ": redirects are not followed; correct base_url");
  return Status::unavailable(what + ": not an answer that can be used");
}

}  // namespace plumb::llm_analyzer
