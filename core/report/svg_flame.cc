#include "core/report/svg_flame.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numeric>

#include "core/report/html_text.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

constexpr int kRowHeight = 17;
constexpr uint32_t kWarmTones = 10;
constexpr size_t kLongestName = 160;  // columns, in a tooltip
// Of a page as wide as it gets: a character of a box's name, and the least that is worth writing.
constexpr double kCharacterPercent = 0.68;
constexpr double kTextPercent = 2;
// Changes below the first of these shares are none; each further one is a stronger colour.
constexpr std::array<double, 5> kChanges = {0.001, 0.005, 0.02, 0.05, 0.1};

// Three decimals: a thousandth of a percent is far less than a pixel, even zoomed in.
std::string percent(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.3f", std::clamp(value, 0.0, 100.0));
  std::string out = buffer.data();
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out + "%";
}

struct PlacedBox {
  size_t depth = 0;
  double x = 0;  // both in percent of the root
  double width = 0;
  double taken = 0;  // by the boxes below it, from its left end
};

// Where each box stands. One that is wider than what its caller leaves, as rounded or forged
// numbers may have it, is cut.
std::vector<PlacedBox> place(const std::vector<FlameBox>& boxes) {
  std::vector<PlacedBox> out(boxes.size());
  const double whole = boxes[0].weight;
  out[0].width = 100;
  for (size_t i = 1; i < boxes.size(); ++i) {
    PlacedBox& parent = out[boxes[i].parent];
    const double wanted = whole > 0 ? 100 * boxes[i].weight / whole : 0;
    out[i].depth = parent.depth + 1;
    out[i].x = parent.x + parent.taken;
    out[i].width = std::clamp(wanted, 0.0, std::max(parent.width - parent.taken, 0.0));
    parent.taken += out[i].width;
  }
  return out;
}

std::string box_svg(const FlameBox& box, const PlacedBox& at) {
  const std::string name = shortened(one_line(box.name), kLongestName);
  std::string out = "<svg x=\"" + percent(at.x) + "\" width=\"" + percent(at.width) +
                    "\" class=\"" + box.tone + "\"><title>" + name + "\n" +
                    escape(one_line(box.told)) + "</title><rect width=\"100%\" height=\"16\"/>";
  if (at.width >= kTextPercent) {
    const auto room = static_cast<size_t>(at.width / kCharacterPercent);
    out += "<text x=\"3\" y=\"12\">" + shortened(one_line(box.name), room) + "</text>";
  }
  return out + "</svg>";
}

}  // namespace

std::string flame_tone(std::string_view name) {
  if (name == "(other)") return "w-other";
  uint32_t hash = 2'166'136'261;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return "w" + std::to_string(hash % kWarmTones);
}

std::string change_tone(double change) {
  const auto step = std::count_if(kChanges.begin(), kChanges.end(),
                                  [&](double least) { return std::fabs(change) >= least; });
  if (step == 0) return "d0";
  return (change > 0 ? "more" : "less") + std::to_string(step);
}

FlameGraph flame_svg(const std::vector<FlameBox>& boxes, const std::string& label, size_t bytes) {
  FlameGraph out;
  if (boxes.empty()) return out;
  const std::vector<PlacedBox> places = place(boxes);
  std::vector<size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // A box is never wider than its caller and comes after it, so callers are drawn first.
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return places[a].width > places[b].width; });
  std::vector<std::string> drawn(boxes.size());
  size_t used = 0;
  for (const size_t i : order) {
    if (i != 0 && (used > bytes || places[i].width <= 0)) {
      ++out.left_out;
      continue;
    }
    drawn[i] = box_svg(boxes[i], places[i]);
    used += drawn[i].size();
    // No narrower one may come behind one that was left out: `used` stays too large.
    if (i == 0 || used <= bytes) continue;
    drawn[i].clear();
    ++out.left_out;
  }
  std::vector<std::string> rows;
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (drawn[i].empty()) continue;
    if (rows.size() <= places[i].depth) rows.resize(places[i].depth + 1);
    rows[places[i].depth] += drawn[i];
  }
  out.svg = "<svg class=\"flames\" height=\"" + std::to_string(rows.size() * kRowHeight) +
            "\" role=\"img\" aria-label=\"" + escape(label) + "\">";
  for (size_t depth = 0; depth < rows.size(); ++depth)
    out.svg += "<svg y=\"" + std::to_string(depth * kRowHeight) + "\" height=\"17\">" +
               rows[depth] + "</svg>\n";
  out.svg += "</svg>";
  return out;
}

}  // namespace plumb::report
