// A flame graph: one box for each frame, as wide as it weighs, its callers above it. The picture is
// whole without a script; the page's script zooms into it and searches it.
#ifndef PLUMB_CORE_REPORT_SVG_FLAME_H_
#define PLUMB_CORE_REPORT_SVG_FLAME_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::report {

// Colours of boxes, as classes of the style sheet.
// A warm colour that the name alone decides; grey for what was folded together.
std::string flame_tone(std::string_view name);
// Red where `change` is above zero, blue where it is below, the stronger the larger: a change is
// a share of the whole.
std::string change_tone(double change);

struct FlameBox {
  size_t parent = 0;  // an earlier box; of the first one, which is the root, without meaning
  std::string name;   // plain text of unknown origin, as is what follows
  std::string told;   // what is said of it beside its name
  double weight = 0;
  std::string tone;  // from the functions above
};

struct FlameGraph {
  std::string svg;
  size_t left_out = 0;  // boxes, the lightest, for want of room
};

// Boxes of one parent stand in their order. `label` says what is shown, for those who cannot see
// it. The heaviest boxes are drawn, as many as fit into `bytes`.
FlameGraph flame_svg(const std::vector<FlameBox>& boxes, const std::string& label, size_t bytes);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_SVG_FLAME_H_
