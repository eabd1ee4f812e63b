// The symbol tables of an ElfImage: .symtab of the file, or of its separate debug file, or .dynsym
// with the compressed table (.gnu_debugdata) that some distributions ship.
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "plugins/stack_profile/elf_image.h"

namespace plumb::stack_profile {

namespace {

constexpr uint64_t kMostTableBytes = 256u << 20;
constexpr size_t kMostSymbols = 4'000'000;
constexpr size_t kMostPoolBytes = 64u << 20;

Elf_Scn* section_of_type(Elf* elf, uint32_t type) {
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr head;
    if (::gelf_getshdr(section, &head) != nullptr && head.sh_type == type) return section;
  }
  return nullptr;
}

bool has_section(Elf* elf, const char* name) {
  size_t names = 0;
  if (::elf_getshdrstrndx(elf, &names) != 0) return false;
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr head;
    if (::gelf_getshdr(section, &head) == nullptr) continue;
    const char* text = ::elf_strptr(elf, names, head.sh_name);
    if (text != nullptr && std::strcmp(text, name) == 0) return true;
  }
  return false;
}

// Hands libdwfl the ELF file that a module's user data points at.
int take_given_elf(Dwfl_Module*, void** userdata, const char*, Dwarf_Addr, char**, Elf** elf) {
  *elf = static_cast<Elf*>(*userdata);
  *userdata = nullptr;
  return -1;
}
int find_no_debug_file(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                       GElf_Word, char**) {
  return -1;
}
constexpr Dwfl_Callbacks kGivenElf = {take_given_elf, find_no_debug_file, nullptr, nullptr};

}  // namespace

void ElfImage::load_symbols() {
  if (symbols_loaded_) return;
  symbols_loaded_ = true;
  Elf* elf = memory_.empty() ? ::elf_begin(file_.get(), ELF_C_READ, nullptr)
                             : ::elf_memory(memory_.data(), memory_.size());
  if (elf == nullptr) return;
  load_symbols_of(elf, file_.get());
  ::elf_end(elf);
  std::stable_sort(symbols_.begin(), symbols_.end(),
                   [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
  symbols_.shrink_to_fit();
}

void ElfImage::load_symbols_of(Elf* elf, int descriptor) {
  if (Elf_Scn* full = section_of_type(elf, SHT_SYMTAB); full != nullptr) {
    if (add_section(elf, full, descriptor) && !symbols_.empty()) return;
  }
  debug_file_ = open_debug_file(elf);
  if (debug_file_.is_open()) {
    Elf* debug = ::elf_begin(debug_file_.get(), ELF_C_READ, nullptr);
    Elf_Scn* full = debug != nullptr ? section_of_type(debug, SHT_SYMTAB) : nullptr;
    const bool added = full != nullptr && add_section(debug, full, debug_file_.get());
    ::elf_end(debug);
    if (added && !symbols_.empty()) return;
  }
  if (Elf_Scn* dynamic = section_of_type(elf, SHT_DYNSYM); dynamic != nullptr) {
    (void)add_section(elf, dynamic, descriptor);
  }
  if (descriptor >= 0 && has_section(elf, ".gnu_debugdata")) add_compressed_symbols();
}

// Descriptor -1 means that the file is in memory: its names are then copied.
bool ElfImage::add_section(Elf* elf, Elf_Scn* section, int descriptor) {
  GElf_Shdr head;
  GElf_Shdr names;
  if (::gelf_getshdr(section, &head) == nullptr) return false;
  Elf_Scn* strings = ::elf_getscn(elf, head.sh_link);
  if (strings == nullptr || ::gelf_getshdr(strings, &names) == nullptr) return false;
  if (head.sh_size > kMostTableBytes || names.sh_type != SHT_STRTAB) return false;
  Elf_Data* data = ::elf_getdata(section, nullptr);
  if (data == nullptr || head.sh_entsize == 0) return false;
  const size_t count = std::min<uint64_t>(head.sh_size / head.sh_entsize, kMostSymbols);
  for (size_t i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (::gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.sh_size) continue;
    uint32_t name = symbol.st_name;
    if (descriptor < 0) {
      const char* text = ::elf_strptr(elf, head.sh_link, symbol.st_name);
      if (text == nullptr || pool_.size() > kMostPoolBytes) continue;
      name = static_cast<uint32_t>(pool_.size()) | kPooled;
      pool_.append(text).push_back('\0');
    } else if (name > kNameMask) {
      continue;
    }
    add_symbol(symbol.st_value, symbol.st_size, symbol.st_info, name);
  }
  names_from_ = descriptor;
  names_at_ = names.sh_offset;
  names_bytes_ = names.sh_size;
  return true;
}

void ElfImage::add_symbol(uint64_t address, uint64_t size, unsigned char info, uint32_t name) {
  const unsigned type = GELF_ST_TYPE(info);
  const bool function = type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
  if (!function || !is_code(address)) return;
  if (GELF_ST_BIND(info) == STB_LOCAL) name |= kLocal;
  symbols_.push_back({address, static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX)), name});
}

void ElfImage::add_compressed_symbols() {
  Elf* elf = ::elf_begin(file_.get(), ELF_C_READ, nullptr);
  Dwfl* dwfl = elf != nullptr ? ::dwfl_begin(&kGivenElf) : nullptr;
  if (dwfl == nullptr) {
    ::elf_end(elf);
    return;
  }
  ::dwfl_report_begin(dwfl);
  Dwfl_Module* module = ::dwfl_report_module(dwfl, "image", low_, high_);
  void** userdata = nullptr;
  if (module != nullptr) {
    ::dwfl_module_info(module, &userdata, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    *userdata = elf;
  }
  ::dwfl_report_end(dwfl, nullptr, nullptr);
  const int count = module != nullptr ? ::dwfl_module_getsymtab(module) : 0;
  for (int i = 0; i < count && symbols_.size() < kMostSymbols; ++i) {
    GElf_Sym symbol;
    GElf_Addr address = 0;
    const char* text =
        ::dwfl_module_getsym_info(module, i, &symbol, &address, nullptr, nullptr, nullptr);
    const bool named = text != nullptr && text[0] != '\0' && symbol.st_shndx != SHN_UNDEF;
    if (!named || pool_.size() > kMostPoolBytes) continue;
    const auto name = static_cast<uint32_t>(pool_.size()) | kPooled;
    pool_.append(text).push_back('\0');
    add_symbol(address, symbol.st_size, symbol.st_info, name);
  }
  ::dwfl_end(dwfl);
}

OwnedDescriptor ElfImage::open_debug_file(Elf* elf) const {
  const void* id = nullptr;
  const ssize_t bytes = ::dwelf_elf_gnu_build_id(elf, &id);
  constexpr ssize_t kLongest = 64;
  if (bytes < 2 || bytes > kLongest) return OwnedDescriptor();
  std::string path = debug_root_ + "/.build-id/";
  for (ssize_t i = 0; i < bytes; ++i) {
    char digits[4];
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<const unsigned char*>(id)[i]);
    path += digits;
    if (i == 0) path += '/';
  }
  return OwnedDescriptor(::open((path + ".debug").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

}  // namespace plumb::stack_profile
