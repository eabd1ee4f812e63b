// The analyzer: has a language model put a run's findings into words, and keeps of its answer what
// the run's facts bear out.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_LLM_ANALYZER_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_LLM_ANALYZER_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <plumb/plugin.hpp>
#include <string>
#include <string_view>

#include "analysis.h"
#include "answer.h"
#include "provider.h"

namespace plumb::llm_analyzer {

// Never fails a run: whatever goes wrong, analyze returns a result with "status": "fallback", the
// reason, and the rules' own conclusion as summary. The API key is in no output, log or error.
class LlmAnalyzer final : public Analyzer {
 public:
  using Analyzer::Analyzer;

  Status configure(const Config& config) override;
  Result<std::string> analyze(std::string_view json) override;
  void interrupt() override;

 private:
  using Clock = std::chrono::steady_clock;

  struct Outcome {
    Answer answer;
    int64_t input_tokens = 0;
    int64_t output_tokens = 0;
  };

  // Asks, once again with the reason where the first answer has the wrong shape. `outcome` counts
  // the tokens of both, also on failure.
  Status ask(const Analysis& analysis, Outcome& outcome);
  // One exchange, waiting once where the server says how long and the time allows.
  Result<Reply> exchange(const Prompt& prompt, const Refused* refused, Clock::time_point deadline);
  bool wait(std::chrono::seconds time);
  std::string report(const Analysis& analysis, const Outcome& outcome, const Status& status) const;
  std::string without_key(std::string text) const;

  Endpoint endpoint_;
  std::chrono::nanoseconds timeout_{};
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::condition_variable interrupted_;
};

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_LLM_ANALYZER_H_
