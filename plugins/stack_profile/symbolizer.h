// From addresses to names: which function of which file, generated code by the process's perf map,
// the kernel's functions. Everything is looked up once and kept within bounds: of the files, those
// that were not used for longest go when there are more than that. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_SYMBOLIZER_H_
#define PLUMB_PLUGINS_STACK_PROFILE_SYMBOLIZER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
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

  // Code that a runtime made, and that no perf map names.
  bool is_nameless_code() const { return function == kGeneratedCode; }
  static constexpr const char* kGeneratedCode = "[generated code]";
};

class Symbolizer {
 public:
  struct Limits {
    size_t images = 512;
    size_t bytes = 256u << 20;  // of their symbols and tables
  };
  Symbolizer();
  explicit Symbolizer(Limits limits);

  // Opens a mapped file through another process that has it mapped; what is not open when there is
  // none.
  using OpenElsewhere = std::function<OwnedDescriptor(const TracedProcess&, const Mapping&)>;
  void set_open_elsewhere(OpenElsewhere open) { open_elsewhere_ = std::move(open); }

  // The image behind a mapping; nullptr when there is none, when it cannot be read through this
  // process (another may yet open it) or when twice as many images as allowed are in use. Valid
  // until end_interval().
  ElfImage* image(const TracedProcess& process, const Mapping& mapping);

  // Number of the frame at an address of a process, or of the kernel. Of a caller, the address that
  // its call returns to is given, and `is_return` is true.
  uint32_t user_frame(const TracedProcess& process, uint64_t address, bool is_return);
  uint32_t kernel_frame(uint64_t address);
  const Frame& frame(uint32_t number) const { return frames_[number]; }

  // Kernel functions have names from now on.
  Status load_kernel(const std::string& kallsyms);

  // Call it every few seconds. Images beyond the limits that were used neither in this interval nor
  // in the last one are forgotten, longest unused first, but for those in `held`. One in use goes
  // only when they take twice the memory they may: to read it again and again would cost more.
  void end_interval(const std::unordered_set<const ElfImage*>& held);
  void forget_program(uint32_t program) { refused_.erase(program); }

  size_t images() const { return images_.size(); }
  uint64_t images_read() const { return images_read_; }
  // Files that could not be opened or read, for people: at most a few.
  const std::set<std::string>& unreadable() const { return unreadable_; }
  // Times that a file was not read because too many are in use.
  uint64_t without_room() const { return without_room_; }

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
  struct Kept {
    std::unique_ptr<ElfImage> image;
    uint64_t used;  // the interval
  };
  uint32_t intern(std::string function, std::string module, bool named, bool kernel);
  uint32_t image_frame(ElfImage& image, uint64_t address);
  std::unique_ptr<ElfImage> read_image(const TracedProcess& process, const Mapping& mapping) const;
  void refuse(uint32_t program, const Key& key);

  Limits limits_;
  OpenElsewhere open_elsewhere_;
  std::unordered_map<Key, Kept, KeyHash> images_;
  uint64_t interval_ = 0;
  uint64_t images_read_ = 0;
  uint64_t without_room_ = 0;
  // Files that cannot be read through a process, by its program: they would be tried for every
  // sample.
  std::unordered_map<uint32_t, std::unordered_set<Key, KeyHash>> refused_;
  std::unordered_map<Address, uint32_t, AddressHash> known_;
  KernelSymbols kernel_;
  std::vector<Frame> frames_;
  std::unordered_map<std::string, uint32_t> numbers_;  // by "function;module"
  std::set<std::string> unreadable_;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_SYMBOLIZER_H_
