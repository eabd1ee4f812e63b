// What is mapped where in a process: its executable mappings alone, kept up to date from
// /proc/PID/maps and from the kernel's records of new mappings. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_ADDRESS_SPACE_H_
#define PLUMB_PLUGINS_STACK_PROFILE_ADDRESS_SPACE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::stack_profile {

struct Mapping {
  uint64_t start = 0;
  uint64_t end = 0;     // the first address behind it
  uint64_t offset = 0;  // of `start` in the file
  uint64_t inode = 0;   // 0: no file
  std::string path;     // of the file as its process sees it; "[vdso]"; empty: anonymous
  bool executable = false;

  bool has_file() const { return inode != 0 && path.starts_with('/'); }
  bool operator==(const Mapping&) const = default;
};

// One line of /proc/PID/maps without its newline; nothing when it is torn or not of that format.
// " (deleted)" at the end of a file's path is taken off.
std::optional<Mapping> parse_maps_line(std::string_view line);

class AddressSpace {
 public:
  // Replaces all by the executable mappings of /proc/PID/maps' text. Lines that do not parse are
  // left out, as is a last one without its newline.
  void assign(std::string_view maps);
  // A new mapping takes the place of whatever lay there before. One that is not executable only
  // takes away. At most kMost are kept.
  void insert(Mapping mapping);

  const Mapping* find(uint64_t address) const;
  const std::vector<Mapping>& all() const { return mappings_; }  // ascending, disjoint
  // Grows whenever a mapping of a file comes or goes.
  uint64_t generation() const { return generation_; }

  static constexpr size_t kMost = 8192;

 private:
  std::vector<Mapping> mappings_;
  uint64_t generation_ = 0;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_ADDRESS_SPACE_H_
