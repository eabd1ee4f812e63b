#include "plugins/http_load/http1_transport.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "plugins/http_load/client_socket.h"
#include "plugins/http_load/http1_response.h"

namespace plumb::http_load {
namespace {

// How late a timer may wake this process on an idle machine; longer would burn processor time.
constexpr int64_t kSpinNs = 60'000;
constexpr size_t kReadSize = 64 * 1024;
constexpr int kMostReads = 64;  // in one turn of the loop
constexpr uint32_t kReadable = EPOLLIN | EPOLLRDHUP;

}  // namespace

struct Http1Transport::Failure {
  ErrorClass error;
  std::string detail;
};

// One connection, kept for the whole run, and the request that it carries.
struct Http1Transport::Connection : Deadline<Connection> {
  enum class State : uint8_t {
    kClosed,
    kIdle,
    kConnecting,
    kSecuring,
    kSending,
    kReceiving,
    kEnded
  };

  ClientSocket socket;
  State state = State::kClosed;
  Http1Response response;
  std::string unsent;  // what the kernel did not take at once
  std::vector<Address> addresses;
  size_t address = 0;     // the one in use
  size_t idle_index = 0;  // in idle_

  Start request;
  bool kept = false;         // the request went out on a connection that was kept alive
  bool has_retried = false;  // ... and that was dead
  bool reusable = false;     // after this answer
  Timeline times;
  uint32_t opened = 0;
  uint64_t sent = 0;
  uint64_t received = 0;
  ErrorClass error = ErrorClass::kNone;
  std::string detail;
};

Http1Transport::Http1Transport(const LoadPlan& plan, const Clock& clock)
    : plan_(plan),
      authority_(origin_of(plan.url).authority),
      clock_(clock),
      limit_(static_cast<size_t>(plan.connections)),
      traces_(plan.seed, plan.run_id),
      deadlines_(plan.requests),
      buffer_(kReadSize) {}

Result<std::unique_ptr<Http1Transport>> Http1Transport::open(const LoadPlan& plan,
                                                             const Clock& clock,
                                                             const StopFlag& stop) {
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Http1Transport> t(new Http1Transport(plan, clock));
  PLUMB_ASSIGN_OR_RETURN(t->poller_, Poller::open(stop));
  // A user's next request waits for an answer; an open schedule waits for the clock.
  if (plan.model == Model::kOpen) t->poller_->spin_for(kSpinNs);
  const Origin origin = origin_of(plan.url);
  if (origin.tls) {
    PLUMB_ASSIGN_OR_RETURN(t->tls_, TlsClient::open(origin.host, "http/1.1"));
  }
  t->addresses_ = std::make_unique<Addresses>(origin);
  for (const Request& request : plan.requests)
    t->prepared_.emplace_back(plan, request, t->authority_);
  return t;
}

Http1Transport::~Http1Transport() { abandon_all(); }

// ---- a request's way

Http1Transport::Connection& Http1Transport::free_connection() {
  if (!idle_.empty()) {
    Connection& c = *idle_.back();
    idle_.pop_back();
    return c;
  }
  if (unused_.empty()) {
    connections_.push_back(std::make_unique<Connection>());
    return *connections_.back();
  }
  Connection& c = *unused_.back();
  unused_.pop_back();
  return c;
}

void Http1Transport::start(const Start& request) {
  Connection& c = free_connection();
  c.request = request;
  c.kept = c.state == Connection::State::kIdle;
  c.has_retried = false;
  c.times = Timeline{};
  c.times.intended_ns = request.intended_ns;
  c.times.begun_ns = clock_.now_ns();
  c.times.taken_ns = request.queued_ns != 0 ? request.queued_ns : c.times.begun_ns;
  c.opened = 0;
  c.sent = c.received = 0;
  c.error = ErrorClass::kNone;
  deadlines_.add(c, request.endpoint, c.times.begun_ns);
  ++in_flight_;
  if (c.kept) {
    send(c);
  } else {
    c.addresses = addresses_->current();
    c.address = 0;
    connect(c);
  }
}

void Http1Transport::connect(Connection& c) {
  if (c.addresses.empty()) return fail(c, {ErrorClass::kDns, addresses_->problem()});
  c.state = Connection::State::kConnecting;
  const IoStep step = c.socket.connect(c.addresses[c.address]);
  const int os_errno = errno;
  if (c.socket.valid()) {
    const auto fd = static_cast<size_t>(c.socket.fd());
    if (fd >= by_fd_.size()) by_fd_.resize(fd + fd / 2 + 16);
    by_fd_[fd] = &c;
    poller_->adopt(c.socket.fd());
  }
  if (step == IoStep::kDone) return connected(c);
  if (step == IoStep::kWantsWrite) return want(c, EPOLLOUT);
  fail_io(c, os_errno);
}

void Http1Transport::connected(Connection& c) {
  ++c.opened;
  c.times.connected_ns = clock_.now_ns();
  if (tls_ == nullptr) return send(c);
  if (!c.socket.secure_with(*tls_)) return fail(c, {ErrorClass::kTls, "OpenSSL is out of memory"});
  c.state = Connection::State::kSecuring;
  secure(c);
}

void Http1Transport::secure(Connection& c) {
  switch (c.socket.tls()->handshake()) {
    case IoStep::kDone:
      c.times.secured_ns = clock_.now_ns();
      return send(c);
    case IoStep::kWantsRead:
      return want(c, kReadable);
    case IoStep::kWantsWrite:
      return want(c, EPOLLOUT);
    case IoStep::kClosed:
      return fail(c, {ErrorClass::kTls, "the peer closed during the TLS handshake"});
    case IoStep::kFailed:
      return fail(c, {ErrorClass::kTls, "TLS handshake: " + c.socket.tls()->problem()});
  }
}

// Begins the request, or goes on with what is left of it.
void Http1Transport::send(Connection& c) {
  std::string_view bytes = c.unsent;
  std::optional<Http1Request> own;  // of this one time
  if (c.state != Connection::State::kSending) {
    if (c.request.message != nullptr) own.emplace(plan_, *c.request.message, authority_);
    Http1Request& request = own ? *own : prepared_[c.request.endpoint];
    c.state = Connection::State::kSending;
    c.times.was_sent = true;
    c.response.begin(request.is_head(), c.request.sink);
    bytes = request.next(traces_);
  }
  while (!bytes.empty()) {
    size_t count = 0;
    const IoStep step = c.socket.write(bytes, count);
    if (step == IoStep::kDone) {
      c.sent += count;
      bytes.remove_prefix(count);
      continue;
    }
    if (step == IoStep::kClosed || step == IoStep::kFailed) return fail_transfer(c);
    c.unsent = std::string(bytes);
    // An answer may come before all has been sent: a refusal of a large body.
    return want(c, step == IoStep::kWantsRead ? kReadable : kReadable | EPOLLOUT);
  }
  c.unsent.clear();
  c.state = Connection::State::kReceiving;
  c.times.sent_ns = clock_.now_ns();
  want(c, kReadable);
}

void Http1Transport::receive(Connection& c) {
  // An answer without end must not keep the others from their turn.
  for (int reads = 0; reads < kMostReads; ++reads) {
    size_t count = 0;
    const IoStep step = c.socket.read(buffer_, count);
    if (step == IoStep::kWantsRead || step == IoStep::kWantsWrite) return;
    if (step == IoStep::kClosed) return peer_closed(c);
    if (step == IoStep::kFailed) return fail_transfer(c);
    const bool tells_time = c.received == 0 || c.request.sink != nullptr;
    const int64_t now = tells_time ? clock_.now_ns() : 0;
    if (c.received == 0) c.times.first_byte_ns = now;
    c.received += count;
    switch (c.response.feed({buffer_.data(), count}, now)) {
      case Http1Response::Progress::kComplete:
        return end(c);
      case Http1Response::Progress::kMalformed:
        return fail(c, {ErrorClass::kProtocol, "not HTTP/1.1: " + c.response.problem()});
      case Http1Response::Progress::kMore:
        break;
    }
    // A plain socket that gave less than asked for is empty; epoll says when there is more.
    if (c.socket.tls() == nullptr && count < buffer_.size()) return;
  }
}

void Http1Transport::peer_closed(Connection& c) {
  if (try_again(c)) return;
  if (c.received != 0 && c.response.close() == Http1Response::Progress::kComplete) return end(c);
  fail(c, {ErrorClass::kReset, c.received == 0 ? "the peer closed without an answer"
                                               : "the peer closed in the middle of the answer"});
}

// A kept connection may be closed by the peer at any time. A request that found it so goes out
// once more on a new one, as browsers do.
bool Http1Transport::try_again(Connection& c) {
  if (!c.kept || c.has_retried || c.received != 0) return false;
  close(c);
  c.has_retried = true;
  c.times.was_sent = false;
  c.addresses = addresses_->current();
  c.address = 0;
  connect(c);
  return true;
}

void Http1Transport::react(Connection& c, uint32_t events) {
  switch (c.state) {
    case Connection::State::kConnecting: {
      const int error = c.socket.connect_error();
      return error == 0 ? connected(c) : fail_io(c, error);
    }
    case Connection::State::kSecuring:
      return secure(c);
    case Connection::State::kSending:
      if ((events & kReadable) != 0) receive(c);
      if (c.state == Connection::State::kSending) send(c);
      return;
    case Connection::State::kReceiving:
      return receive(c);
    case Connection::State::kIdle:  // closed by the peer, or something that nobody asked for
      idle_.back()->idle_index = c.idle_index;
      std::swap(idle_[c.idle_index], idle_.back());
      idle_.pop_back();
      return retire(c);
    case Connection::State::kClosed:
    case Connection::State::kEnded:
      return;
  }
}

// Reading or writing has failed; errno says why, or OpenSSL does.
void Http1Transport::fail_transfer(Connection& c) {
  const int os_errno = errno;
  if (try_again(c)) return;
  if (c.socket.tls() != nullptr && os_errno == 0)
    return fail(c, {ErrorClass::kTls, c.socket.tls()->problem()});
  fail_io(c, os_errno);
}

void Http1Transport::fail_io(Connection& c, int os_errno) {
  const bool connecting = c.state == Connection::State::kConnecting;
  // The next address of a name, as long as there is one.
  if (connecting && c.address + 1 < c.addresses.size()) {
    close(c);
    ++c.address;
    return connect(c);
  }
  const std::string what = connecting ? "connecting: " : "";
  fail(c, {classify_errno(os_errno), what + std::strerror(os_errno)});
}

void Http1Transport::fail(Connection& c, const Failure& failure) {
  c.error = failure.error;
  c.detail = failure.detail;
  end(c);
}

// ---- sockets

void Http1Transport::want(Connection& c, uint32_t events) { poller_->want(c.socket.fd(), events); }

void Http1Transport::close(Connection& c) {
  c.unsent.clear();
  c.state = Connection::State::kClosed;
  if (!c.socket.valid()) return;
  by_fd_[static_cast<size_t>(c.socket.fd())] = nullptr;
  poller_->want(c.socket.fd(), 0);
  poller_->forget(c.socket.fd());
  // Its number must not come back while events of the old socket are still at hand.
  closing_.push_back(c.socket.release());
}

void Http1Transport::retire(Connection& c) {
  close(c);
  unused_.push_back(&c);
}

// ---- ends

void Http1Transport::end(Connection& c) {
  c.times.finished_ns = clock_.now_ns();
  c.reusable = c.error == ErrorClass::kNone && c.state == Connection::State::kReceiving &&
               c.response.reusable();
  c.state = Connection::State::kEnded;
  deadlines_.remove(c);
  ended_.push_back(&c);
}

// Reports the `count` completions that came first. A report may start a request that ends within
// the start (a fast target on another processor, a refused port): it goes to the end of the line,
// or two such connections would keep all others, the clock and the stop flag from their turn.
void Http1Transport::report(size_t count, CompletionHandler& handler) {
  for (; count > 0; --count) {
    Connection& next = *ended_.front();
    ended_.pop_front();
    finish(next, handler);
  }
}

void Http1Transport::finish(Connection& c, CompletionHandler& handler) {
  Completion done;
  done.endpoint = c.request.endpoint;
  done.user = c.request.user;
  done.times = c.times;
  done.sent_bytes = c.sent;
  done.received_bytes = c.received;
  done.connections_opened = c.opened;
  done.error = c.error;
  if (c.error == ErrorClass::kNone) {
    done.status = c.response.status();
    timing_ = c.response.server_timing();
    done.server_timing = timing_;
  } else {
    detail_.swap(c.detail);
    done.detail = detail_;
  }
  // The place is free before the handler, which may need it.
  if (c.reusable) {
    c.state = Connection::State::kIdle;
    c.idle_index = idle_.size();
    idle_.push_back(&c);
  } else {
    retire(c);
  }
  --in_flight_;
  handler.on_completion(done);
}

void Http1Transport::poll(int64_t until_ns, CompletionHandler& handler) {
  const int64_t now = clock_.now_ns();
  // After a completion the caller's deadline may be another, so this does not wait then.
  const bool reported = !ended_.empty();
  report(ended_.size(), handler);
  until_ns = std::min(until_ns, deadlines_.next_ns());
  for (const epoll_event& e : poller_->wait(now, reported ? now : until_ns)) {
    Connection* c = by_fd_[static_cast<size_t>(e.data.fd)];
    if (c == nullptr) continue;  // closed while another event was handled
    const size_t before = ended_.size();
    react(*c, e.events);
    report(ended_.size() - before, handler);
  }
  closing_.clear();
  expire();
}

void Http1Transport::expire() {
  const int64_t now = clock_.now_ns();
  while (Connection* c = deadlines_.due(now)) {
    const TimeoutPhase phase = timeout_phase(c->times);
    fail(*c, {phase.error,
              timeout_sentence(plan_.requests[c->request.endpoint].timeout_ns, phase.during)});
  }
}

void Http1Transport::abandon_all() {
  for (const auto& c : connections_)
    if (c->state != Connection::State::kIdle && c->state != Connection::State::kClosed) retire(*c);
  deadlines_.clear();
  ended_.clear();
  closing_.clear();
  in_flight_ = 0;
}

}  // namespace plumb::http_load
