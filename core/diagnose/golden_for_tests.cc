#include "core/diagnose/golden_for_tests.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "core/base/number_text.h"
#include "core/diagnose/diagnosis.h"
#include "core/facts/run_builder.h"

namespace plumb::testing {
namespace {

using diagnose::Diagnosis;
using diagnose::ListedSeries;
using diagnose::SignalList;

Status wrong(const std::string& line, const std::string& why) {
  return Status::invalid_argument("'" + line + "': " + why);
}

std::string trimmed(const std::string& text) {
  const size_t from = text.find_first_not_of(" \t");
  if (from == std::string::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") + 1 - from);
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) out.push_back(trimmed(part));
  return out;
}

// "79.3ms", "2s", "1.5e6", "202/s".
std::optional<double> number_of(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  if (end == text.c_str()) return std::nullopt;
  if (unit.empty() || unit == "s" || unit == "/s") return value;
  if (unit == "ms") return value / 1e3;
  if (unit == "us") return value / 1e6;
  return std::nullopt;
}

// What something is, and what it is from second `from_s` of the run on.
struct Course {
  double first = 0;
  double later = 0;
  int64_t from_s = 0;

  // A value for each second of the run up to the last that differs.
  std::vector<double> seconds() const {
    std::vector<double> out(static_cast<size_t>(from_s), first);
    out.push_back(later);
    return out;
  }
};

// "20ms", or "20ms, 80ms from 30s".
std::optional<Course> course_of(const std::string& text) {
  const size_t comma = text.find(',');
  const auto first = number_of(trimmed(text.substr(0, comma)));
  if (!first) return std::nullopt;
  if (comma == std::string::npos) return Course{*first, *first, 0};
  const auto words = split(trimmed(text.substr(comma + 1)), ' ');
  if (words.size() != 3 || words[1] != "from") return std::nullopt;
  const auto later = number_of(words[0]);
  const auto from = number_of(words[2]);
  if (!later || !from || *from < 0) return std::nullopt;
  return Course{*first, *later, static_cast<int64_t>(*from)};
}

class GivenRun {
 public:
  GivenRun(const SignalList& signals, int64_t steady_seconds)
      : signals_(signals), run_(steady_seconds) {}

  Status take(const std::string& line) {
    const std::string word = line.substr(0, line.find_first_of(" {"));
    if (word == "steady") return Status::ok();
    if (word == "load") return load(line);
    if (word == "phase") return phase(line);
    if (word == "failed") return failed(line);
    if (word == "slo") return slo(line);
    if (word == "table") return table(line);
    if (word == "event") return event(line);
    if (word == "spike") return spike(line);
    if (word == "plan") return plan(line);
    return series(line);
  }

  store::RunData finish() {
    run_.data().header.plan = plan_;
    for (auto& [name, table] : tables_) run_.table(name, table.dump());
    return std::move(run_.data());
  }

 private:
  // load ENDPOINT RATE RESPONSE_TIME[, RESPONSE_TIME from SECOND]
  Status load(const std::string& line) {
    const auto words = split(line, ' ');
    const auto rate = words.size() >= 4 ? number_of(words[2]) : std::nullopt;
    const auto seconds =
        rate ? course_of(trimmed(line.substr(line.find(words[2]) + words[2].size())))
             : std::nullopt;
    if (!rate || !seconds) return wrong(line, "load is an endpoint, a rate and a response time");
    run_.requests_over_time(seconds->seconds(), static_cast<uint64_t>(*rate), words[1]);
    return Status::ok();
  }

  // spike NAME SECOND LENGTH: a stage between steady ones
  Status spike(const std::string& line) {
    constexpr double kNs = 1e9;
    const auto words = split(line, ' ');
    const auto from = words.size() == 4 ? number_of(words[2]) : std::nullopt;
    const auto length = words.size() == 4 ? number_of(words[3]) : std::nullopt;
    if (!from || !length) return wrong(line, "spike is a name, a second and a length");
    const auto start = static_cast<int64_t>(*from * kNs);
    const auto end = start + static_cast<int64_t>(*length * kNs);
    const int64_t last = run_.data().stages.back().end_ns;
    run_.data().stages.back().end_ns = start;
    run_.data().stages.push_back({PLUMB_STAGE_SPIKE, words[1], start, end});
    run_.data().stages.push_back({PLUMB_STAGE_STEADY, "after " + words[1], end, last});
    return Status::ok();
  }

