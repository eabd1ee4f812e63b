// Names of the kernel's functions, from /proc/kallsyms. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_KERNEL_SYMBOLS_H_
#define PLUMB_PLUGINS_STACK_PROFILE_KERNEL_SYMBOLS_H_

#include <plumb/status.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::stack_profile {

struct KernelSymbol {
  uint64_t address = 0;
  char type = '?';
  std::string_view name;
};

// "ffffffff81000000 T _stext" or, of a module, "ffffffffc0400000 t init [ext4]"; nothing when the
// line is not of that format.
std::optional<KernelSymbol> parse_kallsyms_line(std::string_view line);

class KernelSymbols {
 public:
  // Reads the whole file: some tenths of a second. PERMISSION_DENIED when the kernel hides its
  // addresses (they read as zero), with what to do about it.
  Status load(const std::string& path);
  // Adds the functions in a piece of the file's text; whole lines only. Then sort().
  void append(std::string_view lines);
  void sort();

  // The function around `address`; empty when there is none. Valid until the next load.
  std::string_view find(uint64_t address) const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    uint64_t address;
    uint32_t name;  // where it begins in names_; ends with a NUL
  };
  std::vector<Entry> entries_;
  std::string names_;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_KERNEL_SYMBOLS_H_
