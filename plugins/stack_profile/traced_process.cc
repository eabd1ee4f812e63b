#include "plugins/stack_profile/traced_process.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "plugins/proc/fields.h"
#include "plugins/stack_profile/function_name.h"

namespace plumb::stack_profile {

namespace {

constexpr size_t kMostThreadNames = 20'000;
constexpr uint64_t kMostPerfMapPerCall = 16u << 20;
// So far behind, it may never be read to its end.
constexpr uint64_t kMostPerfMapBehind = 16 * kMostPerfMapPerCall;
constexpr size_t kPiece = 256 * 1024;
constexpr std::string_view kDeleted = " (deleted)";

std::string read_link(const std::string& path) {
  char target[4096];
  const ssize_t n = ::readlink(path.c_str(), target, sizeof(target));
  return n > 0 ? std::string(target, static_cast<size_t>(n)) : std::string();
}

bool is_file(int descriptor, uint64_t inode) {
  struct stat what {};
  return ::fstat(descriptor, &what) == 0 && S_ISREG(what.st_mode) && what.st_ino == inode;
}

// Containers' overlays may show another inode number in the mappings than of the file.
bool is_on_overlay(int descriptor) {
  struct statfs system {};
  return ::fstatfs(descriptor, &system) == 0 && system.f_type == OVERLAYFS_SUPER_MAGIC;
}

}  // namespace

std::optional<ProcessStatus> parse_status(std::string_view text) {
  ProcessStatus out;
  bool user = false;
  while (!text.empty()) {
    bool ended = false;
    std::string_view line = proc::next_line(text, &ended);
    if (!ended) break;
    const std::string_view key = proc::next_word(line);
    if (key == "Uid:") {
      proc::next_word(line);  // the real one
      const auto effective = proc::next_number<uint32_t>(line);
      if (!effective) return std::nullopt;
      out.user = *effective;
      user = true;
    } else if (key == "NSpid:") {
      for (auto pid = proc::next_number<Pid>(line); pid; pid = proc::next_number<Pid>(line)) {
        out.namespace_pid = *pid;
      }
    } else if (key == "Pid:" && out.namespace_pid == 0) {
      out.namespace_pid = proc::next_number<Pid>(line).value_or(0);
    }
  }
  if (!user || out.namespace_pid <= 0) return std::nullopt;
  return out;
}

bool TracedProcess::load(proc::Buffer& buffer) {
  const proc::Text status = buffer.read(root_.of(pid_, "status").c_str());
  const auto parsed = status.ok() ? parse_status(status.text) : std::nullopt;
  if (!parsed) return false;
  status_ = *parsed;
  root_directory_ =
      OwnedDescriptor(::open(root_.of(pid_, "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  executable_ = read_link(root_.of(pid_, "exe"));
  const proc::Text name = buffer.read(root_.of(pid_, "comm").c_str());
  if (name.ok()) set_thread_name(pid_, name.text.substr(0, name.text.find('\n')));
  const proc::Text maps = buffer.read(root_.of(pid_, "maps").c_str());
  if (maps.ok() && !maps.text.empty()) space_.assign(maps.text);
  return true;
}

void TracedProcess::inherit(const TracedProcess& parent) {
  space_ = parent.space_;
  status_ = parent.status_;
  status_.namespace_pid = 0;
  executable_ = parent.executable_;
  if (parent.root_directory_.is_open()) {
    root_directory_ = OwnedDescriptor(::fcntl(parent.root_directory_.get(), F_DUPFD_CLOEXEC, 0));
  }
  const auto name = parent.thread_names_.find(parent.pid_);
  if (name != parent.thread_names_.end()) thread_names_[pid_] = name->second;
}

void TracedProcess::set_thread_name(Pid tid, std::string_view name) {
  if (thread_names_.size() >= kMostThreadNames && !thread_names_.contains(tid)) return;
  thread_names_[tid] = frame_text(name);
}

std::string TracedProcess::label(Pid tid, proc::Buffer& buffer) {
  const auto name_of = [&](Pid id) {
    const auto known = thread_names_.find(id);
    if (known != thread_names_.end()) return known->second;
    const proc::Text text = buffer.read(root_.of_task(pid_, id, "comm").c_str());
    if (!text.ok()) return std::string();
    set_thread_name(id, text.text.substr(0, text.text.find('\n')));
    return frame_text(text.text.substr(0, text.text.find('\n')));
  };
  const std::string process = name_of(pid_);
  const std::string thread = tid == pid_ ? process : name_of(tid);
  if (process.empty() && thread.empty()) return "process " + std::to_string(pid_);
  if (process.empty() || thread.empty() || process == thread) {
    return process.empty() ? thread : process;
  }
  return process + ";" + thread;
}

OwnedDescriptor TracedProcess::open_below_root(const std::string& path, uint64_t resolve,
                                               int flags) const {
  if (!root_directory_.is_open()) return OwnedDescriptor();
  open_how how{};
  how.flags = static_cast<uint64_t>(O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
  how.resolve = resolve;
  return OwnedDescriptor(static_cast<int>(
      ::syscall(SYS_openat2, root_directory_.get(), path.c_str(), &how, sizeof(how))));
}

OwnedDescriptor TracedProcess::open_file(const Mapping& mapping) const {
  if (!mapping.has_file()) return OwnedDescriptor();
  char range[48];
  std::snprintf(range, sizeof(range), "map_files/%llx-%llx",
                static_cast<unsigned long long>(mapping.start),
                static_cast<unsigned long long>(mapping.end));
  const auto is_mapped = [&](const OwnedDescriptor& file) {
    if (!file.is_open()) return false;
    if (is_file(file.get(), mapping.inode)) return true;
    return is_on_overlay(file.get()) && still_maps(mapping);
  };
  OwnedDescriptor mapped(::open(root_.of(pid_, range).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (is_mapped(mapped)) return mapped;
  OwnedDescriptor at_path = open_below_root(mapping.path, RESOLVE_IN_ROOT, 0);
  if (is_mapped(at_path)) return at_path;
  const std::string_view program = executable_;
  if (program == mapping.path || program == mapping.path + std::string(kDeleted)) {
    OwnedDescriptor own(::open(root_.of(pid_, "exe").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (own.is_open() && is_file(own.get(), mapping.inode)) return own;
  }
  return OwnedDescriptor();
}

bool TracedProcess::still_maps(const Mapping& mapping) const {
  proc::Buffer buffer(64 * 1024);
  std::string_view maps = buffer.read(root_.of(pid_, "maps").c_str()).text;
  while (!maps.empty()) {
    const std::string_view line = proc::next_line(maps);
    // The kernel marks a file as deleted when another takes its place, too.
    const auto now = parse_maps_line(line);
    if (!now || now->start != mapping.start) continue;
    return now->inode == mapping.inode && now->path == mapping.path && !line.ends_with(kDeleted);
  }
  return false;
}

std::string TracedProcess::read_perf_map() {
  if (status_.namespace_pid <= 0) return {};
  const std::string path = "/tmp/perf-" + std::to_string(status_.namespace_pid) + ".map";
  // Anybody may have put a link of that name into /tmp.
  const OwnedDescriptor file =
      open_below_root(path, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, O_NOFOLLOW);
  if (!file.is_open()) {
    if (errno != ELOOP) return {};
    return path + " is a symbolic link and is not read: generated code has no names";
  }
  struct stat what {};
  if (::fstat(file.get(), &what) != 0) return {};
  if (!S_ISREG(what.st_mode)) {
    return path + " is no regular file and is not read: generated code has no names";
  }
  if (what.st_uid != status_.user && what.st_uid != 0) {
    return path +
           " does not belong to the process's user and is not read: generated code has no "
           "names";
  }
  const auto size = static_cast<uint64_t>(what.st_size);
  if (what.st_ino != perf_map_inode_ || size < perf_map_read_) {
    perf_map_.clear();
    perf_map_read_ = 0;
    perf_map_inode_ = what.st_ino;
  }
  if (!perf_map_.full()) append_perf_map(file.get(), size);
  return missing_of_perf_map(path, size);
}

void TracedProcess::append_perf_map(int file, uint64_t size) {
  std::vector<char> piece;
  const uint64_t until = std::min(size, perf_map_read_ + kMostPerfMapPerCall);
  while (perf_map_read_ < until) {
    piece.resize(std::min<uint64_t>(kPiece, until - perf_map_read_));
    const ssize_t n = ::pread(file, piece.data(), piece.size(), static_cast<off_t>(perf_map_read_));
    if (n <= 0) break;
    perf_map_.append(std::string_view(piece.data(), static_cast<size_t>(n)));
    perf_map_read_ += static_cast<uint64_t>(n);
  }
}

std::string TracedProcess::missing_of_perf_map(const std::string& path, uint64_t size) const {
  std::string why;
  if (perf_map_.full()) {
    why = "it names more than " + std::to_string(PerfMap::kMostRanges) + " ranges of code or " +
          std::to_string(PerfMap::kMostNameBytes >> 20) + " MiB of names";
  } else if (size - std::min(size, perf_map_read_) > kMostPerfMapBehind) {
    why = "it has " + std::to_string(size >> 20) + " MiB, of which " +
          std::to_string(kMostPerfMapPerCall >> 20) + " MiB are read per second";
  } else if (perf_map_.too_long() > 0) {
    why = "lines are too long to name code (" + std::to_string(perf_map_.too_long()) + " so far)";
  }
  if (why.empty()) return {};
  return path + " is not read as a whole, and some generated code has no name: " + why;
}

}  // namespace plumb::stack_profile