  // phase ENDPOINT PHASE TIME RATE
  Status phase(const std::string& line) {
    const auto words = split(line, ' ');
    const auto seconds = words.size() == 5 ? number_of(words[3]) : std::nullopt;
    const auto rate = words.size() == 5 ? number_of(words[4]) : std::nullopt;
    if (!rate || !seconds) return wrong(line, "phase is an endpoint, a phase, a time and a rate");
    run_.histogram("http_phase_seconds", *seconds, static_cast<uint64_t>(*rate),
                   {{"endpoint", words[1]}, {"phase", words[2]}});
    return Status::ok();
  }

  // failed ENDPOINT RATE STATUS RESPONSE_TIME
  Status failed(const std::string& line) {
    const auto words = split(line, ' ');
    const auto rate = words.size() == 5 ? number_of(words[2]) : std::nullopt;
    const auto seconds = words.size() == 5 ? number_of(words[4]) : std::nullopt;
    if (!rate || !seconds)
      return wrong(line, "failed is an endpoint, a rate, a status and a response time");
    const Labels labels = {{"endpoint", words[1]}, {"outcome", "failed"}};
    run_.histogram("http_response_seconds", *seconds, static_cast<uint64_t>(*rate), labels);
    run_.histogram("http_service_seconds", *seconds, static_cast<uint64_t>(*rate), labels);
    run_.counter("http_requests_total", *rate,
                 {{"endpoint", words[1]}, {"error", ""}, {"status", words[3]}}, "requests");
    return Status::ok();
  }

  // slo METRIC LIMIT, of all requests, in seconds or a ratio
  Status slo(const std::string& line) {
    const auto words = split(line, ' ');
    const auto limit = words.size() == 3 ? number_of(words[2]) : std::nullopt;
    if (!limit) return wrong(line, "slo is a metric and a limit");
    plan_["slos"].push_back(
        {{"endpoint", ""}, {"metric", words[1]}, {"limit", *limit}, {"written", words[2]}});
    return Status::ok();
  }

  // table NAME column=cell | column=cell
  Status table(const std::string& line) {
    const auto words = split(line, ' ');
    if (words.size() < 3) return wrong(line, "table is a name and the cells of one row");
    nlohmann::json& table = tables_[words[1]];
    if (table.is_null()) table = {{"columns", nlohmann::json::array()}, {"rows", {}}};
    table["columns"] = nlohmann::json::array();
    nlohmann::json row = nlohmann::json::array();
    for (const std::string& cell : split(line.substr(line.find(words[1]) + words[1].size()), '|')) {
      const size_t at = cell.find('=');
      if (at == std::string::npos) return wrong(line, "a cell is column=text");
      table["columns"].push_back({{"key", trimmed(cell.substr(0, at))}});
      row.push_back(trimmed(cell.substr(at + 1)));
    }
    table["rows"].push_back(std::move(row));
    return Status::ok();
  }

  // event KIND SECONDS TEXT
  Status event(const std::string& line) {
    const auto words = split(line, ' ');
    const auto at = words.size() >= 4 ? number_of(words[2]) : std::nullopt;
    if (!at) return wrong(line, "event is a kind, a time and a text");
    const std::string message = trimmed(line.substr(line.find(words[2]) + words[2].size()));
    run_.data().events.push_back(
        {"test", static_cast<int64_t>(*at * 1e9), PLUMB_WARNING, words[1], message});
    return Status::ok();
  }

  // plan KEY TEXT, the key dotted
  Status plan(const std::string& line) {
    const auto words = split(line, ' ');
    if (words.size() < 3) return wrong(line, "plan is a key and a text");
    std::string key = "/" + words[1];
    std::replace(key.begin(), key.end(), '.', '/');
    plan_[nlohmann::json::json_pointer(key)] =
        trimmed(line.substr(line.find(words[1]) + words[1].size()));
    return Status::ok();
  }

