// A plugin's shared library, opened and looked over. The one place that loads plugin code; only
// plumb-host does so.
#ifndef PLUMB_CORE_HOST_LIBRARY_H_
#define PLUMB_CORE_HOST_LIBRARY_H_

#include <plumb/abi/plugin.h>

#include <filesystem>
#include <memory>
#include <plumb/status.hpp>

#include "core/host/manifest.h"

namespace plumb::host {

class Library {
 public:
  // Loads `path` with every symbol bound at once and reads its entry. What this host cannot serve
  // is refused with a sentence that says what to do: UNSUPPORTED for another ABI, NOT_FOUND for a
  // file that is not there, INVALID_ARGUMENT for what is no plugin or breaks the header's rules.
  static Result<Library> open(const std::filesystem::path& path);

  Library(Library&&) noexcept;
  Library& operator=(Library&&) noexcept;
  ~Library();

  // The plugin's table as this host knows it: fields that the plugin's own did not have are zero.
  const plumb_plugin& table() const { return table_; }
  const Manifest& manifest() const { return manifest_; }

 private:
  struct Loaded;
  explicit Library(std::unique_ptr<Loaded> loaded);

  std::unique_ptr<Loaded> loaded_;
  plumb_plugin table_{};
  Manifest manifest_;
};

// Checks a table and fills a manifest from it. `table` may be shorter or longer than this header's;
// `known` receives as much of it as this host understands. Used by open(), apart for tests.
Result<Manifest> read_table(const plumb_plugin* table, plumb_plugin& known);

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_LIBRARY_H_
