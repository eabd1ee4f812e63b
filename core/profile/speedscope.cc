#include "core/profile/speedscope.h"

#include <map>
#include <nlohmann/json.hpp>

#include "core/base/json_text.h"

namespace plumb::profile {
namespace {

using nlohmann::json;

// Frames are shared by all profiles of a file.
class Frames {
 public:
  size_t index_of(const std::string& name) {
    const auto [at, added] = indices_.emplace(name, indices_.size());
    if (added) text_ += (text_.empty() ? "" : ",") + json_text({{"name", name}});
    return at->second;
  }
  const std::string& text() const { return text_; }

 private:
  std::map<std::string, size_t> indices_;
  std::string text_;
};

std::string unit_name(const std::string& unit) {
  return unit == "seconds" || unit == "bytes" ? unit : "none";
}

// Written as text: a profile may have as many numbers as would fill memory as JSON values.
std::string profile_text(const Profile& profile, Frames& frames) {
  std::string samples;
  std::string weights;
  std::vector<std::string> path;  // the index of each frame
  double sum = 0;
  profile.tree.walk([&](uint32_t index, size_t depth) {
    if (index == CallTree::kRoot) return;
    const CallTree::Node& node = profile.tree.nodes()[index];
    path.resize(depth - 1);
    path.push_back(std::to_string(frames.index_of(profile.tree.name_of(node))));
    const double weight = node.self[kRun];
    if (!(weight > 0)) return;
    sum += weight;
    samples += samples.empty() ? "[" : ",[";
    for (size_t i = 0; i < path.size(); ++i) samples.append(i == 0 ? "" : ",").append(path[i]);
    samples += "]";
    weights.append(weights.empty() ? "" : ",").append(json(weight).dump());
  });
  return R"({"type":"sampled","name":)" + json_text(json(profile.name)) + R"(,"unit":")" +
         unit_name(profile.unit) + R"(","startValue":0,"endValue":)" + json(sum).dump() +
         R"(,"samples":[)" + samples + R"(],"weights":[)" + weights + "]}";
}

}  // namespace

std::string speedscope_text(const std::vector<Profile>& profiles, const std::string& title) {
  Frames frames;
  std::string list;
  for (const Profile& profile : profiles)
    list += (list.empty() ? "" : ",\n") + profile_text(profile, frames);
  return R"({"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"plumb",)"
         R"("name":)" +
         json_text(json(title)) +
         R"(,"activeProfileIndex":0,)"
         "\n\"shared\":{\"frames\":[" +
         frames.text() + "]},\n\"profiles\":[" + list + "]}\n";
}

}  // namespace plumb::profile