  // NAME{label=value,...} VALUE, or VALUE, VALUE from SECOND; of a counter its growth a second; of
  // a gauge also FROM -> TO
  Status series(const std::string& line) {
    std::string name = line.substr(0, line.find_first_of(" {"));
    std::string rest = line.substr(name.size());
    Labels labels;
    if (rest.starts_with("{")) {
      const size_t close = rest.find('}');
      if (close == std::string::npos) return wrong(line, "labels end in }");
      for (const std::string& pair : split(rest.substr(1, close - 1), ',')) {
        const size_t at = pair.find('=');
        if (at == std::string::npos) return wrong(line, "a label is name=value");
        labels.emplace_back(pair.substr(0, at), pair.substr(at + 1));
      }
      rest = rest.substr(close + 1);
    }
    const size_t arrow = rest.find("->");
    const auto course = course_of(trimmed(rest.substr(0, arrow)));
    const auto to = arrow == std::string::npos ? std::optional(0.0)
                                               : number_of(trimmed(rest.substr(arrow + 2)));
    if (!course || !to)
      return wrong(line, "a series has a value, or from -> to, or value, value from second");
    const ListedSeries* listed = diagnose::find_listed(signals_, name);
    if (listed == nullptr || listed->is_family) return wrong(line, "no plugin lists such a series");
    if (listed->kind == PLUMB_KIND_HISTOGRAM) return wrong(line, "histograms cannot be given");
    if (listed->kind == PLUMB_KIND_COUNTER)
      counter(name, *course, labels, listed->unit);
    else if (arrow != std::string::npos)
      run_.rising_gauge(name, course->first, *to, labels, listed->unit);
    else
      gauge(name, *course, labels, listed->unit);
    return describe(line, *listed);
  }

  void counter(const std::string& name, const Course& course, const Labels& labels,
               const std::string& unit) {
    if (course.first == course.later)
      run_.counter(name, course.first, labels, unit);
    else
      run_.counter_over_time(name, course.seconds(), labels, unit);
  }

  void gauge(const std::string& name, const Course& course, const Labels& labels,
             const std::string& unit) {
    run_.gauge(name, course.first, labels, unit);
    store::SeriesData& series = run_.data().series.back();
    for (size_t i = 0; i < series.values.size(); ++i)
      if (series.times_ns[i] >= course.from_s * RunBuilder::kSecond)
        series.values[i] = course.later;
  }

  // Layer, ledger line and resource of the series that was given last are those that it is listed
  // with.
  Status describe(const std::string& line, const ListedSeries& listed) {
    SeriesInfo& info = run_.last_series();
    for (uint32_t layer = PLUMB_LAYER_NONE; layer <= PLUMB_LAYER_HOST; ++layer)
      if (!listed.layers.empty() && layer_name(layer) == listed.layers.front()) info.layer = layer;
    info.ledger_line = listed.ledger_line;
    info.resource = listed.resource;
    const std::string difference = difference_to_list(signals_, info);
    return difference.empty() ? Status::ok() : wrong(line, difference);
  }

  const SignalList& signals_;
  RunBuilder run_;
  nlohmann::json plan_ = nlohmann::json::object();
  std::map<std::string, nlohmann::json> tables_;
};

std::string share_text(const diagnose::Finding& finding) {
  std::string out = milliseconds_text(finding.cost_ms) + " ms";
  if (finding.headroom_lost) out += ", headroom " + ratio_text(*finding.headroom_lost);
  if (!finding.because_of.empty()) out += ", because of " + finding.because_of;
  return out;
}

}  // namespace

Result<GoldenFile> read_golden(const std::string& text) {
  GoldenFile out;
  std::vector<std::string>* section = nullptr;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const std::string content = trimmed(line);
    if (content.empty()) continue;
    const bool indented = line.front() == ' ';
    if (content.front() == '#' && section == nullptr) {
      out.remarks += line + "\n";
    } else if (content.front() == '#' && section == &out.given) {
      section->push_back(content);
    } else if (indented && section != nullptr) {
      section->push_back(content);
    } else if (content == "given") {
      section = &out.given;
    } else if (!indented && content.starts_with("expect ")) {
      section =
          &out.expected.emplace_back(trimmed(content.substr(7)), std::vector<std::string>()).second;
    } else {
      return wrong(line, "expected 'given', 'expect SECTION', or an indented line below one");
    }
  }
  return out;
}

