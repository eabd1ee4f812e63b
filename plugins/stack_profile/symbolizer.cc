#include "plugins/stack_profile/symbolizer.h"

#include <algorithm>
#include <utility>

#include "plugins/stack_profile/function_name.h"

namespace plumb::stack_profile {

namespace {

constexpr size_t kMostKnown = 300'000;
constexpr size_t kMostUnreadable = 10;
constexpr const char* kGenerated = "[generated code]";
constexpr const char* kUnknown = "[unknown]";

std::string file_name(const std::string& path) {
  return frame_text(path.substr(path.rfind('/') + 1));
}

}  // namespace

Symbolizer::Symbolizer() { intern("[other functions]", kUnknown, false, false); }

ElfImage* Symbolizer::image(const TracedProcess& process, const Mapping& mapping) {
  const bool vdso = mapping.path == "[vdso]";
  if (!mapping.has_file() && !vdso) return nullptr;
  Key key{mapping.inode, mapping.path};
  const auto known = images_.find(key);
  if (known != images_.end()) return known->second.get();
  // One that is refused is kept as such, or it would be tried for every sample.
  auto opened = vdso ? ElfImage::open_vdso()
                     : ElfImage::open(process.open_file(mapping), file_name(mapping.path));
  std::unique_ptr<ElfImage> image;
  if (opened) {
    image = std::move(opened).value();
  } else if (unreadable_.size() < kMostUnreadable) {
    unreadable_.push_back(frame_text(mapping.path));
  }
  return images_.emplace(std::move(key), std::move(image)).first->second.get();
}

uint32_t Symbolizer::user_frame(const TracedProcess& process, uint64_t address, bool is_return) {
  // The call may be the last instruction of its function: what follows is then another's.
  const uint64_t at = is_return && address > 0 ? address - 1 : address;
  const Mapping* mapping = process.space().find(at);
  if (mapping == nullptr) return intern(kUnknown, kUnknown, false, false);
  if (ElfImage* found = image(process, *mapping); found != nullptr) {
    const bool vdso = mapping->path == "[vdso]";
    const auto linked = vdso ? std::optional(at - mapping->start)
                             : found->address_at(at - mapping->start + mapping->offset);
    if (linked) return image_frame(*found, *linked);
  }
  if (mapping->has_file()) {
    const std::string module = file_name(mapping->path);
    return intern("[" + module + "]", module, false, false);
  }
  const std::string_view name = process.perf_map().find(at);
  if (!name.empty()) return intern(frame_text(name), kGenerated, true, false);
  return intern(kGenerated, kGenerated, false, false);
}

uint32_t Symbolizer::image_frame(ElfImage& image, uint64_t address) {
  const auto known = known_.find({&image, address});
  if (known != known_.end()) return known->second;
  const auto function = image.function_at(address);
  const std::string& module = image.name();
  const bool bracketed = module.starts_with('[');
  const uint32_t number =
      function ? intern(frame_text(demangle(function->symbol)), module, true, false)
               : intern(bracketed ? module : "[" + module + "]", module, false, false);
  if (known_.size() >= kMostKnown) known_.clear();
  known_.emplace(Address{&image, address}, number);
  return number;
}

uint32_t Symbolizer::kernel_frame(uint64_t address) {
  const std::string_view name = kernel_.find(address);
  if (name.empty()) return intern("[kernel]_[k]", "[kernel]", false, true);
  return intern(frame_text(name) + "_[k]", "[kernel]", true, true);
}

Status Symbolizer::load_kernel(const std::string& kallsyms) { return kernel_.load(kallsyms); }

uint32_t Symbolizer::intern(std::string function, std::string module, bool named, bool kernel) {
  std::string key = function + ";" + module;
  const auto known = numbers_.find(key);
  if (known != numbers_.end()) return known->second;
  if (frames_.size() >= kMostFrames) return 0;
  const auto number = static_cast<uint32_t>(frames_.size());
  frames_.push_back({std::move(function), std::move(module), named, kernel});
  numbers_.emplace(std::move(key), number);
  return number;
}

void Symbolizer::forget_images() {
  known_.clear();
  images_.clear();
}

}  // namespace plumb::stack_profile
