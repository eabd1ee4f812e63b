#include "plugins/proc/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace plumb::proc {

namespace {
constexpr size_t kMostBytes = 4u << 20;
constexpr ssize_t kSurelyLastPiece = 2048;
}  // namespace

bool Text::gone() const { return error == ENOENT || error == ESRCH; }
bool Text::denied() const { return error == EACCES || error == EPERM; }

Text Buffer::read(const char* path) {
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {{}, errno};
  const Text out = read(descriptor);
  ::close(descriptor);
  return out;
}

Text Buffer::read(int descriptor) {
  size_t have = 0;
  while (true) {
    const ssize_t n =
        ::pread(descriptor, bytes_.data() + have, bytes_.size() - have, static_cast<off_t>(have));
    if (n < 0) {
      if (errno == EINTR) continue;
      return {{}, errno};
    }
    have += static_cast<size_t>(n);
    if (n == 0) return {std::string_view(bytes_.data(), have), 0};
    if (have < bytes_.size()) {
      // A file of many records comes in pieces of up to a page, none of which is filled to the
      // last byte. A piece that leaves room for any record is the last, and saves the read that
      // would prove it.
      if (n < kSurelyLastPiece) return {std::string_view(bytes_.data(), have), 0};
      continue;
    }
    if (bytes_.size() >= kMostBytes) return {{}, EFBIG};
    bytes_.resize(bytes_.size() * 2);
  }
}

Text Buffer::read_link(int directory, const char* name) {
  const ssize_t n = ::readlinkat(directory, name, bytes_.data(), bytes_.size());
  if (n < 0) return {{}, errno};
  return {std::string_view(bytes_.data(), static_cast<size_t>(n)), 0};
}

KeptFile::KeptFile(KeptFile&& other) noexcept
    : path_(std::move(other.path_)),
      allowance_(other.allowance_),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

KeptFile& KeptFile::operator=(KeptFile&& other) noexcept {
  if (this != &other) {
    close();
    path_ = std::move(other.path_);
    allowance_ = other.allowance_;
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

Text KeptFile::read(Buffer& buffer) {
  if (descriptor_ < 0) {
    if (allowance_ != nullptr && allowance_->used_up()) return buffer.read(path_.c_str());
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) return {{}, errno};
    if (allowance_ != nullptr) ++allowance_->in_use_;
  }
  const Text out = buffer.read(descriptor_);
  if (!out.ok()) close();
  return out;
}

void KeptFile::close() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  descriptor_ = -1;
  if (allowance_ != nullptr) --allowance_->in_use_;
}

}  // namespace plumb::proc
