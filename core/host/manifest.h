// What a plugin says of itself: read from the library by plumb-host, written beside it as
// <name>.plugin.json at build time, and read from there by everything that must not run plugin
// code (listing, validation of plans, documentation).
#ifndef PLUMB_CORE_HOST_MANIFEST_H_
#define PLUMB_CORE_HOST_MANIFEST_H_

#include <plumb/abi/plugin.h>

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::host {

// One row of a plugin's option table; see plumb_option. Limits and the default are as a user would
// write them in a plan ("100ms", "64KiB").
struct OptionInfo {
  std::string key;
  uint32_t type = PLUMB_OPTION_STRING;  // enum plumb_option_type
  std::optional<std::string> unit = {};
  std::optional<std::string> default_value = {};
  std::optional<std::string> minimum = {};
  std::optional<std::string> maximum = {};
  std::vector<std::string> one_of = {};  // empty: any
  bool required = false;
  bool secret = false;
  std::string help = {};
};

struct Manifest {
  std::string name;
  std::string version;
  uint32_t role = PLUMB_ROLE_SAMPLER;  // enum plumb_role
  std::string summary;
  uint32_t abi_major = PLUMB_ABI_MAJOR;
  uint32_t abi_minor = PLUMB_ABI_MINOR;  // the minor it was built against
  std::string file;                      // name of the library, in the manifest's directory
  int64_t default_interval_ns = 0;
  std::vector<std::string> needs;  // "network", "proc", "subprocess"
  std::vector<OptionInfo> options;

  // nullptr when the plugin has no such option.
  const OptionInfo* option(std::string_view key) const;
};

// "string", "integer", "number", "boolean", "duration", "size", "path"; "unknown".
std::string_view option_type_name(uint32_t type);

// As the sidecar file holds it, indented, with a line feed at the end.
std::string manifest_json(const Manifest& manifest);

// Reads what manifest_json wrote; untrusted: every field is checked. The error says which is wrong.
Result<Manifest> parse_manifest(std::string_view json);

// Whether `text` is [a-z][a-z0-9_]* of at most `most` bytes: names of plugins, options, series.
bool is_identifier(std::string_view text, size_t most = 128);

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_MANIFEST_H_
