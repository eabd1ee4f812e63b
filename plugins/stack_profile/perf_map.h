// The perf map file of a process: which generated code lies where, as its runtime wrote it down
// (Node with --perf-basic-prof, JVM agents, Python with -X perf). The file is the target's own text
// and is treated as such: nothing in it is more than a range of addresses and a name.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_PERF_MAP_H_
#define PLUMB_PLUGINS_STACK_PROFILE_PERF_MAP_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace plumb::stack_profile {

struct CodeRange {
  uint64_t start = 0;
  uint64_t size = 0;
  std::string_view name;
};

// "START SIZE name", the numbers hexadecimal, without the newline; nothing when it is not that.
std::optional<CodeRange> parse_perf_map_line(std::string_view line);

class PerfMap {
 public:
  // Adds the lines of a further piece of the file. A last line without its newline waits for the
  // next piece. What a line says takes the place of what was said of the same addresses earlier.
  void append(std::string_view piece);

  // The name of the code at `address`; empty when it is not known. Valid until the next append.
  std::string_view find(uint64_t address) const;
  size_t size() const { return ranges_.size(); }
  bool full() const { return ranges_.size() >= kMostRanges || name_bytes_ >= kMostNameBytes; }
  // Lines that are longer than any that names code, and were passed over.
  uint64_t too_long() const { return too_long_; }
  void clear();

  static constexpr size_t kMostRanges = 200'000;
  static constexpr size_t kMostNameBytes = 16u << 20;
  static constexpr size_t kMostName = 512;

 private:
  void add(const CodeRange& range);
  void skip_line();
  struct Code {
    uint64_t end;
    std::string name;
  };
  std::map<uint64_t, Code> ranges_;  // by start, disjoint
  size_t name_bytes_ = 0;
  std::string torn_;
  uint64_t too_long_ = 0;
  bool skipping_ = false;  // inside a line too long to be one
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_PERF_MAP_H_
