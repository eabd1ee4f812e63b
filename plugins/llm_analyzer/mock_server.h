// Test only: a loopback HTTP server that speaks the Anthropic Messages API and the OpenAI chat
// completions API as documented, and answers anything else with the documented error. It plays a
// script: one step per request that is well-formed.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_MOCK_SERVER_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_MOCK_SERVER_H_

#include <atomic>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace plumb::llm_analyzer {

class MockServer {
 public:
  enum class Kind {
    kText,    // 200, with `text` as the model's words, in the API's own envelope
    kStatus,  // `status`, with the documented error body
    kRaw,     // 200, with `text` as the whole body
    kHang     // no answer
  };
  struct Step {
    Kind kind = Kind::kText;
    std::string text = {};
    int status = 200;
    std::string header = {};       // one more, "name: value\r\n", or empty
    std::string stop_reason = {};  // of the Anthropic envelope; empty: end_turn
  };

  // Accepts `key` only.
  MockServer(std::string key, std::vector<Step> script);
  ~MockServer();
  MockServer(const MockServer&) = delete;
  MockServer& operator=(const MockServer&) = delete;

  std::string url() const;
  // Bodies of the well-formed requests so far.
  std::vector<nlohmann::json> requests() const;
  // What was wrong with those that were not.
  std::vector<std::string> violations() const;

 private:
  void serve();
  std::string answer(const std::string& head, const std::string& body, bool& hang);

  const std::string key_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  int port_ = 0;
  mutable std::mutex mutex_;
  std::deque<Step> script_;
  std::vector<nlohmann::json> requests_;
  std::vector<std::string> violations_;
  std::thread thread_;
};

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_MOCK_SERVER_H_
