// The wire formats of the two APIs that are spoken. Pure: builds requests, reads responses.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_PROVIDER_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_PROVIDER_H_

#include <cstdint>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "prompt.h"

namespace plumb::llm_analyzer {

enum class Api {
  kAnthropic,  // POST /v1/messages
  kOpenAi,     // POST /v1/chat/completions, also as others serve it
};

// An answer that was refused, and why: sent along when the model may try again.
struct Refused {
  std::string answer;
  std::string reason;
};

struct Endpoint {
  Api api = Api::kAnthropic;
  std::string base_url;
  std::string model;
  std::string api_key;
  int64_t max_tokens = 0;
  bool ask_for_schema = true;  // false for servers that do not know response_format

  std::string url() const;
  std::vector<std::string> headers() const;
  // `refused` is null on the first try.
  std::string body(const Prompt& prompt, const Refused* refused) const;
};

struct Reply {
  std::string text;
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
};

// The model's text and its cost in the body of a 200 response.
Result<Reply> parse_reply(Api api, std::string_view body);

// A sentence on a response that is no 200: the status, what it means, and the server's own error
// type. UNAVAILABLE where another try may do.
Status failure_of(long http_status, std::string_view body);

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_PROVIDER_H_
