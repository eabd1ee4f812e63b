// From addresses to names: which function of which file, generated code by the process's perf map,
// the kernel's functions. Everything is looked up once and kept within bounds. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_SYMBOLIZER_H_
#define PLUMB_PLUGINS_STACK_PROFILE_SYMBOLIZER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/stack_profile/elf_image.h"
#include "plugins/stack_profile/kernel_symbols.h"
#include "plugins/stack_profile/traced_process.h"

namespace plumb::stack_profile {

struct Frame {
  std::string function;  // fit to be joined with others; "[libc.so.6]" when only the file is known
  std::string module;    // file name; "[kernel]", "[generated code]", "[unknown]"
  bool named = false;    // `function` is a function
  bool kernel = false;
};

class Symbolizer {
 public:
  Symbolizer();

  // The image behind a mapping; nullptr when there is none or it cannot be read. Valid until
  // forget_images().
  ElfImage* image(const TracedProcess& process, const Mapping& mapping);

  // Number of the frame at an address of a process, or of the kernel. Of a caller, the address that
  // its call returns to is given, and `is_return` is true.
  uint32_t user_frame(const TracedProcess& process, uint64_t address, bool is_return);
  uint32_t kernel_frame(uint64_t address);
  const Frame& frame(uint32_t number) const { return frames_[number]; }

  // Kernel functions have names from now on.
  Status load_kernel(const std::string& kallsyms);

  // More files are open than should be: forget whatever points at images, then call
  // forget_images().
  bool crowded() const { return images_.size() > kMostImages; }
  void forget_images();
  // Files that could not be opened or read, for people: at most a few.
  const std::vector<std::string>& unreadable() const { return unreadable_; }

  static constexpr size_t kMostImages = 256;
  static constexpr size_t kMostFrames = 100'000;

 private:
  struct Key {
    uint64_t inode;
    std::string path;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const noexcept {
      return std::hash<std::string>()(key.path) ^ (key.inode * 0x9e3779b97f4a7c15ull);
    }
  };
  struct Address {
    const ElfImage* image;
    uint64_t address;
    bool operator==(const Address&) const = default;
  };
  struct AddressHash {
    size_t operator()(const Address& a) const noexcept {
      return (reinterpret_cast<uintptr_t>(a.image) >> 4) ^ (a.address * 0x9e3779b97f4a7c15ull);
    }
  };
  uint32_t intern(std::string function, std::string module, bool named, bool kernel);
  uint32_t image_frame(ElfImage& image, uint64_t address);

  std::unordered_map<Key, std::unique_ptr<ElfImage>, KeyHash> images_;
  std::unordered_map<Address, uint32_t, AddressHash> known_;
  KernelSymbols kernel_;
  std::vector<Frame> frames_;
  std::unordered_map<std::string, uint32_t> numbers_;  // by "function;module"
  std::vector<std::string> unreadable_;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_SYMBOLIZER_H_
