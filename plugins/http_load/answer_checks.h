// What a plan expects of an answer beside its status.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_ANSWER_CHECKS_H_
#define PLUMB_PLUGINS_HTTP_LOAD_ANSWER_CHECKS_H_

#include <re2/re2.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <utility>
#include <vector>

#include "plugins/http_load/captured_answer.h"
#include "plugins/http_load/scenario_plan.h"

namespace plumb::http_load {

class AnswerChecks {
 public:
  // `key` is load.requests[n].checks, for errors.
  static Result<AnswerChecks> compile(const ChecksPlan& plan, const std::string& key);

  void add_needs(AnswerNeeds& needs) const;
  // OK, or a sentence that says which check fails and what was seen, cut and printable. What stands
  // under a name such as token or password is not shown.
  Status run(CapturedAnswer& answer, int64_t response_ns) const;

 private:
  struct JsonCheck {
    nlohmann::json::json_pointer pointer;
    nlohmann::json expected;
  };

  Status check_time(int64_t response_ns) const;
  Status check_headers(const CapturedAnswer& answer) const;
  Status check_text(const CapturedAnswer& answer) const;
  Status check_json(CapturedAnswer& answer) const;

  ChecksPlan plan_;
  std::vector<std::unique_ptr<const re2::RE2>> patterns_;
  std::vector<JsonCheck> json_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_ANSWER_CHECKS_H_
