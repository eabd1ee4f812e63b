#include "core/base/json_text.h"
#include "core/report/csv_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/report.h"

namespace plumb::report {
namespace {

using nlohmann::json;

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
    out += csv_field(text(fact, "id")) + "," + csv_field(text(fact, "name")) + "," +
           csv_figure(number(fact, "value")) + "," + csv_field(text(fact, "unit")) + "," +
           csv_field(labels_field(member(fact, "labels"))) + "," +
           csv_figure(number(window, "start_s")) + "," + csv_figure(number(window, "end_s")) + "," +
           csv_field(text(fact, "source")) + "\r\n";
  }
  return out;
}

}  // namespace plumb::report
