#include "core/imports/formats.h"

#include "core/imports/flat_json.h"

namespace plumb::imports {
namespace {

constexpr size_t kMostKeysShown = 12;

// What could be told of a file that no format knows.
std::string impression(const std::vector<std::string>& head) {
  if (head.empty()) return "the file is empty";
  const std::string& first = head.front();
  if (first.find('\0') != std::string::npos) return "it is not a text";
  FlatJson json;
  if (!json.parse(first)) {
    std::string keys;
    for (size_t i = 0; i < json.size() && i < kMostKeysShown; ++i)
      keys += (keys.empty() ? "" : ", ") + json[i].path;
    return "its first line is a JSON object with " + keys +
           "; an access log needs a time, a duration and a status: name them with --map "
           "time=...,duration=...,status=...";
  }
  constexpr size_t kMostShown = 80;
  return "it begins with '" + first.substr(0, kMostShown) + "'";
}

}  // namespace

const std::vector<Format>& formats() {
  // Those that only few files can be come first.
  static const std::vector<Format> all = {
      k6_json_format(),        k6_csv_format(),       jmeter_csv_format(), jmeter_xml_format(),
      locust_history_format(), locust_stats_format(), hey_csv_format(),    wrk_format(),
      h2load_format(),         access_log_format()};
  return all;
}

std::vector<std::string> format_names() {
  std::vector<std::string> out;
  for (const Format& format : formats()) out.emplace_back(format.name);
  return out;
}

const Format* find_format(std::string_view name) {
  for (const Format& format : formats())
    if (format.name == name) return &format;
  return nullptr;
}

Result<const Format*> recognise(const std::vector<std::string>& head,
                                const ReaderOptions& options) {
  for (const Format& format : formats())
    if (format.recognises(head, options)) return &format;
  std::string names;
  for (const Format& format : formats())
    names += (names.empty() ? "" : ", ") + std::string(format.title);
  return Status::invalid_argument("the format is not known: " + impression(head) +
                                  ". Known are: " + names + ". --format says which it is");
}

}  // namespace plumb::imports
