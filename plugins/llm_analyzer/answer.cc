#include "answer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>

#include "numbers.h"
#include "redact.h"

namespace plumb::llm_analyzer {
namespace {

using nlohmann::json;

constexpr size_t kMostClaims = 12;
constexpr size_t kMostText = 1000;
constexpr size_t kMostShown = 300;

constexpr std::array kLabels = {"stable", "warning", "threat", "inconclusive"};

// Also those that no rule of this run named: to call one of them by its name is to name a cause.
constexpr std::array kCauses = {"app-cpu-saturated",
                                "app-single-thread-saturated",
                                "app-cpu-throttled",
                                "app-lock-contention",
                                "app-fsync-bound",
                                "app-memory-leak",
                                "app-fd-leak",
                                "app-wait-unseen",
                                "db-pool-exhausted",
                                "db-lock-contention",
                                "db-missing-index",
                                "db-slow-query",
                                "db-n-plus-one",
                                "db-commit-wal",
                                "db-io-read",
                                "db-temp-spill",
                                "db-connection-churn",
                                "db-connections-exhausted",
                                "db-idle-in-transaction",
                                "db-connection-leak",
                                "sqlite-writer-contention",
                                "sqlite-checkpoint-starved",
                                "sqlite-missing-index",
                                "sqlite-fsync-bound",
                                "downstream-slow",
                                "downstream-errors",
                                "net-accept-queue-overflow",
                                "net-retransmits",
                                "net-connection-setup",
                                "net-payload-large",
                                "host-cpu-saturated",
                                "host-noisy-neighbour",
                                "host-cpu-steal",
                                "host-memory-pressure",
                                "host-disk-saturated",
                                "latency-degraded",
                                "spike-not-recovered",
                                "generator-limited",
                                "insufficient-data"};
constexpr std::array kCausePrefixes = {"app-", "db-", "sqlite-", "downstream-", "net-", "host-"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Lower case, hyphens and underscores as they are or as spaces, one space before and after, marks
// gone, so that " db-lock-contention " can be searched for.
std::string folded(std::string_view text, bool split) {
  std::string out = " ";
  for (const char c : text) {
    const bool joint = c == '-' || c == '_';
    if (is_word(c)) {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (joint && !split) {
      out += '-';
    } else if (!out.ends_with(' ')) {
      out += ' ';
    }
  }
  return out.ends_with(' ') ? out : out + ' ';
}

std::vector<std::string> allowed_causes(const Analysis& analysis) {
  std::vector<std::string> allowed;
  if (!analysis.bottleneck.empty()) allowed.push_back(analysis.bottleneck);
  for (const Finding& finding : analysis.findings) allowed.push_back(finding.id);
  return allowed;
}

std::optional<std::string> contradiction(std::string_view text, const Analysis& analysis) {
  const std::string words = folded(text, true);
  const std::string label = folded(analysis.label, true);
  for (const char* other : kLabels) {
    if (folded(other, true) != label && words.find(folded(other, true)) != std::string::npos)
      return std::string("names the verdict ") + other + " where the rules say " + analysis.label;
  }
  const auto allowed = allowed_causes(analysis);
  const auto is_allowed = [&](std::string_view cause) {
    return std::find(allowed.begin(), allowed.end(), cause) != allowed.end();
  };
  for (const char* cause : kCauses) {
    if (!is_allowed(cause) && words.find(folded(cause, true)) != std::string::npos)
      return std::string("names the cause ") + cause + ", which no rule found";
  }
  // Causes of other people's rules, or invented ones, are known by their shape.
  const std::string joined = folded(text, false);
  for (size_t at = 1; at < joined.size();) {
    const size_t end = joined.find(' ', at);
    const std::string word = joined.substr(at, end - at);
    at = end + 1;
    const bool shaped = std::any_of(kCausePrefixes.begin(), kCausePrefixes.end(),
                                    [&](const char* prefix) { return word.starts_with(prefix); });
    const bool two_joints = std::count(word.begin(), word.end(), '-') >= 2;
    if (shaped && two_joints && !is_allowed(word))
      return "names the cause " + word + ", which no rule found";
  }
  return std::nullopt;
}

bool has_digit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Names with digits in them ("p95", "127.0.0.1:5432", "orders_2") are no quantities. One that could
// be read as a quantity ("500ms") is none of these.
bool is_name(std::string_view text) {
  if (!has_digit(text)) return false;
  const bool address =
      text.find(':') != std::string_view::npos || std::count(text.begin(), text.end(), '.') >= 3;
  const char first = text.front();
  return address || first == '/' || first == '_' || (first >= 'a' && first <= 'z') ||
         (first >= 'A' && first <= 'Z');
}

class CitedFacts {
 public:
  CitedFacts(const std::vector<const Fact*>& cited, const Analysis& analysis) {
    for (const Fact& fact : analysis.facts) add_name(fact.id);
    for (const Fact* fact : cited) {
      if (fact->value) numbers_.push_back({*fact->value, fact->unit});
      add_name(fact->name);
      add_parts(fact->name);
      for (const auto& [name, value] : fact->labels) {
        add_name(name);
        if (is_all_digits(value) && value.size() < 16) {
          numbers_.push_back({std::strtod(value.c_str(), nullptr), "1"});
        } else {
          add_name(value);
          add_name(to_template(value, kMostShown));
        }
      }
    }
    std::sort(names_.begin(), names_.end(),
              [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  }

  // The first number in the prose that no fact bears out.
  std::optional<std::string> stray_number(std::string_view prose) const {
    for (const WrittenNumber& number : find_numbers(without_names(prose))) {
      if (!is_borne_out(number, numbers_)) return number.text;
    }
    return std::nullopt;
  }

 private:
  void add_name(std::string_view name) {
    if (is_name(name)) names_.emplace_back(name);
  }
  // "http_response_seconds.p95" also brings "p95".
  void add_parts(std::string_view name) {
    size_t at = 0;
    while (at < name.size()) {
      const size_t end = std::min(name.find_first_of("._", at), name.size());
      add_name(name.substr(at, end - at));
      at = end + 1;
    }
  }
  std::string without_names(std::string_view prose) const {
    std::string text(prose);
    for (const std::string& name : names_) {
      for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const size_t end = at + name.size();
        const bool whole =
            (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
        if (whole) text.replace(at, name.size(), std::string(name.size(), '|'));
      }
    }
    return text;
  }

  std::vector<KnownNumber> numbers_;
  std::vector<std::string> names_;
};

std::optional<std::string> fault(std::string_view text, const std::vector<std::string>& ids,
                                 const Analysis& analysis) {
  if (text.size() > kMostText) return "is longer than " + std::to_string(kMostText) + " bytes";
  if (ids.empty()) return "cites no fact";
  std::vector<const Fact*> cited;
  for (const std::string& id : ids) {
    const Fact* fact = analysis.fact(id);
    if (fact == nullptr) return "cites " + id.substr(0, 40) + ", which is no fact of this run";
    cited.push_back(fact);
  }
  if (auto contrary = contradiction(text, analysis)) return contrary;
  if (has_foreign_digits(text)) return "writes numbers in digits other than 0 to 9";
  if (const auto number = CitedFacts(cited, analysis).stray_number(text))
    return "says " + *number + ", which is in none of the facts it cites";
  return std::nullopt;
}

std::string shown(const std::string& text) { return remove_secrets(text.substr(0, kMostShown)); }

std::string_view without_fence(std::string_view text) {
  const auto trim = [&] {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
      text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
      text.remove_suffix(1);
  };
  trim();
  if (!text.starts_with("```") || !text.ends_with("```") || text.size() < 6) return text;
  text.remove_suffix(3);
  text.remove_prefix(std::min(text.find('\n'), text.size()));
  trim();
  return text;
}

Status check_keys(const json& object, const std::string& where,
                  std::initializer_list<const char*> keys) {
  if (!object.is_object()) return Status::invalid_argument(where + " must be an object");
  for (const char* key : keys) {
    if (!object.contains(key))
      return Status::invalid_argument(where + " lacks the field \"" + key + "\"");
  }
  if (object.size() != keys.size())
    return Status::invalid_argument(where + " has fields that are not in the schema");
  return Status::ok();
}

}  // namespace

Result<Answer> parse_answer(std::string_view text) {
  const json document = json::parse(without_fence(text), nullptr, false);
  if (document.is_discarded()) return Status::invalid_argument("the answer is not valid JSON");
  PLUMB_RETURN_IF_ERROR(check_keys(document, "the answer", {"claims", "summary"}));
  if (!document["claims"].is_array())
    return Status::invalid_argument("\"claims\" must be an array");
  if (!document["summary"].is_string())
    return Status::invalid_argument("\"summary\" must be a string");
  Answer answer;
  answer.summary = document["summary"].get<std::string>();
  for (const json& item : document["claims"]) {
    const std::string where = "claims[" + std::to_string(answer.claims.size()) + "]";
    PLUMB_RETURN_IF_ERROR(check_keys(item, where, {"text", "evidence_ids"}));
    if (!item["text"].is_string() || item["text"].get_ref<const std::string&>().empty())
      return Status::invalid_argument(where + ".text must be a string that is not empty");
    if (!item["evidence_ids"].is_array())
      return Status::invalid_argument(where + ".evidence_ids must be an array of fact ids");
    Claim claim{item["text"].get<std::string>(), {}};
    for (const json& id : item["evidence_ids"]) {
      if (!id.is_string())
        return Status::invalid_argument(where + ".evidence_ids must hold strings only");
      claim.evidence_ids.push_back(id.get<std::string>());
    }
    answer.claims.push_back(std::move(claim));
  }
  return answer;
}

Judged judge(const Answer& answer, const Analysis& analysis) {
  Judged judged;
  std::vector<std::string> cited;
  for (const Claim& claim : answer.claims) {
    auto reason = fault(claim.text, claim.evidence_ids, analysis);
    if (!reason && judged.claims.size() >= kMostClaims)
      reason = "is more than " + std::to_string(kMostClaims) + " claims";
    if (reason) {
      judged.dropped.push_back({shown(claim.text), *reason});
      continue;
    }
    cited.insert(cited.end(), claim.evidence_ids.begin(), claim.evidence_ids.end());
    judged.claims.push_back({remove_secrets(claim.text), claim.evidence_ids});
  }
  if (answer.summary.empty()) return judged;
  if (const auto reason = fault(answer.summary, cited, analysis)) {
    judged.dropped.push_back({shown(answer.summary), "the summary " + *reason});
  } else {
    judged.summary = remove_secrets(answer.summary);
  }
  return judged;
}

}  // namespace plumb::llm_analyzer
