#include "plugins/stack_profile/symbolizer.h"

#include <algorithm>
#include <utility>

#include "plugins/stack_profile/function_name.h"

namespace plumb::stack_profile {

namespace {

constexpr size_t kMostKnown = 300'000;
constexpr size_t kMostUnreadable = 10;
constexpr size_t kMostRefusals = 1000;  // of one program
constexpr std::string_view kVdso = "[vdso]";
constexpr const char* kUnknown = "[unknown]";

std::string file_name(const std::string& path) {
  return frame_text(path.substr(path.rfind('/') + 1));
}

}  // namespace

Symbolizer::Symbolizer() : Symbolizer(Limits{}) {}

Symbolizer::Symbolizer(Limits limits) : limits_(limits) {
  intern("[other functions]", kUnknown, false, false);
}

ElfImage* Symbolizer::image(const TracedProcess& process, const Mapping& mapping) {
  if (!mapping.has_file() && mapping.path != kVdso) return nullptr;
  Key key{mapping.inode, mapping.path};
  const auto known = images_.find(key);
  if (known != images_.end()) {
    known->second.used = interval_;
    return known->second.image.get();
  }
  const auto refused = refused_.find(process.program());
  if (refused != refused_.end() && refused->second.contains(key)) return nullptr;
  if (images_.size() >= 2 * limits_.images) {
    ++without_room_;
    return nullptr;
  }
  std::unique_ptr<ElfImage> image = read_image(process, mapping);
  if (image == nullptr) {
    refuse(process.program(), key);
    return nullptr;
  }
  ++images_read_;
  unreadable_.erase(frame_text(key.path));
  return images_.emplace(std::move(key), Kept{std::move(image), interval_})
      .first->second.image.get();
}

std::unique_ptr<ElfImage> Symbolizer::read_image(const TracedProcess& process,
                                                 const Mapping& mapping) const {
  if (mapping.path == kVdso) {
    auto vdso = ElfImage::open_vdso();
    return vdso ? std::move(vdso).value() : nullptr;
  }
  OwnedDescriptor file = process.open_file(mapping);
  if (!file.is_open() && open_elsewhere_) file = open_elsewhere_(process, mapping);
  auto opened = ElfImage::open(std::move(file), file_name(mapping.path));
  return opened ? std::move(opened).value() : nullptr;
}

void Symbolizer::refuse(uint32_t program, const Key& key) {
  auto& files = refused_[program];
  if (files.size() >= kMostRefusals) files.clear();
  files.insert(key);
  if (unreadable_.size() < kMostUnreadable) unreadable_.insert(frame_text(key.path));
}

uint32_t Symbolizer::user_frame(const TracedProcess& process, uint64_t address, bool is_return) {
  // The call may be the last instruction of its function: what follows is then another's.
  const uint64_t at = is_return && address > 0 ? address - 1 : address;
  const Mapping* mapping = process.space().find(at);
  if (mapping == nullptr) return intern(kUnknown, kUnknown, false, false);
  if (ElfImage* found = image(process, *mapping); found != nullptr) {
    const bool vdso = mapping->path == kVdso;
    const auto linked = vdso ? std::optional(at - mapping->start)
                             : found->address_at(at - mapping->start + mapping->offset);
    if (linked) return image_frame(*found, *linked);
  }
  if (mapping->has_file()) {
    const std::string module = file_name(mapping->path);
    return intern("[" + module + "]", module, false, false);
  }
  const std::string_view name = process.perf_map().find(at);
  if (!name.empty()) return intern(frame_text(name), Frame::kGeneratedCode, true, false);
  return intern(Frame::kGeneratedCode, Frame::kGeneratedCode, false, false);
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

void Symbolizer::end_interval(const std::unordered_set<const ElfImage*>& held) {
  ++interval_;
  size_t bytes = 0;
  std::vector<decltype(images_)::iterator> order;
  for (auto it = images_.begin(); it != images_.end(); ++it) {
    bytes += it->second.image->bytes();
    if (!held.contains(it->second.image.get())) order.push_back(it);
  }
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return a->second.used < b->second.used; });
  std::unordered_set<const ElfImage*> gone;
  for (const auto& it : order) {
    const bool idle = it->second.used + 2 <= interval_;
    const bool over = images_.size() > limits_.images || bytes > limits_.bytes;
    if (!(idle && over) && bytes <= 2 * limits_.bytes) break;
    bytes -= it->second.image->bytes();
    gone.insert(it->second.image.get());
    images_.erase(it);
  }
  if (gone.empty()) return;
  std::erase_if(known_, [&](const auto& entry) { return gone.contains(entry.first.image); });
}

}  // namespace plumb::stack_profile
