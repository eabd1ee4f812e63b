// What the model answered, and what of it holds against the facts. Pure functions.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_ANSWER_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_ANSWER_H_

#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "analysis.h"

namespace plumb::llm_analyzer {

struct Claim {
  std::string text;
  std::vector<std::string> evidence_ids;
};

struct Answer {
  std::vector<Claim> claims;
  std::string summary;
};

struct Dropped {
  std::string text;
  std::string reason;
};

struct Judged {
  std::vector<Claim> claims;
  std::string summary;  // empty when the model's did not hold
  std::vector<Dropped> dropped;
};

// The answer in `text`, which must have exactly the shape of answer_schema() (a Markdown code fence
// around it is forgiven). The error says what is wrong, for the model to mend.
Result<Answer> parse_answer(std::string_view text);

// Keeps the claims that cite existing facts, contradict neither verdict nor causes, and whose every
// number is one of the facts they cite. The summary may use what the kept claims cite.
Judged judge(const Answer& answer, const Analysis& analysis);

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_ANSWER_H_
