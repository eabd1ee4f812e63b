#include "core/engine/catalog.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/base/nearest.h"
#include "core/base/unique_fd.h"

namespace plumb::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifestSuffix = ".plugin.json";
constexpr off_t kMostBytes = 4 << 20;  // of a manifest or a rule file

// Whether what is open can have been written by nobody but root and the current user.
Status check_owner(const struct stat& status, const fs::path& path) {
  const std::string name = path.string();
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return Status::permission_denied(name +
                                     " belongs to another user: plugins run as you, so plumb takes "
                                     "only those that belong to root or to you; chown it");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Status::permission_denied(name + " can be written by others: run chmod go-w " + name);
  }
  return Status::ok();
}

Status unreadable(const fs::path& path) {
  const std::string message = "cannot read " + path.string() + ": " + std::strerror(errno);
  return errno == ENOENT ? Status::not_found(message) : Status::permission_denied(message);
}

// Opens what must be a file (or a directory) that can be trusted.
Result<UniqueFd> open_trusted(const fs::path& path, mode_t type) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return unreadable(path);
  if ((status.st_mode & S_IFMT) != type) {
    return Status::invalid_argument(path.string() + " is not a " +
                                    (type == S_IFDIR ? "directory" : "file"));
  }
  PLUMB_RETURN_IF_ERROR(check_owner(status, path));
  return fd;
}

Result<std::string> read_trusted(const fs::path& path) {
  PLUMB_ASSIGN_OR_RETURN(const UniqueFd fd, open_trusted(path, S_IFREG));
  std::string out;
  char bytes[16'384];
  while (true) {
    const ssize_t n = ::read(fd.get(), bytes, sizeof(bytes));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(path);
    if (n == 0) return out;
    out.append(bytes, static_cast<size_t>(n));
    if (out.size() > static_cast<size_t>(kMostBytes)) {
      return Status::invalid_argument(path.string() + " is too large to be what its name says");
    }
  }
}

// Paths in `directory` whose names end in `suffix`, ascending.
std::vector<fs::path> files_in(const fs::path& directory, std::string_view suffix) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().ends_with(suffix)) out.push_back(it->path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::vector<RuleFile>> read_rules(const fs::path& directory) {
  std::vector<RuleFile> out;
  std::error_code error;
  if (!fs::exists(directory, error)) return out;
  PLUMB_ASSIGN_OR_RETURN(const UniqueFd trusted, open_trusted(directory, S_IFDIR));
  for (const fs::path& path : files_in(directory, ".yaml")) {
    PLUMB_ASSIGN_OR_RETURN(std::string text, read_trusted(path));
    out.push_back({path, std::move(text)});
  }
  return out;
}

Result<CatalogEntry> read_entry(const fs::path& manifest_path) {
  PLUMB_ASSIGN_OR_RETURN(const std::string text, read_trusted(manifest_path));
  auto manifest = host::parse_manifest(text);
  if (!manifest.is_ok()) return manifest.status().with_context(manifest_path.string());
  CatalogEntry entry;
  entry.manifest = std::move(manifest).value();
  const fs::path directory = manifest_path.parent_path();
  if (manifest_path.filename().string() != entry.manifest.name + std::string(kManifestSuffix)) {
    return Status::invalid_argument(manifest_path.string() + " describes a plugin named " +
                                    entry.manifest.name + ": name the file after it");
  }
  if (entry.manifest.abi_major != PLUMB_ABI_MAJOR) {
    return Status::unsupported(entry.manifest.name + " is built for plumb's plugin ABI " +
                               std::to_string(entry.manifest.abi_major) +
                               ", and this plumb serves ABI " + std::to_string(PLUMB_ABI_MAJOR) +
                               ": install a plugin and a plumb of the same ABI");
  }
  entry.library = directory / entry.manifest.file;
  PLUMB_ASSIGN_OR_RETURN(const UniqueFd library, open_trusted(entry.library, S_IFREG));
  PLUMB_ASSIGN_OR_RETURN(entry.rules, read_rules(directory / (entry.manifest.name + ".rules")));
  const fs::path signals = directory / (entry.manifest.name + ".signals.yaml");
  if (std::error_code error; fs::exists(signals, error)) {
    PLUMB_ASSIGN_OR_RETURN(std::string listed, read_trusted(signals));
    entry.signals = RuleFile{signals, std::move(listed)};
  }
  return entry;
}

void add_once(std::vector<fs::path>& list, const fs::path& directory) {
  std::error_code error;
  fs::path canonical = fs::weakly_canonical(directory, error);
  if (error) canonical = directory;
  if (std::find(list.begin(), list.end(), canonical) == list.end()) {
    list.push_back(std::move(canonical));
  }
}

}  // namespace

