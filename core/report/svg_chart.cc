#include "core/report/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/number_text.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/plain_text.h"
#include "core/report/svg_plot.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostTableRows = 60;
constexpr size_t kDotsOnALongLine = 12;
constexpr size_t kDotsOnAShortLine = 40;  // up to this many, every value has its dot
constexpr size_t kFineLine = 200;         // beyond this many, the line is drawn thinner
constexpr size_t kStyles = 6;
constexpr double kCharacterShare = 0.0215;  // of a plot's width on a phone
constexpr double kLabelledHeight = 150;     // lower charts shade the stages without naming them

std::string style_of(size_t line) { return "s" + std::to_string(line % kStyles); }

std::string value_in(double value, const std::string& unit) {
  return unit == "ms" ? milliseconds_text(value) + " ms" : value_text(value, unit);
}

std::string_view unit_name(const std::string& unit) {
  if (unit == "ratio" || unit == "bytes" || unit == "1" || unit.empty()) return {};
  if (unit == "seconds/s") return "processors";
  return unit;
}

class Drawing {
 public:
  Drawing(const TimeChart& chart, const TimeAxis& axis, double top)
      : chart_(chart), axis_(axis), top_(top) {}

  std::string svg() const {
    std::string out = stages();
    for (size_t i = chart_.lines.size(); i-- > 0;) out += line(i);
    return out;
  }

 private:
  double x_of(double seconds) const {
    return kPlotWidth * (seconds - axis_.begin_s()) / (axis_.end_s() - axis_.begin_s());
  }
  // A value is told of its interval, so it stands in the middle of it.
  double x_at(size_t i) const { return x_of(axis_.starts_s[i] + axis_.interval_s / 2); }
  double y_of(double value) const {
    return chart_.height * (1 - std::clamp(value / top_, 0.0, 1.0));
  }

  std::string stages() const {
    std::string out;
    for (const ChartStage& stage : axis_.stages) {
      if (stage.kind == "steady") continue;
      const double from = std::clamp(x_of(stage.start_s), 0.0, kPlotWidth);
      const double to = std::clamp(x_of(stage.end_s), 0.0, kPlotWidth);
      if (to - from < 0.5) continue;
      out += "<rect class=\"off\" x=\"" + coordinate(from) + "\" y=\"0\" width=\"" +
             coordinate(to - from) + "\" height=\"" + coordinate(chart_.height) + "\"/>";
    }
    return out;
  }

  std::string line(size_t index) const {
    const auto& values = chart_.lines[index].values;
    const size_t size = std::min(values.size(), axis_.starts_s.size());
    const auto known = static_cast<size_t>(
        std::count_if(values.begin(), values.begin() + static_cast<ptrdiff_t>(size),
                      [](const auto& v) { return v.has_value(); }));
    const size_t every = known <= kDotsOnAShortLine ? 1 : known / kDotsOnALongLine;
    std::string path;
    std::string dots;
    bool pen_down = false;
    size_t seen = 0;
    for (size_t i = 0; i < size; ++i) {
      if (!values[i]) {
        pen_down = false;
        continue;
      }
      const std::string at = coordinate(x_at(i)) + " " + coordinate(y_of(*values[i]));
      const bool alone = !pen_down && (i + 1 == size || !values[i + 1]);
      path += (pen_down ? "L" : "M") + at;
      pen_down = true;
      // Lines put their dots at different places, so that one does not hide another's.
      if (alone || (seen + index * every / std::max<size_t>(chart_.lines.size(), 1)) % every == 0)
        dots += "M" + at + "h0";
      ++seen;
    }
    if (path.empty()) return {};
    const std::string style = style_of(index);
    const std::string fine = known > kFineLine ? " fine" : "";
    return "<path class=\"line " + style + fine + "\" d=\"" + path + "\"/><path class=\"dot " +
           style + "\" d=\"" + dots + "\"/>";
  }

  const TimeChart& chart_;
  const TimeAxis& axis_;
  const double top_;
};

double largest_of(const TimeChart& chart) {
  double largest = 0;
  for (const ChartLine& line : chart.lines)
    for (const auto& value : line.values)
      if (value) largest = std::max(largest, *value);
  return largest;
}

// What someone who cannot see the chart is told of it.
std::string summary(const TimeChart& chart) {
  std::string out;
  for (const ChartLine& line : chart.lines) {
    double low = 0;
    double high = 0;
    double sum = 0;
    size_t count = 0;
    for (const auto& value : line.values) {
      if (!value) continue;
      low = count == 0 ? *value : std::min(low, *value);
      high = count == 0 ? *value : std::max(high, *value);
      sum += *value;
      ++count;
    }
    out += (out.empty() ? "" : "; ") + cut(line.name, 40) + " ";
    out += count == 0 ? "without values"
                      : value_in(low, chart.unit) + " to " + value_in(high, chart.unit) +
                            ", mean " + value_in(sum / static_cast<double>(count), chart.unit);
  }
  return out;
}

std::string legend(const TimeChart& chart) {
  std::string out = "<ul class=\"legend\">";
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    const std::string style = style_of(i);
    out +=
        "<li><svg class=\"key\" width=\"30\" height=\"10\" aria-hidden=\"true\"><path "
        "class=\"line " +
        style + "\" d=\"M1 5H29\"/><path class=\"dot " + style + "\" d=\"M15 5h0\"/></svg>" +
        shortened(chart.lines[i].name, 60) + "</li>";
  }
  return out + "</ul>";
}

