#include "llm_analyzer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http_post.h"
#include "prompt.h"

namespace plumb::llm_analyzer {
namespace {

using nlohmann::json;

constexpr char kAnthropicUrl[] = "https://api.anthropic.com";
constexpr char kOpenAiUrl[] = "https://api.openai.com";

// A line break in a key would let it write headers of its own.
bool is_header_value(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::chrono::milliseconds left(std::chrono::steady_clock::time_point deadline) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
                                                               std::chrono::steady_clock::now());
}

}  // namespace

Status LlmAnalyzer::configure(const Config& config) {
  const std::string provider = config.string("provider");
  if (provider != "anthropic" && provider != "openai")
    return Status::invalid_argument("provider must be anthropic or openai, not \"" + provider +
                                    "\"");
  const bool anthropic = provider == "anthropic";
  endpoint_.api = anthropic ? Api::kAnthropic : Api::kOpenAi;
  endpoint_.model = config.string("model");
  if (endpoint_.model.empty())
    return Status::invalid_argument("model is missing: name the model that " + provider +
                                    " is to use");
  endpoint_.base_url = config.string("base_url");
  if (endpoint_.base_url.empty()) endpoint_.base_url = anthropic ? kAnthropicUrl : kOpenAiUrl;
  PLUMB_RETURN_IF_ERROR(check_base_url(endpoint_.base_url));
  endpoint_.api_key = config.string("api_key");
  if (!is_header_value(endpoint_.api_key))
    return Status::invalid_argument(
        "api_key holds a blank, a line break or another character that "
        "no API key has; check the environment variable it comes from");
  const bool own_server = endpoint_.base_url.starts_with("http:");
  if (endpoint_.api_key.empty() && !own_server)
    return Status::invalid_argument(std::string("api_key is missing; write it as \"${") +
                                    (anthropic ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY") +
                                    "}\" and set that variable");
  endpoint_.max_tokens = config.integer("max_tokens", 1024);
  timeout_ = config.duration("timeout", std::chrono::seconds(30));
  return Status::ok();
}

Result<std::string> LlmAnalyzer::analyze(std::string_view text) {
  Outcome outcome;
  Analysis analysis;
  auto parsed = parse_analysis(text);
  Status status = parsed.status();
  if (parsed.is_ok()) {
    analysis = std::move(*parsed);
    status = ask(analysis, outcome);
  }
  return report(analysis, outcome, status);
}

void LlmAnalyzer::interrupt() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  interrupted_.notify_all();
}

Status LlmAnalyzer::ask(const Analysis& analysis, Outcome& outcome) {
  if (analysis.facts.empty())
    return Status::invalid_argument("the run has no facts that could be explained");
  const auto deadline = Clock::now() + timeout_;
  const Prompt prompt = build_prompt(analysis);
  Refused refused;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto reply = exchange(prompt, attempt == 0 ? nullptr : &refused, deadline);
    if (!reply.is_ok()) return reply.status();
    outcome.input_tokens += reply->input_tokens;
    outcome.output_tokens += reply->output_tokens;
    auto answer = parse_answer(reply->text);
    if (answer.is_ok()) {
      outcome.answer = std::move(*answer);
      return Status::ok();
    }
    refused = {std::move(reply->text), answer.status().message()};
  }
  return Status::internal("the model's answer could not be used, twice: " + refused.reason);
}

Result<Reply> LlmAnalyzer::exchange(const Prompt& prompt, const Refused* refused,
                                    Clock::time_point deadline) {
  bool waited = false;
  for (;;) {
    auto response = http_post(endpoint_.url(), endpoint_.headers(), endpoint_.body(prompt, refused),
                              left(deadline), cancelled_);
    if (!response.is_ok()) return response.status();
    if (response->status == 200) return parse_reply(endpoint_.api, response->body);
    Status failure = failure_of(response->status, response->body);
    if (response->status == 429 && response->retry_after && !waited &&
        *response->retry_after < left(deadline)) {
      waited = true;
      if (!wait(*response->retry_after)) return Status::cancelled("the run was stopped");
      continue;
    }
    // Some servers of this API answer 400 to a schema; the answer is checked here in any case.
    if (response->status == 400 && endpoint_.api == Api::kOpenAi && endpoint_.ask_for_schema) {
      endpoint_.ask_for_schema = false;
      continue;
    }
    return failure;
  }
}

bool LlmAnalyzer::wait(std::chrono::seconds time) {
  std::unique_lock lock(mutex_);
  return !interrupted_.wait_for(lock, time, [this] { return cancelled_.load(); });
}

std::string LlmAnalyzer::report(const Analysis& analysis, const Outcome& outcome,
                                const Status& status) const {
  Judged judged = status.is_ok() ? judge(outcome.answer, analysis) : Judged{};
  std::string reason = status.message();
  if (status.is_ok() && judged.claims.empty() && judged.summary.empty())
    reason = "nothing the model said held against the facts";
  json out{{"status", reason.empty() ? "ok" : "fallback"},
           {"provider", endpoint_.api == Api::kAnthropic ? "anthropic" : "openai"},
           {"model", endpoint_.model},
           {"claims", json::array()},
           {"summary", without_key(judged.summary.empty() ? analysis.conclusion : judged.summary)},
           {"dropped", json::array()},
           {"tokens", {{"input", outcome.input_tokens}, {"output", outcome.output_tokens}}},
           {"prompt_version", kPromptVersion}};
  if (!reason.empty()) out["reason"] = without_key(reason);
  for (const Claim& claim : judged.claims)
    out["claims"].push_back(
        {{"text", without_key(claim.text)}, {"evidence_ids", claim.evidence_ids}});
  for (const Dropped& dropped : judged.dropped)
    out["dropped"].push_back(
        {{"text", without_key(dropped.text)}, {"reason", without_key(dropped.reason)}});
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The last line of defence: a server may echo what it was sent.
std::string LlmAnalyzer::without_key(std::string text) const {
  if (endpoint_.api_key.empty()) return text;
  const std::string& key = endpoint_.api_key;
  for (size_t at = text.find(key); at != std::string::npos; at = text.find(key, at))
    text.replace(at, key.size(), "[]");
  return text;
}

}  // namespace plumb::llm_analyzer
