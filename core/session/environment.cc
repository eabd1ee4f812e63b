#include "core/session/environment.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace plumb::session {
namespace {

using nlohmann::json;

// The text behind `key` and its colon in the first line that begins with it.
std::string field_of(const std::filesystem::path& file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return {};
}

void add_plugin(json& plugins, const engine::Catalog& catalog, const std::string& name) {
  const auto entry = catalog.find(name);
  if (entry.is_ok()) plugins[name] = entry.value()->manifest.version;
}

}  // namespace

std::string_view version() { return PLUMB_VERSION; }

json describe_environment(const plan::Plan& plan, const engine::Catalog& catalog,
                          const std::filesystem::path& root) {
  json out = {{"plumb", version()}};
  utsname names{};
  if (::uname(&names) == 0) {
    out["kernel"] = std::string(names.sysname) + " " + names.release;
    out["machine"] = names.machine;
  }
  if (const std::string model = field_of(root / "proc/cpuinfo", "model name"); !model.empty())
    out["processor"] = model;
  if (const long processors = ::sysconf(_SC_NPROCESSORS_ONLN); processors > 0)
    out["processors"] = processors;
  std::istringstream memory(field_of(root / "proc/meminfo", "MemTotal"));
  if (int64_t kib = 0; memory >> kib) out["memory_bytes"] = kib * 1024;
  json plugins = json::object();
  add_plugin(plugins, catalog, plan.load.plugin);
  for (const plan::PluginUse& use : plan.plugins) add_plugin(plugins, catalog, use.name);
  out["plugins"] = std::move(plugins);
  return out;
}

}  // namespace plumb::session
