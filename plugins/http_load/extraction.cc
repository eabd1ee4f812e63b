#include "plugins/http_load/extraction.h"

#include <utility>

#include "plugins/http_load/encoding.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr size_t kLongestValue = 64 * 1024;

Status none(const std::string& what) { return Status::not_found(what); }

}  // namespace

Result<std::unique_ptr<const re2::RE2>> compile_pattern(const std::string& pattern,
                                                        const std::string& key) {
  RE2::Options options;
  options.set_log_errors(false);
  auto out = std::make_unique<const RE2>(pattern, options);
  if (!out->ok()) return Status::invalid_argument(key + ": no valid pattern: " + out->error());
  return out;
}

Result<json::json_pointer> compile_pointer(const std::string& pointer, const std::string& key) {
  try {
    return json::json_pointer(pointer);
  } catch (const json::exception&) {
    return Status::invalid_argument(key + ": '" + printable(pointer, 60) +
                                    "' is no JSON pointer, such as /data/token or /items/0/id");
  }
}

Result<Extraction> Extraction::compile(const ExtractPlan& plan, const std::string& key) {
  Extraction out;
  out.plan_ = plan;
  if (plan.from == ExtractPlan::From::kJson) {
    PLUMB_ASSIGN_OR_RETURN(out.pointer_, compile_pointer(plan.what, key));
  } else if (plan.from == ExtractPlan::From::kRegex) {
    PLUMB_ASSIGN_OR_RETURN(out.pattern_, compile_pattern(plan.what, key));
  }
  return out;
}

void Extraction::add_needs(AnswerNeeds& needs) const {
  if (plan_.from == ExtractPlan::From::kHeader)
    needs.add_header(plan_.what);
  else
    needs.body = true;
}

Status Extraction::find(CapturedAnswer& answer, std::string& out) const {
  switch (plan_.from) {
    case ExtractPlan::From::kHeader: {
      const std::string* value = answer.header(plan_.what);
      if (value == nullptr) return none("the answer has no header " + plan_.what);
      out = *value;
      return Status::ok();
    }
    case ExtractPlan::From::kJson: {
      if (answer.is_cut()) return none("the answer is longer than 1 MiB");
      if (answer.document() == nullptr) return none("the answer is no JSON");
      const json* value = answer.at(pointer_);
      if (value == nullptr) return none("the answer has no " + plan_.what);
      if (value->is_string())
        out = value->get_ref<const std::string&>();
      else
        out = value->dump(-1, ' ', false, json::error_handler_t::replace);
      return Status::ok();
    }
    case ExtractPlan::From::kRegex: {
      re2::StringPiece group[2];
      const std::string_view body = answer.body();
      const int groups = pattern_->NumberOfCapturingGroups() > 0 ? 1 : 0;
      if (!pattern_->Match({body.data(), body.size()}, 0, body.size(), RE2::UNANCHORED, group,
                           groups + 1))
        return none("nothing in " + std::string(answer.is_cut() ? "the first 1 MiB of " : "") +
                    "the answer matches " + plan_.what);
      out.assign(group[groups].data() == nullptr ? "" : group[groups].data(), group[groups].size());
      return Status::ok();
    }
  }
  return Status::ok();
}

Status Extraction::read(CapturedAnswer& answer, bool one_line, std::string& out) const {
  Status found = find(answer, out);
  if (found.is_ok() && out.size() > kLongestValue) found = none("the value is longer than 64 KiB");
  if (found.is_ok() && one_line && has_control_character(out))
    found =
        none("the value holds a line break or another control character, and a header takes it");
  return found.with_context("extract " + plan_.name);
}

}  // namespace plumb::http_load
