#include "core/base/json_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/report.h"

namespace plumb::report {
namespace {

using nlohmann::json;

// RFC 4180: quoted where it must be, quotes doubled. A spreadsheet would run text that begins like
// a formula, so such text gets an apostrophe in front.
std::string field(const std::string& text) {
  std::string value = text;
  if (!value.empty() && std::string_view("=+-@\t\r").find(value[0]) != std::string_view::npos)
    value.insert(0, 1, '\'');
  if (value.find_first_of(",\"\r\n") == std::string::npos) return value;
  std::string out = "\"";
  for (const char c : value) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

// The shortest text that reads back as the same number.
std::string figure(const std::optional<double>& value) {
  if (!value) return {};
  std::string out = json(*value).dump();
  if (out.size() > 2 && out.compare(out.size() - 2, 2, ".0") == 0) out.resize(out.size() - 2);
  return out;
}

std::string labels_field(const json& labels) {
  std::string out;
  if (!labels.is_object()) return out;
  for (const auto& [name, value] : labels.items())
    out += (out.empty() ? "" : ";") + one_line(name) + "=" +
           (value.is_string() ? one_line(value.get_ref<const std::string&>()) : json_text(value));
  return out;
}

}  // namespace

std::string to_csv(const json& report) {
  std::string out = "id,name,value,unit,labels,window_start_s,window_end_s,source\r\n";
  for (const json& fact : list(report, "facts")) {
    const json& window = member(fact, "window");
    out += field(text(fact, "id")) + "," + field(text(fact, "name")) + "," +
           figure(number(fact, "value")) + "," + field(text(fact, "unit")) + "," +
           field(labels_field(member(fact, "labels"))) + "," + figure(number(window, "start_s")) +
           "," + figure(number(window, "end_s")) + "," + field(text(fact, "source")) + "\r\n";
  }
  return out;
}

}  // namespace plumb::report
