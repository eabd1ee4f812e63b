#include "plugins/http_load/poller.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace plumb::http_load {

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

StopFlag::StopFlag() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void StopFlag::request() {
  requested_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // A full counter is a wake-up that is already under way.
  if (event_.valid()) [[maybe_unused]]
    const ssize_t n = write(event_.get(), &one, sizeof(one));
}

Result<std::unique_ptr<Poller>> Poller::open(const StopFlag& stop) {
  std::unique_ptr<Poller> p(new Poller);
  p->epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  p->timer_ = Descriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  p->stop_fd_ = stop.fd();
  if (!p->epoll_.valid() || !p->timer_.valid() || p->stop_fd_ < 0)
    return Status::resource_exhausted(std::string("no event loop: ") + std::strerror(errno) +
                                      "; raise the limit on open files (ulimit -n)");
  for (const int fd : {p->timer_.get(), p->stop_fd_}) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = fd;
    if (epoll_ctl(p->epoll_.get(), EPOLL_CTL_ADD, fd, &e) != 0)
      return Status::internal(std::string("epoll_ctl: ") + std::strerror(errno));
  }
  return p;
}

Poller::Interest& Poller::of(int fd) {
  const auto at = static_cast<size_t>(fd);
  if (at >= interests_.size()) interests_.resize(at + at / 2 + 16);
  return interests_[at];
}

void Poller::update(int fd, Interest& interest, uint32_t events) {
  if (interest.registered == events) return;
  epoll_event e{};
  e.events = events;
  e.data.fd = fd;
  const int op = events == 0                ? EPOLL_CTL_DEL
                 : interest.registered == 0 ? EPOLL_CTL_ADD
                                            : EPOLL_CTL_MOD;
  epoll_ctl(epoll_.get(), op, fd, &e);
  interest.registered = events;
}

void Poller::want(int fd, uint32_t events) {
  Interest& interest = of(fd);
  interest.wanted = events;
  if (events != 0 || !interest.adopted) update(fd, interest, events);
}

void Poller::adopt(int fd) { of(fd) = Interest{.adopted = true}; }

void Poller::forget(int fd) { of(fd) = Interest{}; }  // closing takes it out of the epoll set

void Poller::arm(int64_t until_ns) {
  // An earlier deadline that is still armed is left alone: one needless wake-up is cheaper than
  // a system call for each deadline that moves back.
  if (armed_ns_ != 0 && armed_ns_ <= until_ns) return;
  itimerspec spec{};
  spec.it_value.tv_sec = until_ns / 1'000'000'000;
  spec.it_value.tv_nsec = until_ns % 1'000'000'000;
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  armed_ns_ = until_ns;
}

std::span<const epoll_event> Poller::wait(int64_t now_ns, int64_t until_ns) {
  const int64_t wake_ns = until_ns - spin_ns_;
  const bool at_once = wake_ns <= now_ns;
  if (!at_once) arm(wake_ns);
  const int n =
      epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), at_once ? 0 : -1);
  size_t kept = 0;
  for (int i = 0; i < n; ++i) {
    const int fd = events_[static_cast<size_t>(i)].data.fd;
    if (fd == timer_.get() || fd == stop_fd_) {
      uint64_t count = 0;
      if (read(fd, &count, sizeof(count)) == sizeof(count) && fd == timer_.get()) armed_ns_ = 0;
      continue;
    }
    Interest& interest = of(fd);
    if (interest.wanted == 0) {
      update(fd, interest, 0);  // an idle connection was closed by the peer, or got what none asked
      continue;
    }
    events_[kept++] = events_[static_cast<size_t>(i)];
  }
  return {events_.data(), kept};
}

}  // namespace plumb::http_load
