#include "descriptor.h"

#include <algorithm>
#include <cerrno>

namespace plumb::sqlite_stats {

bool Descriptor::read_all(std::string& text, size_t limit) const {
  constexpr size_t kFirst = 4096;
  size_t used = 0;
  text.resize(std::min(std::max(text.capacity(), kFirst), limit));
  while (used < limit) {
    if (used == text.size()) text.resize(std::min(limit, text.size() * 2));
    const ssize_t n =
        ::pread(fd_, text.data() + used, text.size() - used, static_cast<off_t>(used));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      text.clear();
      return false;
    }
    if (n == 0) break;
    used += static_cast<size_t>(n);
  }
  text.resize(used);
  return true;
}

bool Descriptor::read_once(std::string& text, size_t limit) const {
  text.resize(limit);
  const ssize_t n = ::pread(fd_, text.data(), limit, 0);
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return n >= 0;
}

}  // namespace plumb::sqlite_stats
