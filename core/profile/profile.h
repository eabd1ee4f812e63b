// The stack profiles of a run, merged over a window of it.
#ifndef PLUMB_CORE_PROFILE_PROFILE_H_
#define PLUMB_CORE_PROFILE_PROFILE_H_

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/facts/facts.h"
#include "core/profile/call_tree.h"
#include "core/store/run_file.h"

namespace plumb::profile {

struct Profile {
  std::string plugin;
  std::string name;  // on_cpu, off_cpu, ...
  std::string unit;  // seconds, bytes, 1
  std::string help;
  uint32_t layer = PLUMB_LAYER_NONE;  // enum plumb_layer
  CallTree tree;
  double total = 0;

  // What the plugin and the profile are called together, where its name alone is not enough.
  std::string full_name() const { return plugin + ":" + name; }
};

// Every profile of the run by plugin, on_cpu first, then by name; empty for a run without any. Of a
// batch that the window cuts, the share counts that lies inside. Without a window: the whole run.
// A profile that has nothing in the window is there, with a total of zero.
Result<std::vector<Profile>> load_profiles(const store::RunData& run,
                                           const std::optional<facts::Window>& window);

// The profile of that name, or of that plugin and name as plugin:name. An empty name asks for the
// only profile, or on_cpu where there are several. NOT_FOUND says which there are.
Result<Profile> choose_profile(std::vector<Profile> profiles, std::string_view name);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_PROFILE_H_
