#include "plugins/stack_profile/kernel_symbols.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "plugins/proc/fields.h"

namespace plumb::stack_profile {

namespace {

constexpr size_t kMostKernelSymbols = 1'000'000;
constexpr size_t kMostKernelNameBytes = 64u << 20;
constexpr uint64_t kFarthest = 1u << 20;  // no function is longer than this

}  // namespace

std::optional<KernelSymbol> parse_kallsyms_line(std::string_view line) {
  const std::string_view word = proc::next_word(line);
  KernelSymbol out;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), out.address, 16);
  if (error != std::errc() || end != word.data() + word.size() || word.empty()) return std::nullopt;
  const std::string_view type = proc::next_word(line);
  out.name = proc::next_word(line);
  if (type.size() != 1 || out.name.empty()) return std::nullopt;
  out.type = type.front();
  return out;
}

Status KernelSymbols::load(const std::string& path) {
  entries_.clear();
  names_.clear();
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return Status::permission_denied("kernel functions have no names: " + path + ": " +
                                     std::strerror(errno));
  }
  std::vector<char> buffer(256 * 1024);
  size_t have = 0;
  while (true) {
    const ssize_t n = ::read(descriptor, buffer.data() + have, buffer.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<size_t>(n);
    const std::string_view text(buffer.data(), have);
    const size_t last = text.rfind('\n');
    if (last == std::string_view::npos) {
      if (have == buffer.size()) have = 0;
      continue;
    }
    append(text.substr(0, last + 1));
    have -= last + 1;
    std::memmove(buffer.data(), buffer.data() + last + 1, have);
  }
  ::close(descriptor);
  sort();
  if (!entries_.empty()) return Status::ok();
  return Status::permission_denied(
      "kernel functions have no names: the kernel hides its addresses (kernel.kptr_restrict): run "
      "plumb with CAP_SYSLOG, or set kernel.kptr_restrict to 0");
}

void KernelSymbols::append(std::string_view lines) {
  while (!lines.empty()) {
    const auto symbol = parse_kallsyms_line(proc::next_line(lines));
    if (!symbol || symbol->address == 0) continue;
    const char type = symbol->type;
    const bool code = type == 't' || type == 'T' || type == 'w' || type == 'W';
    const bool fits = entries_.size() < kMostKernelSymbols && names_.size() < kMostKernelNameBytes;
    if (!code || !fits) continue;
    entries_.push_back({symbol->address, static_cast<uint32_t>(names_.size())});
    names_.append(symbol->name).push_back('\0');
  }
}

void KernelSymbols::sort() {
  // Of several names for one address the first stays.
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.address < b.address; });
  entries_.erase(std::unique(entries_.begin(), entries_.end(),
                             [](const Entry& a, const Entry& b) { return a.address == b.address; }),
                 entries_.end());
  entries_.shrink_to_fit();
  names_.shrink_to_fit();
}

std::string_view KernelSymbols::find(uint64_t address) const {
  auto it = std::upper_bound(entries_.begin(), entries_.end(), address,
                             [](uint64_t a, const Entry& e) { return a < e.address; });
  if (it == entries_.begin()) return {};
  --it;
  if (address - it->address > kFarthest) return {};
  return names_.c_str() + it->name;
}

}  // namespace plumb::stack_profile
