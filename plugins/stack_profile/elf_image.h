// One ELF file: the names of its functions and how its code keeps its stack frames. Nothing of the
// file stays mapped, so that one which shrinks under plumb does no harm; names are read from it
// when they are asked for, so that a large program costs 16 bytes per function. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_ELF_IMAGE_H_
#define PLUMB_PLUGINS_STACK_PROFILE_ELF_IMAGE_H_

#include <elfutils/libdw.h>
#include <libelf.h>
#include <plumb/status.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace plumb::stack_profile {

// An open descriptor, closed with the object.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~OwnedDescriptor();
  OwnedDescriptor(OwnedDescriptor&& other) noexcept;
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

class ElfImage {
 public:
  // `name` is what people know the file by. `debug_root` is where separate files with symbols lie,
  // by build id. INVALID_ARGUMENT when the file is no ELF file or larger than plumb reads.
  static Result<std::unique_ptr<ElfImage>> open(OwnedDescriptor file, std::string name,
                                                const std::string& debug_root = "/usr/lib/debug");
  // The kernel's vdso, as this very process has it: the same in each 64-bit process.
  static Result<std::unique_ptr<ElfImage>> open_vdso();
  ~ElfImage();
  ElfImage(const ElfImage&) = delete;
  ElfImage& operator=(const ElfImage&) = delete;

  const std::string& name() const { return name_; }
  // Memory that it takes now, about: more when it has been asked for more.
  size_t bytes() const;

  // The address, as linked, of what lies at `offset` of the file; nothing where no code is loaded
  // from there.
  std::optional<uint64_t> address_at(uint64_t offset) const;
  // Where the file begins and ends when loaded, as linked.
  uint64_t low() const { return low_; }
  uint64_t high() const { return high_; }

  struct Function {
    uint64_t start = 0;  // as linked
    std::string symbol;  // not demangled
  };
  // The function around an address as linked; nothing when the file has no symbol for it.
  std::optional<Function> function_at(uint64_t address);
  size_t symbol_count();

  enum class Frames { kFramePointer, kNone, kUnknown };
  // Whether the code at `address` (as linked) has its frame pointer set up.
  Frames frames_at(uint64_t address);

  // The file's headers and unwind tables alone, as an ELF file of its own; nullptr when it has no
  // tables. Lives as long as the image.
  Elf* unwind_tables();

 private:
  struct Segment {
    uint64_t offset, file_bytes, address;
  };
  // `name` is an offset in the string table with the marks below. 16 bytes each: a program may have
  // half a million.
  struct Symbol {
    uint64_t address;
    uint32_t size;
    uint32_t name;
  };
  static constexpr uint32_t kPooled = 1u << 31;  // the name is in pool_, not in the file
  static constexpr uint32_t kLocal = 1u << 30;
  static constexpr uint32_t kNameMask = kLocal - 1;

  ElfImage() = default;
  Status read_headers(Elf* elf);
  bool is_code(uint64_t address) const;

  void load_symbols();
  void load_symbols_of(Elf* elf, int descriptor);
  bool add_section(Elf* elf, Elf_Scn* section, int descriptor);
  void add_compressed_symbols();
  void add_symbol(uint64_t address, uint64_t size, unsigned char info, uint32_t name);
  OwnedDescriptor open_debug_file(Elf* elf) const;
  std::string symbol_name(const Symbol& symbol) const;

  void copy_unwind_tables();
  bool copy_piece(uint64_t offset, uint64_t bytes);

  std::string name_;
  std::string debug_root_;
  OwnedDescriptor file_;
  OwnedDescriptor debug_file_;
  std::vector<char> memory_;  // of the vdso
  std::vector<Segment> code_;
  uint64_t low_ = 0, high_ = 0;
  uint64_t file_bytes_ = 0;

  bool symbols_loaded_ = false;
  std::vector<Symbol> symbols_;  // ascending by address
  std::string pool_;
  int names_from_ = -1;  // descriptor of the file with the string table
  uint64_t names_at_ = 0, names_bytes_ = 0;

  bool tables_copied_ = false;
  uint64_t copied_bytes_ = 0;
  char* tables_ = nullptr;
  Elf* tables_elf_ = nullptr;
  Dwarf_CFI* cfi_ = nullptr;
  std::unordered_map<uint64_t, Frames> frames_;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_ELF_IMAGE_H_
