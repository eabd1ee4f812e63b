#include "plugins/http_load/answer_checks.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "plugins/http_load/encoding.h"
#include "plugins/http_load/extraction.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr size_t kMostShown = 60;

Status failed(const std::string& what) { return Status::invalid_argument("check " + what); }

bool names_a_secret(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* word : {"auth", "cookie", "token", "secret", "key", "password", "session"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

std::string shown(std::string_view name, const std::string& value) {
  return names_a_secret(name) ? "something else (not shown)" : printable(value, kMostShown);
}

std::string text_of_json(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string milliseconds(int64_t ns) {
  char out[40];
  std::snprintf(out, sizeof(out), "%.4g ms", static_cast<double>(ns) / 1e6);
  return out;
}

// Its size and beginning; of JSON nothing but the size, which may hold a token.
std::string body_seen(const CapturedAnswer& answer) {
  const std::string_view body = answer.body();
  std::string out = "the answer of ";
  out += answer.is_cut() ? "more than 1 MiB" : std::to_string(body.size()) + " bytes";
  if (body.empty() || body.front() == '{' || body.front() == '[') return out;
  return out + ", which begins '" + printable(body, kMostShown) + "'";
}

}  // namespace

Result<AnswerChecks> AnswerChecks::compile(const ChecksPlan& plan, const std::string& key) {
  AnswerChecks out;
  out.plan_ = plan;
  for (const std::string& pattern : plan.matches) {
    PLUMB_ASSIGN_OR_RETURN(auto compiled, compile_pattern(pattern, key + ".matches"));
    out.patterns_.push_back(std::move(compiled));
  }
  for (const auto& [pointer, expected] : plan.json) {
    PLUMB_ASSIGN_OR_RETURN(auto compiled, compile_pointer(pointer, key + ".json"));
    out.json_.push_back({std::move(compiled), json::parse(expected)});
  }
  return out;
}

void AnswerChecks::add_needs(AnswerNeeds& needs) const {
  needs.body = needs.body || !plan_.contains.empty() || !patterns_.empty() || !json_.empty();
  for (const auto& [name, text] : plan_.headers) needs.add_header(name);
}

Status AnswerChecks::run(CapturedAnswer& answer, int64_t response_ns) const {
  PLUMB_RETURN_IF_ERROR(check_headers(answer));
  PLUMB_RETURN_IF_ERROR(check_text(answer));
  PLUMB_RETURN_IF_ERROR(check_json(answer));
  return check_time(response_ns);
}

Status AnswerChecks::check_time(int64_t response_ns) const {
  if (plan_.under_ns == 0 || response_ns < plan_.under_ns) return Status::ok();
  return failed("under: it took " + milliseconds(response_ns) + ", not below " +
                milliseconds(plan_.under_ns));
}

Status AnswerChecks::check_headers(const CapturedAnswer& answer) const {
  for (const auto& [name, text] : plan_.headers) {
    const std::string* value = answer.header(name);
    if (value == nullptr) return failed("header: the answer has no " + name);
    if (value->find(text) == std::string::npos)
      return failed("header: " + name + " is " + shown(name, *value) + ", without '" +
                    printable(text, kMostShown) + "'");
  }
  return Status::ok();
}

Status AnswerChecks::check_text(const CapturedAnswer& answer) const {
  for (const std::string& text : plan_.contains)
    if (answer.body().find(text) == std::string_view::npos)
      return failed("contains: no '" + printable(text, kMostShown) + "' in " + body_seen(answer));
  const re2::StringPiece body(answer.body().data(), answer.body().size());
  for (const auto& pattern : patterns_)
    if (!RE2::PartialMatch(body, *pattern))
      return failed("matches: no '" + printable(pattern->pattern(), kMostShown) + "' in " +
                    body_seen(answer));
  return Status::ok();
}

Status AnswerChecks::check_json(CapturedAnswer& answer) const {
  for (size_t i = 0; i < json_.size(); ++i) {
    const std::string& pointer = plan_.json[i].first;
    if (answer.document() == nullptr) return failed("json: no JSON in " + body_seen(answer));
    const json* value = answer.at(json_[i].pointer);
    if (value == nullptr) return failed("json: the answer has no " + pointer);
    if (*value != json_[i].expected)
      return failed("json: " + pointer + " is " + shown(pointer, text_of_json(*value)) + ", not " +
                    printable(text_of_json(json_[i].expected), kMostShown));
  }
  return Status::ok();
}

}  // namespace plumb::http_load
