// What the model is told: fixed instructions, and the run's facts as bounded, redacted data.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_PROMPT_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_PROMPT_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "analysis.h"

namespace plumb::llm_analyzer {

constexpr int kPromptVersion = 1;

struct Prompt {
  std::string system;
  std::string user;
};

// `limit` bounds the user part in bytes. Findings come by cost, then the facts they rest on, then
// the other facts in their order, until it is full.
Prompt build_prompt(const Analysis& analysis, size_t limit = 24'000);

// The JSON Schema that an answer must fit.
nlohmann::json answer_schema();

// One line of JSON; bytes that are not UTF-8 are replaced.
std::string dumped(const nlohmann::json& value);

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_PROMPT_H_