// The stage's name, as much of it as fits into `share` of a plot on a phone.
std::string stage_text(const ChartStage& stage, double share) {
  constexpr size_t kShortest = 4;  // columns of a name that is cut
  const bool named = !stage.name.empty() && stage.name != stage.kind;
  const std::string words = named                      ? stage.name
                            : stage.kind == "warmup"   ? "warm-up"
                            : stage.kind == "cooldown" ? "cool-down"
                                                       : stage.kind;
  const auto room = static_cast<size_t>(share / kCharacterShare);
  if (columns_of(words) < room) return words;
  return room > kShortest ? cut(words, room - 1) : std::string();
}

std::string table(const TimeChart& chart, const TimeAxis& axis) {
  std::vector<HtmlColumn> columns = {{"from (s)", ColumnKind::kNumber}};
  for (const ChartLine& line : chart.lines)
    columns.push_back({cut(line.name, 60), ColumnKind::kNumber});
  const size_t size = axis.starts_s.size();
  const size_t every = (size + kMostTableRows - 1) / kMostTableRows;
  std::string caption = chart.title;
  if (every > 1)
    caption += ", every " + std::to_string(every) + "th interval (report.json has all)";
  HtmlTable rows(chart.id + "-table", caption, std::move(columns));
  for (size_t i = 0; i < size; i += std::max<size_t>(every, 1)) {
    std::vector<std::string> cells = {grouped(axis.starts_s[i], 1)};
    for (const ChartLine& line : chart.lines)
      cells.push_back(i < line.values.size() && line.values[i]
                          ? escape(value_in(*line.values[i], chart.unit))
                          : "–");
    rows.add_row(cells);
  }
  return "<details><summary>Numbers<span class=\"hidden\"> of " + shortened(chart.title, 80) +
         "</span></summary>" + rows.html() + "</details>";
}

}  // namespace

std::vector<Tick> stage_texts(const std::vector<ChartStage>& stages, double begin_s, double end_s) {
  std::vector<Tick> out;
  const double length = end_s - begin_s;
  for (const ChartStage& stage : stages) {
    const double from = std::clamp((stage.start_s - begin_s) / length, 0.0, 1.0);
    const double to = std::clamp((stage.end_s - begin_s) / length, 0.0, 1.0);
    if (std::string words = stage_text(stage, to - from); !words.empty())
      out.push_back({(from + to) / 2, std::move(words)});
  }
  return out;
}

bool has_points(const TimeChart& chart) {
  return std::any_of(chart.lines.begin(), chart.lines.end(), [](const ChartLine& line) {
    return std::any_of(line.values.begin(), line.values.end(),
                       [](const auto& v) { return v.has_value(); });
  });
}

std::string time_chart_html(const TimeChart& chart, const TimeAxis& axis) {
  const double largest = largest_of(chart);
  double top = round_above(largest, chart.unit);
  // A share is read against the whole, unless it is a small one; by a little noise it may pass it.
  if (chart.unit == "ratio" && top > 0.25 && largest <= 1.25) top = std::max(1.0, largest * 1.02);
  PlotFrame frame;
  frame.label = cut(chart.title, 80) + ": " + summary(chart);
  frame.height = chart.height;
  frame.y = linear_ticks(0, top, chart.height < kLabelledHeight ? 3 : 5, chart.unit);
  frame.x = time_ticks(axis.begin_s(), axis.end_s());
  if (chart.height >= kLabelledHeight)
    frame.top = stage_texts(axis.stages, axis.begin_s(), axis.end_s());
  frame.drawing = Drawing(chart, axis, top).svg();
  std::string title = shortened(chart.title, 90);
  if (const std::string_view unit = unit_name(chart.unit); !unit.empty())
    title += " <span class=\"unit\">" + shortened(unit, 30) + "</span>";
  const std::string names =
      chart.lines.size() == 1 && chart.lines[0].name.empty() ? "" : legend(chart);
  return "<figure class=\"chart\" id=\"" + chart.id + "\"><figcaption>" + title + "</figcaption>" +
         names + plot_html(frame) + table(chart, axis) + "</figure>\n";
}

json time_chart_data(const TimeChart& chart, const TimeAxis& axis) {
  json lines = json::array();
  for (const ChartLine& line : chart.lines) {
    json values = json::array();
    for (const auto& value : line.values) {
      if (!value) {
        values.push_back(nullptr);
        continue;
      }
      // Three digits are all that a tooltip shows.
      const double size = std::fabs(*value);
      const double scale =
          size > 0 ? std::pow(10.0, std::max(0.0, 3 - std::floor(std::log10(size)))) : 1;
      const double rounded = std::round(*value * scale) / scale;
      values.push_back(std::isfinite(rounded) ? json(rounded) : json(*value));
    }
    lines.push_back({{"name", cut(line.name, 60)}, {"values", std::move(values)}});
  }
  return {{"id", chart.id},
          {"unit", cut(one_line(chart.unit), 30)},
          {"begin", axis.begin_s()},
          {"interval", axis.interval_s},
          {"lines", std::move(lines)}};
}

}  // namespace plumb::report
