#include "core/host/outbox.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace plumb::host {

Outbox::Outbox(int socket) : socket_(socket), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Outbox::wake() {
  const uint64_t one = 1;
  // Cannot fail but for a full counter, which wakes just as well.
  [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof(one));
}

void Outbox::clear_wake() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &count, sizeof(count));
}

void Outbox::append(std::string_view frame) {
  if (broken_) return;
  const bool was_empty = waiting() == 0;
  waiting_ += frame;
  if (!was_empty) return;
  write();
  if (waiting() > 0) wake();
}

void Outbox::write() {
  while (waiting() > 0) {
    const ssize_t n =
        ::send(socket_, waiting_.data() + written_, waiting(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      written_ += static_cast<size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      broken_ = true;
      written_ = waiting_.size();
    }
  }
  if (waiting() == 0 || written_ >= kMostWaiting / 2) {
    waiting_.erase(0, written_);
    written_ = 0;
  }
}

bool Outbox::put_signal(std::string_view frame) {
  const MutexLock lock(mutex_);
  if (waiting() + frame.size() > kMostWaiting) return false;
  append(frame);
  return true;
}

void Outbox::put_control(std::string_view frame) {
  const MutexLock lock(mutex_);
  append(frame);
}

void Outbox::flush() {
  const MutexLock lock(mutex_);
  write();
}

bool Outbox::empty() {
  const MutexLock lock(mutex_);
  return waiting() == 0;
}

}  // namespace plumb::host
