#include "plugins/stack_profile/stack_walker.h"

#include <algorithm>

namespace plumb::stack_profile {

const std::vector<uint64_t>& StackWalker::walk(const TracedProcess& process, const Record& sample) {
  const bool by_pointers = mode_ == Unwind::kFramePointer || !sample.has_registers ||
                           sample.stack.empty() ||
                           (mode_ == Unwind::kAuto && is_whole(process, sample.user_chain));
  if (!by_pointers) {
    const auto is_stub = [&](uint64_t address) { return process.is_python_stub(address); };
    unwinder(process).unwind(sample.registers, sample.stack, kMostFrames, is_stub, chain_);
    // Tables may be missing where frame pointers are not.
    if (chain_.size() > 1 || sample.user_chain.size() <= 1) {
      ++walked_by_tables_;
      return chain_;
    }
  }
  ++walked_by_pointers_;
  chain_ = sample.user_chain;
  // A chain that left the code was no chain from there on.
  if (process.space().all().empty()) return chain_;
  const auto lost = std::find_if(chain_.begin(), chain_.end(), [&](uint64_t address) {
    return process.space().find(address) == nullptr;
  });
  if (lost != chain_.begin()) chain_.erase(lost, chain_.end());
  return chain_;
}

bool StackWalker::is_whole(const TracedProcess& process, const std::vector<uint64_t>& chain) {
  if (chain.size() < 2) return false;
  for (size_t i = 0; i < chain.size(); ++i) {
    const uint64_t at = i == 0 ? chain[i] : chain[i] - 1;
    const Mapping* mapping = process.space().find(at);
    if (mapping == nullptr) return false;
    ElfImage* image = symbolizer_.image(process, *mapping);
    if (image == nullptr) {
      if (process.is_python_stub(at)) return false;
      continue;  // generated code keeps its frame pointer, as a rule
    }
    if (!mapping->has_file()) continue;
    const auto linked = image->address_at(at - mapping->start + mapping->offset);
    const bool kept = linked && image->frames_at(*linked) != ElfImage::Frames::kNone;
    // What started the program or thread has nothing above it that anybody looks for.
    const bool outermost = i + 1 == chain.size();
    if (!kept && !outermost) return false;
  }
  return true;
}

DwarfUnwinder& StackWalker::unwinder(const TracedProcess& process) {
  const auto known = programs_.find(process.program());
  const uint64_t generation = process.space().generation();
  Layouts::iterator layout;
  if (known != programs_.end() && known->second.generation == generation) {
    layout = known->second.layout;
  } else {
    layout = find_or_make(layout_of(process));
    programs_.insert_or_assign(process.program(), OfProgram{generation, layout});
  }
  layout->walk = ++walks_;
  layout->interval = interval_;
  return *layout->unwinder;
}

StackWalker::Layout StackWalker::layout_of(const TracedProcess& process) {
  Layout out;
  for (const Mapping& mapping : process.space().all()) {
    ElfImage* image = symbolizer_.image(process, mapping);
    Elf* tables = image != nullptr ? image->unwind_tables() : nullptr;
    if (tables == nullptr) continue;
    const bool vdso = !mapping.has_file();
    const auto linked = vdso ? std::optional<uint64_t>(0) : image->address_at(mapping.offset);
    if (!linked) continue;
    const uint64_t bias = mapping.start - *linked;
    const UnwindModule module{image->low() + bias, image->high() + bias, tables};
    // A file's code may lie in several mappings.
    if (std::find(out.modules.begin(), out.modules.end(), module) != out.modules.end()) continue;
    out.modules.push_back(module);
    out.images.push_back(image);
  }
  return out;
}

StackWalker::Layouts::iterator StackWalker::find_or_make(Layout wanted) {
  const auto same = std::find_if(layouts_.begin(), layouts_.end(), [&](const Layout& layout) {
    return layout.modules == wanted.modules;
  });
  if (same != layouts_.end()) return same;
  if (layouts_.size() >= kMostUnwinders) {
    erase(std::min_element(layouts_.begin(), layouts_.end(),
                           [](const Layout& a, const Layout& b) { return a.walk < b.walk; }));
  }
  ++unwinders_made_;
  wanted.unwinder = std::make_unique<DwarfUnwinder>(wanted.modules);
  return layouts_.insert(layouts_.end(), std::move(wanted));
}

void StackWalker::erase(Layouts::iterator layout) {
  std::erase_if(programs_, [&](const auto& of) { return of.second.layout == layout; });
  layouts_.erase(layout);
}

void StackWalker::end_interval() {
  ++interval_;
  for (auto it = layouts_.begin(); it != layouts_.end();) {
    const auto layout = it++;
    if (layout->interval + 2 <= interval_) erase(layout);
  }
}

std::unordered_set<const ElfImage*> StackWalker::held_images() const {
  std::unordered_set<const ElfImage*> out;
  for (const Layout& layout : layouts_) out.insert(layout.images.begin(), layout.images.end());
  return out;
}

}  // namespace plumb::stack_profile
