// The plugins that are there to be used. Reads sidecar manifests and rule files only: no plugin
// code runs here. Immutable once scanned, so safe to read from any thread.
#ifndef PLUMB_CORE_ENGINE_CATALOG_H_
#define PLUMB_CORE_ENGINE_CATALOG_H_

#include <filesystem>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/manifest.h"

namespace plumb::engine {

// A file of rules or signals that a plugin brought, unparsed.
struct RuleFile {
  std::filesystem::path path;
  std::string text;
};

struct CatalogEntry {
  host::Manifest manifest;
  std::filesystem::path library;  // absolute
  std::vector<RuleFile> rules;    // <name>.rules/*.yaml, ascending by path
  // <name>.signals.yaml: the series that it may emit, against which rules are checked.
  std::optional<RuleFile> signals;
};

// Something that looked like a plugin, or a directory of them, and was not taken.
struct Refusal {
  std::filesystem::path path;
  Status why;
};

class Catalog {
 public:
  // Where plugins are looked for, first one first: PLUMB_PLUGIN_PATH (colon-separated),
  // <directory of this executable>/../lib/plumb/plugins, /usr/local/lib/plumb/plugins,
  // /usr/lib/plumb/plugins. Doubles are left out.
  static std::vector<std::filesystem::path> default_directories();

  // Takes every <name>.plugin.json in the directories whose files can be trusted: directory,
  // manifest, library, rules and signals are owned by root or the current user, and neither group
  // nor others may write to them. Of two plugins of one name the one found first is taken. A
  // directory that does not exist is passed over; everything else that is not taken is in
  // refusals().
  static Catalog scan(const std::vector<std::filesystem::path>& directories);

  // Ascending by name.
  const std::vector<CatalogEntry>& entries() const { return entries_; }
  const std::vector<Refusal>& refusals() const { return refusals_; }
  const std::vector<std::filesystem::path>& directories() const { return directories_; }

  // The plugin of that name; the pointer lives as long as the catalog. NOT_FOUND says which name
  // may have been meant, or why the plugin of that name was refused.
  Result<const CatalogEntry*> find(std::string_view name) const;

 private:
  void scan_directory(const std::filesystem::path& directory);
  void take(const std::filesystem::path& manifest_path);

  std::vector<std::filesystem::path> directories_;
  std::vector<CatalogEntry> entries_;
  std::vector<Refusal> refusals_;
};

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_CATALOG_H_
