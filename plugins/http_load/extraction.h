// Takes a value out of an answer, for later requests: by JSON pointer, header or pattern.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_EXTRACTION_H_
#define PLUMB_PLUGINS_HTTP_LOAD_EXTRACTION_H_

#include <re2/re2.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>

#include "plugins/http_load/captured_answer.h"
#include "plugins/http_load/scenario_plan.h"

namespace plumb::http_load {

// RE2 takes linear time, whatever the text: answers are not to be trusted. `key` is for the error.
Result<std::unique_ptr<const re2::RE2>> compile_pattern(const std::string& pattern,
                                                        const std::string& key);
Result<nlohmann::json::json_pointer> compile_pointer(const std::string& pointer,
                                                     const std::string& key);

class Extraction {
 public:
  // A pattern gives its first group, or the whole match when it has none.
  static Result<Extraction> compile(const ExtractPlan& plan, const std::string& key);

  void add_needs(AnswerNeeds& needs) const;
  // Puts the value into `out`, or fails with a sentence that holds nothing of the answer. With
  // `one_line`, a value that a header cannot hold is a failure.
  Status read(CapturedAnswer& answer, bool one_line, std::string& out) const;

 private:
  Status find(CapturedAnswer& answer, std::string& out) const;

  ExtractPlan plan_;
  nlohmann::json::json_pointer pointer_;
  std::unique_ptr<const re2::RE2> pattern_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_EXTRACTION_H_