Result<store::RunData> golden_run(const std::vector<std::string>& given,
                                  const SignalList& signals) {
  int64_t seconds = 10;
  for (const std::string& line : given)
    if (line.starts_with("steady "))
      seconds = static_cast<int64_t>(number_of(trimmed(line.substr(7))).value_or(10));
  GivenRun run(signals, seconds);
  for (const std::string& line : given)
    if (!line.starts_with("#")) PLUMB_RETURN_IF_ERROR(run.take(line));
  return run.finish();
}

Result<GoldenAnswer> golden_answer(const store::RunData& run) {
  facts::FactSet facts = facts::compute(run);
  PLUMB_ASSIGN_OR_RETURN(const Diagnosis d, diagnose::diagnose(run, facts));
  if (!d.notes.empty()) return Status::invalid_argument(d.notes.front());
  GoldenAnswer out;
  out.push_back({"verdict", {d.verdict.label, d.verdict.conclusion}});
  std::vector<std::string> causes;
  for (const diagnose::Finding& finding : d.findings)
    causes.push_back(finding.cause + "  " + share_text(finding));
  if (causes.empty()) causes.emplace_back("none");
  out.push_back({"causes", causes});
  if (!d.findings.empty()) {
    const diagnose::Finding& first = d.findings.front();
    std::vector<std::string> advice;
    if (!first.what_if.empty()) advice.push_back(first.what_if);
    advice.push_back("check: " + first.check);
    for (const std::string& line : first.advice) advice.push_back("do: " + line);
    out.push_back({"advice", advice});
  }
  if (!d.changes.empty()) {
    std::vector<std::string> changes;
    for (const diagnose::Change& change : d.changes) changes.push_back(change.sentence);
    out.push_back({"changes", changes});
  }
  std::vector<std::string> matrix;
  for (const diagnose::MatrixRow& row : d.matrix)
    matrix.push_back(row.component + " | " + row.metric + " | " + row.expected + " | " +
                     row.actual + " | " +
                     (row.cost_ms ? milliseconds_text(*row.cost_ms) + " ms" : "–") + " | " +
                     std::string(diagnose::row_state_name(row.state)));
  out.push_back({"matrix", matrix});
  std::vector<std::string> ledger;
  for (const diagnose::LedgerLine& line : d.ledger.lines)
    ledger.push_back(line.key + "  " + milliseconds_text(line.ms) + " ms");
  out.push_back({"ledger", ledger});
  return out;
}

std::string golden_text(const GoldenFile& file, const GoldenAnswer& answer) {
  std::string out = file.remarks + "\ngiven\n";
  for (const std::string& line : file.given) out += "  " + line + "\n";
  for (const auto& [section, lines] : answer) {
    const bool wanted =
        file.expected.empty() ||
        std::any_of(file.expected.begin(), file.expected.end(),
                    [&name = section](const auto& expected) { return expected.first == name; });
    if (!wanted) continue;
    out += "\nexpect " + section + "\n";
    for (const std::string& line : lines) out += "  " + line + "\n";
  }
  return out;
}

std::string difference_of(const std::vector<std::string>& expected,
                          const std::vector<std::string>& actual) {
  // The longest common subsequence, from the end.
  std::vector<std::vector<size_t>> common(expected.size() + 1,
                                          std::vector<size_t>(actual.size() + 1, 0));
  for (size_t i = expected.size(); i-- > 0;)
    for (size_t j = actual.size(); j-- > 0;)
      common[i][j] = expected[i] == actual[j] ? common[i + 1][j + 1] + 1
                                              : std::max(common[i + 1][j], common[i][j + 1]);
  std::string out;
  size_t i = 0;
  size_t j = 0;
  while (i < expected.size() || j < actual.size()) {
    if (i < expected.size() && j < actual.size() && expected[i] == actual[j]) {
      out += "    " + expected[i++] + "\n";
      ++j;
    } else if (j == actual.size() ||
               (i < expected.size() && common[i + 1][j] >= common[i][j + 1])) {
      out += "  - " + expected[i++] + "\n";
    } else {
      out += "  + " + actual[j++] + "\n";
    }
  }
  return out;
}

}  // namespace plumb::testing
