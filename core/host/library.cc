#include "core/host/library.h"

#include <boost/dll/shared_library.hpp>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string>
#include <system_error>

#include "core/host/abi_struct.h"

namespace plumb::host {
namespace {

namespace dll = boost::dll;

// What minor 0 of the header had: no table can be smaller, and one far larger is no table.
constexpr uint32_t kLeastPlugin =
    offsetof(plumb_plugin, get_extension) + sizeof(plumb_plugin::get_extension);
constexpr uint32_t kLeastDescriptor =
    offsetof(plumb_descriptor, needs) + sizeof(plumb_descriptor::needs);
constexpr uint32_t kLeastOption = offsetof(plumb_option, help) + sizeof(plumb_option::help);
constexpr uint32_t kMostOptions = 256;
constexpr size_t kMostStrings = 256;

constexpr std::string_view kRebuild = "; rebuild the plugin against this plumb's SDK";

bool plausible(uint32_t struct_size, uint32_t least) {
  return struct_size >= least && struct_size <= kMostStruct && struct_size % alignof(void*) == 0;
}

Status wrong_size(const std::string& what, uint32_t size, uint32_t least) {
  return Status::unsupported(what + " says it is " + std::to_string(size) +
                             " bytes, and no release of the ABI had one under " +
                             std::to_string(least) + std::string(kRebuild));
}

std::optional<std::string> optional_of(const char* text) {
  if (text == nullptr) return std::nullopt;
  return std::string(text);
}

std::vector<std::string> list_of(const char* const* list) {
  std::vector<std::string> out;
  for (; list != nullptr && *list != nullptr && out.size() < kMostStrings; ++list) {
    out.emplace_back(*list);
  }
  return out;
}

Result<OptionInfo> read_option(const plumb_option& option, const std::string& where) {
  OptionInfo out;
  out.key = text_of(option.key);
  if (!is_identifier(out.key)) {
    return Status::invalid_argument(where + "the key of an option is not [a-z][a-z0-9_]*");
  }
  if (option.type < PLUMB_OPTION_STRING || option.type > PLUMB_OPTION_PATH) {
    return Status::invalid_argument(where + "option " + out.key + " has the unknown type " +
                                    std::to_string(option.type));
  }
  out.type = option.type;
  out.unit = optional_of(option.unit);
  out.default_value = optional_of(option.default_value);
  out.minimum = optional_of(option.minimum);
  out.maximum = optional_of(option.maximum);
  out.one_of = list_of(option.one_of);
  out.required = option.required != 0;
  out.secret = option.secret != 0;
  out.help = text_of(option.help);
  return out;
}

Status read_options(const plumb_descriptor& descriptor, const std::string& where, Manifest& out) {
  if (descriptor.option_count == 0) return Status::ok();
  if (descriptor.options == nullptr || descriptor.option_count > kMostOptions) {
    return Status::invalid_argument(where + "the option table is missing or has more than " +
                                    std::to_string(kMostOptions) + " rows");
  }
  const uint32_t stride = descriptor.options->struct_size;
  if (!plausible(stride, kLeastOption))
    return wrong_size(where + "an option", stride, kLeastOption);
  const auto* at = reinterpret_cast<const char*>(descriptor.options);
  for (uint32_t i = 0; i < descriptor.option_count; ++i, at += stride) {
    plumb_option known;
    copy_known(at, stride, known);
    PLUMB_ASSIGN_OR_RETURN(OptionInfo option, read_option(known, where));
    if (out.option(option.key) != nullptr) {
      return Status::invalid_argument(where + "option " + option.key + " is there twice");
    }
    out.options.push_back(std::move(option));
  }
  return Status::ok();
}

// Which functions a role cannot do without.
Status check_functions(const plumb_plugin& table, const Manifest& manifest) {
  const std::string where = "plugin " + manifest.name + ": ";
  const bool common = table.create != nullptr && table.configure != nullptr &&
                      table.start != nullptr && table.stop != nullptr && table.destroy != nullptr;
  if (!common) {
    return Status::invalid_argument(
        where + "the table lacks one of create, configure, start, stop, destroy");
  }
  switch (manifest.role) {
    case PLUMB_ROLE_SAMPLER:
      if (table.collect != nullptr) return Status::ok();
      return Status::invalid_argument(where + "a sampler's table needs collect");
    case PLUMB_ROLE_LOAD:
      if (table.drive != nullptr) return Status::ok();
      return Status::invalid_argument(where + "a load driver's table needs drive");
    case PLUMB_ROLE_ANALYZER:
      if (table.analyze != nullptr) return Status::ok();
      return Status::invalid_argument(where + "an analyzer's table needs analyze");
    default:
      return Status::unsupported(where + "this plumb knows no role " +
                                 std::to_string(manifest.role) + "; install a newer plumb");
  }
}

// The major that a library without our entry exports instead, or 0.
int other_major(const dll::shared_library& library) {
  for (int major = 1; major < 10; ++major) {
    if (major != PLUMB_ABI_MAJOR && library.has("plumb_plugin_entry_v" + std::to_string(major))) {
      return major;
    }
  }
  return 0;
}

Status no_entry(const dll::shared_library& library, const std::string& name) {
  if (const int major = other_major(library); major != 0) {
    return Status::unsupported(name + " is built for plumb's plugin ABI " + std::to_string(major) +
                               ", and this plumb serves ABI " + std::to_string(PLUMB_ABI_MAJOR) +
                               ": install a plugin and a plumb of the same ABI");
  }
  return Status::invalid_argument(name + " is no plumb plugin: it does not export " +
                                  PLUMB_ENTRY_SYMBOL + "; build it with plumb_add_plugin() and " +
                                  "PLUMB_PLUGIN()");
}

}  // namespace

Result<Manifest> read_table(const plumb_plugin* table, plumb_plugin& known) {
  if (table == nullptr) {
    return Status::invalid_argument(std::string("the entry ") + PLUMB_ENTRY_SYMBOL +
                                    " returned no table");
  }
  const uint32_t size = table->struct_size;
  if (!plausible(size, kLeastPlugin)) return wrong_size("the plugin's table", size, kLeastPlugin);
  copy_known(table, size, known);
  if (known.least_host_minor > PLUMB_ABI_MINOR) {
    return Status::unsupported("the plugin needs plumb's plugin ABI " +
                               std::to_string(PLUMB_ABI_MAJOR) + "." +
                               std::to_string(known.least_host_minor) + ", and this plumb has " +
                               std::to_string(PLUMB_ABI_MAJOR) + "." +
                               std::to_string(PLUMB_ABI_MINOR) + ": install a newer plumb");
  }
  if (known.descriptor == nullptr) {
    return Status::invalid_argument("the plugin's table has no descriptor");
  }
  const uint32_t descriptor_size = known.descriptor->struct_size;
  if (!plausible(descriptor_size, kLeastDescriptor)) {
    return wrong_size("the plugin's descriptor", descriptor_size, kLeastDescriptor);
  }
  plumb_descriptor descriptor;
  copy_known(known.descriptor, descriptor_size, descriptor);
  Manifest out;
  out.name = text_of(descriptor.name);
  if (!is_identifier(out.name)) {
    return Status::invalid_argument("the plugin's name is not [a-z][a-z0-9_]*");
  }
  out.version = text_of(descriptor.version);
  out.role = descriptor.role;
  out.summary = text_of(descriptor.summary);
  out.abi_minor = known.abi_minor;
  out.default_interval_ns = descriptor.default_interval_ns;
  out.needs = list_of(descriptor.needs);
  if (out.default_interval_ns < 0) {
    return Status::invalid_argument("plugin " + out.name + ": the default interval is negative");
  }
  PLUMB_RETURN_IF_ERROR(read_options(descriptor, "plugin " + out.name + ": ", out));
  PLUMB_RETURN_IF_ERROR(check_functions(known, out));
  return out;
}

struct Library::Loaded {
  dll::shared_library library;
};

Library::Library(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
Library::Library(Library&&) noexcept = default;
Library& Library::operator=(Library&&) noexcept = default;
Library::~Library() = default;

Result<Library> Library::open(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Status::not_found("there is no file " + name);
  }
  auto loaded = std::make_unique<Loaded>();
  // The overload that throws: it alone carries what the dynamic linker said.
  try {
    loaded->library.load(std::filesystem::absolute(path), dll::load_mode::rtld_now);
    if (!loaded->library.has(PLUMB_ENTRY_SYMBOL)) return no_entry(loaded->library, name);
    const auto entry = loaded->library.get<const plumb_plugin*()>(std::string(PLUMB_ENTRY_SYMBOL));
    Library out(std::move(loaded));
    Result<Manifest> manifest = read_table(entry(), out.table_);
    if (!manifest.is_ok()) return manifest.status().with_context(name);
    out.manifest_ = std::move(manifest).value();
    out.manifest_.file = path.filename().string();
    return out;
  } catch (const std::exception& e) {
    return Status::invalid_argument(name + " cannot be loaded: " + e.what());
  }
}

}  // namespace plumb::host