std::vector<fs::path> Catalog::default_directories() {
  std::vector<fs::path> out;
  if (const char* given = std::getenv("PLUMB_PLUGIN_PATH"); given != nullptr) {
    std::string_view rest = given;
    while (!rest.empty()) {
      const size_t colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) add_once(out, fs::path(rest.substr(0, colon)));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) add_once(out, self.parent_path() / ".." / "lib" / "plumb" / "plugins");
  add_once(out, "/usr/local/lib/plumb/plugins");
  add_once(out, "/usr/lib/plumb/plugins");
  return out;
}

Catalog Catalog::scan(const std::vector<fs::path>& directories) {
  Catalog out;
  for (const fs::path& directory : directories) {
    std::error_code error;
    const fs::path absolute = fs::absolute(directory, error);
    out.directories_.push_back(error ? directory : absolute);
    out.scan_directory(out.directories_.back());
  }
  std::sort(out.entries_.begin(), out.entries_.end(),
            [](const CatalogEntry& a, const CatalogEntry& b) {
              return a.manifest.name < b.manifest.name;
            });
  return out;
}

void Catalog::scan_directory(const fs::path& directory) {
  std::error_code error;
  if (!fs::exists(directory, error)) return;
  const auto trusted = open_trusted(directory, S_IFDIR);
  if (!trusted.is_ok()) {
    refusals_.push_back({directory, trusted.status()});
    return;
  }
  for (const fs::path& path : files_in(directory, kManifestSuffix)) take(path);
}

void Catalog::take(const fs::path& manifest_path) {
  Result<CatalogEntry> entry = read_entry(manifest_path);
  if (!entry.is_ok()) {
    refusals_.push_back({manifest_path, entry.status()});
    return;
  }
  const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const CatalogEntry& known) {
    return known.manifest.name == entry->manifest.name;
  });
  if (same != entries_.end()) {
    refusals_.push_back(
        {manifest_path, Status::invalid_argument("a plugin of this name was found before, in " +
                                                 same->library.parent_path().string())});
    return;
  }
  entries_.push_back(std::move(entry).value());
}

Result<const CatalogEntry*> Catalog::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const CatalogEntry& entry : entries_) {
    if (entry.manifest.name == name) return &entry;
    names.push_back(entry.manifest.name);
  }
  const std::string file = std::string(name) + std::string(kManifestSuffix);
  for (const Refusal& refusal : refusals_) {
    if (refusal.path.filename() == file) {
      return Status::not_found("plugin '" + std::string(name) +
                               "' was found and not taken: " + refusal.why.message());
    }
  }
  std::string message = "there is no plugin '" + std::string(name) + "'.";
  const std::string suggestion = did_you_mean(name, names);
  if (!suggestion.empty()) return Status::not_found(message + suggestion);
  message += " Looked in";
  for (const fs::path& directory : directories_) message += " " + directory.string();
  for (const Refusal& refusal : refusals_) {
    const bool whole_directory =
        std::find(directories_.begin(), directories_.end(), refusal.path) != directories_.end();
    if (whole_directory) message += "; " + refusal.why.message();
  }
  return Status::not_found(message);
}

}  // namespace plumb::engine
