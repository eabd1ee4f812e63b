// What is kept of an answer for extraction, checks, cookies and redirects. Input is untrusted: the
// body is kept up to 1 MiB, headers only where they are asked for.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_CAPTURED_ANSWER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_CAPTURED_ANSWER_H_

#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/http_load/transport.h"

namespace plumb::http_load {

bool same_header(std::string_view a, std::string_view b);

// What a request's answers are kept of.
struct AnswerNeeds {
  bool body = false;
  bool cookies = false;
  std::vector<std::string> headers;

  void add_header(const std::string& name);
  bool any() const { return body || cookies || !headers.empty(); }
};

class CapturedAnswer final : public AnswerSink {
 public:
  static constexpr size_t kMostBody = size_t{1} << 20;

  // Before the request goes out. `needs` lives until the next call.
  void expect(const AnswerNeeds& needs);
  // Gives back the memory of a large answer.
  void release();

  void on_answer(int status) override;
  void on_header(std::string_view name, std::string_view value) override;
  bool on_body(std::string_view bytes, int64_t now_ns) override;

  std::string_view body() const { return body_; }
  // The body was longer than is kept.
  bool is_cut() const { return is_cut_; }
  // The value of the first such header that was asked for; null when there was none.
  const std::string* header(std::string_view name) const;
  const std::vector<std::string>& cookies() const { return cookies_; }
  // The body as JSON, read once; null when it is none, or cut.
  const nlohmann::json* document();
  // Where `pointer` leads in it; null when nowhere.
  const nlohmann::json* at(const nlohmann::json::json_pointer& pointer);

 private:
  void clear();

  const AnswerNeeds* needs_ = nullptr;
  std::string body_;
  bool is_cut_ = false;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<std::string> cookies_;
  bool is_parsed_ = false;
  std::optional<nlohmann::json> document_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_CAPTURED_ANSWER_H_
