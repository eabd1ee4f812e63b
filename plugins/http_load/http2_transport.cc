#include "plugins/http_load/http2_transport.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "plugins/http_load/client_socket.h"
#include "plugins/http_load/http2_session.h"

namespace plumb::http_load {
namespace {

// How late a timer may wake this process on an idle machine; longer would burn processor time.
constexpr int64_t kLateTimerNs = 60'000;
constexpr size_t kMostRead = 64 * 1024;
constexpr size_t kMostPacked = 64 * 1024;
constexpr int kMostReadsATurn = 64;
// Requests in flight keep about half a kilobyte each, however many connections and streams the plan
// allows.
constexpr size_t kMostInFlight = 1'000'000;
// A peer that ends its connections after so many requests, as servers do, leaves some unprocessed
// each time. Beyond this often it is refusing service.
constexpr int kMostRefusals = 3;
constexpr uint32_t kInput = EPOLLIN | EPOLLRDHUP;

}  // namespace

struct Http2Transport::Failure {
  ErrorClass error;
  std::string detail;
};

// A request in flight. Kept for the whole run, for one request after another.
struct Http2Transport::Stream : Http2Exchange, Deadline<Stream> {
  Start request;
  Connection* connection = nullptr;
  size_t index = 0;                   // in its streams
  std::unique_ptr<Http2Request> own;  // of this one time
  bool has_begun = false;             // a connection was free for it
  bool on_kept = false;               // the connection had been there before it
  bool has_retried = false;           // ... and was dead
  int refusals = 0;
  uint64_t reads_before = 0;  // of the connection
  uint32_t opened = 0;
  ErrorClass error = ErrorClass::kNone;
};

struct Http2Transport::Connection : Load<Connection> {
  enum class State : uint8_t { kClosed, kConnecting, kSecuring, kOpen };

  ClientSocket socket;
  State state = State::kClosed;
  std::unique_ptr<Http2Session> session;
  std::vector<Stream*> streams;
  std::vector<Address> addresses;
  size_t address = 0;  // the one in use
  size_t most_streams = 0;
  bool takes_more = false;  // requests
  bool has_unsent = false;  // is in unsent_
  bool is_packed = false;   // `packed` is what the kernel did not take at once
  int64_t connected_ns = 0;
  uint64_t reads = 0;
  std::string packed;
};

Http2Transport::Http2Transport(const LoadPlan& plan, const Clock& clock)
    : plan_(plan),
      origin_(origin_of(plan.url)),
      clock_(clock),
      limit_(std::min(kMostInFlight, static_cast<size_t>(plan.connections * plan.streams))),
      traces_(plan.seed, plan.run_id),
      deadlines_(plan.requests),
      buffer_(kMostRead) {}

Result<std::unique_ptr<Http2Transport>> Http2Transport::open(const LoadPlan& plan,
                                                             const Clock& clock,
                                                             const StopFlag& stop) {
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Http2Transport> t(new Http2Transport(plan, clock));
  PLUMB_ASSIGN_OR_RETURN(t->poller_, Poller::open(stop));
  // A user's next request waits for an answer; an open schedule waits for the clock.
  if (plan.model == Model::kOpen) t->poller_->spin_for(kLateTimerNs);
  if (t->origin_.tls) {
    PLUMB_ASSIGN_OR_RETURN(t->tls_, TlsClient::open(t->origin_.host, "h2"));
  }
  t->addresses_ = std::make_unique<Addresses>(t->origin_);
  for (const Request& request : plan.requests)
    t->prepared_.push_back(std::make_unique<Http2Request>(plan, request, t->origin_));
  return t;
}

Http2Transport::~Http2Transport() { abandon_all(); }

// ---- where requests go

Http2Transport::Stream& Http2Transport::free_stream() {
  if (free_.empty()) {
    streams_.push_back(std::make_unique<Stream>());
    return *streams_.back();
  }
  Stream& s = *free_.back();
  free_.pop_back();
  return s;
}

void Http2Transport::start(const Start& request) {
  Stream& s = free_stream();
  s.request = request;
  s.sink = request.sink;
  s.has_begun = s.has_retried = false;
  s.refusals = 0;
  s.opened = 0;
  s.sent = s.received = 0;
  s.status = 0;
  s.error = ErrorClass::kNone;
  s.times = Timeline{};
  s.times.intended_ns = request.intended_ns;
  s.times.begun_ns = clock_.now_ns();
  s.times.taken_ns = request.queued_ns != 0 ? request.queued_ns : s.times.begun_ns;
  deadlines_.add(s, request.endpoint, s.times.begun_ns);
  ++in_flight_;
  place(s);
}

Http2Transport::Connection& Http2Transport::fresh_connection() {
  if (unused_.empty()) {
    connections_.push_back(std::make_unique<Connection>());
    unused_.push_back(connections_.back().get());
  }
  Connection& c = *unused_.back();
  unused_.pop_back();
  c.session = std::make_unique<Http2Session>(memory_);
  c.addresses = addresses_->current();
  c.address = 0;
  c.reads = 0;
  c.takes_more = true;
  ++open_;
  learn_limit(c);
  return c;
}

// Null when all that the plan allows carry as much as they can.
Http2Transport::Connection* Http2Transport::connection_with_room() {
  Connection* least = with_room_.least();
  const bool all_busy = least == nullptr || !least->streams.empty();
  if (all_busy && open_ < static_cast<size_t>(plan_.connections)) return &fresh_connection();
  return least;
}

void Http2Transport::place(Stream& s) {
  Connection* c = connection_with_room();
  if (c == nullptr) return waiting_.push_back(&s);
  join(s, *c);
  if (c->state == Connection::State::kClosed) return connect(*c);
  if (c->state == Connection::State::kOpen) submit(s, *c);
}

void Http2Transport::place_waiting() {
  for (size_t count = waiting_.size(); count > 0 && connection_with_room() != nullptr; --count) {
    Stream& s = *waiting_.front();
    waiting_.pop_front();
    if (!s.has_begun) {
      s.times.begun_ns = clock_.now_ns();
      deadlines_.remove(s);
      deadlines_.add(s, s.request.endpoint, s.times.begun_ns);
    }
    place(s);
  }
}

void Http2Transport::join(Stream& s, Connection& c) {
  s.connection = &c;
  s.has_begun = true;
  s.index = c.streams.size();
  s.on_kept = c.state == Connection::State::kOpen;
  s.reads_before = c.reads;
  s.times.connected_ns = c.state == Connection::State::kSecuring ? c.connected_ns : 0;
  c.streams.push_back(&s);
  list(c);
}

void Http2Transport::leave(Stream& s) {
  Connection& c = *std::exchange(s.connection, nullptr);
  c.streams[s.index] = c.streams.back();
  c.streams[s.index]->index = s.index;
  c.streams.pop_back();
  list(c);
}

void Http2Transport::list(Connection& c) {
  if (c.takes_more && c.streams.size() < c.most_streams)
    with_room_.put(c, c.streams.size());
  else
    with_room_.take_out(c);
}

// What the peer allows now. Once it has spoken, the next connection's peer is taken to allow the
// same, so that what is too much for it waits where the schedule sees it.
void Http2Transport::learn_limit(Connection& c) {
  const size_t most = std::min(static_cast<size_t>(plan_.streams), c.session->most_streams());
  if (c.reads > 0)
    limit_ =
        std::min(kMostInFlight, std::max<size_t>(1, most) * static_cast<size_t>(plan_.connections));
  if (most == c.most_streams) return;
  c.most_streams = most;
  list(c);
}

void Http2Transport::submit(Stream& s, Connection& c) {
  if (s.request.message != nullptr)
    s.own = std::make_unique<Http2Request>(plan_, *s.request.message, origin_);
  Http2Request& request = s.own ? *s.own : *prepared_[s.request.endpoint];
  if (!c.session->submit(s, request, traces_)) {
    wind_down(c);
    leave(s);
    return waiting_.push_back(&s);
  }
  s.times.was_sent = true;
  will_flush(c);
}

// It gets no more requests, and ends with the last of those it has.
void Http2Transport::wind_down(Connection& c) {
  if (!std::exchange(c.takes_more, false)) return;
  --open_;
  list(c);
}

void Http2Transport::retire_if_done(Connection& c) {
  if (c.state != Connection::State::kClosed && !c.takes_more && c.streams.empty()) retire(c);
}

// ---- a connection's way

void Http2Transport::connect(Connection& c) {
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
  if (step == IoStep::kWantsWrite) return poller_->want(c.socket.fd(), EPOLLOUT);
  fail_io(c, os_errno);
}

void Http2Transport::connected(Connection& c) {
  c.connected_ns = clock_.now_ns();
  if (!c.streams.empty()) ++c.streams.front()->opened;
  for (Stream* s : c.streams) s->times.connected_ns = c.connected_ns;
  if (tls_ == nullptr) return secured(c);
  if (!c.socket.secure_with(*tls_)) return fail(c, {ErrorClass::kTls, "OpenSSL is out of memory"});
  c.state = Connection::State::kSecuring;
  secure(c);
}

void Http2Transport::secure(Connection& c) {
  switch (c.socket.tls()->handshake()) {
    case IoStep::kDone:
      break;
    case IoStep::kWantsRead:
      return poller_->want(c.socket.fd(), kInput);
    case IoStep::kWantsWrite:
      return poller_->want(c.socket.fd(), EPOLLOUT);
    case IoStep::kClosed:
      return fail(c, {ErrorClass::kTls, "the peer closed during the TLS handshake"});
    case IoStep::kFailed:
      return fail(c, {ErrorClass::kTls, "TLS handshake: " + c.socket.tls()->problem()});
  }
  const int64_t now = clock_.now_ns();
  for (Stream* s : c.streams) s->times.secured_ns = now;
  if (c.socket.tls()->version() != "h2")
    return fail(c, {ErrorClass::kProtocol, "not HTTP/2: the peer did not choose h2 (ALPN)"});
  secured(c);
}

// Requests go out with the preface, before the peer has said a word: that is what it allows.
void Http2Transport::secured(Connection& c) {
  c.state = Connection::State::kOpen;
  const std::vector<Stream*> waited = c.streams;
  for (Stream* s : waited) submit(*s, c);
  will_flush(c);
  poller_->want(c.socket.fd(), kInput);
}

void Http2Transport::react(Connection& c, uint32_t events) {
  switch (c.state) {
    case Connection::State::kConnecting: {
      const int error = c.socket.connect_error();
      return error == 0 ? connected(c) : fail_io(c, error);
    }
    case Connection::State::kSecuring:
      return secure(c);
    case Connection::State::kOpen:
      // What was begun before goes out before the peer's answers change what it may.
      if (c.has_unsent || (events & EPOLLOUT) != 0) flush(c);
      if (c.state == Connection::State::kOpen && (events & ~uint32_t{EPOLLOUT}) != 0) receive(c);
      return;
    case Connection::State::kClosed:
      return;
  }
}

void Http2Transport::receive(Connection& c) {
  // A peer that sends without end must not keep the others from their turn.
  for (int reads = 0; reads < kMostReadsATurn; ++reads) {
    size_t count = 0;
    const IoStep step = c.socket.read(buffer_, count);
    if (step == IoStep::kWantsRead || step == IoStep::kWantsWrite) break;
    if (step == IoStep::kClosed) return peer_closed(c);
    if (step == IoStep::kFailed) return fail_transfer(c);
    ++c.reads;
    c.session->feed({buffer_.data(), count}, clock_.now_ns());
    settle(c);
    // A plain socket that gave less than asked for is empty; epoll says when there is more.
    if (c.socket.tls() == nullptr && count < buffer_.size()) break;
  }
  will_flush(c);  // for what nghttp2 has to say to it
  retire_if_done(c);
}

// Takes up what has changed with the last bytes in or out.
void Http2Transport::settle(Connection& c) {
  for (Http2Exchange* exchange : c.session->ended()) {
    auto& s = static_cast<Stream&>(*exchange);
    leave(s);
    ended_by_peer(s);
  }
  c.session->ended().clear();
  learn_limit(c);
  if (c.session->is_closing()) wind_down(c);
}

void Http2Transport::peer_closed(Connection& c) {
  const std::string& why = c.session->problem();
  if (c.session->is_broken()) return fail(c, {ErrorClass::kProtocol, why});
  fail(c, {ErrorClass::kReset, why.empty() ? "the peer closed" : why});
}

// ---- writing

// Sends all that there is to send, or as much as the kernel takes now.
void Http2Transport::flush(Connection& c) {
  for (bool more = true; more && c.state == Connection::State::kOpen;) {
    if (!c.is_packed) {
      batch_.clear();
      c.session->pack(batch_, kMostPacked, clock_.now_ns());
      settle(c);
      more = batch_.size() >= kMostPacked;
    }
    if (!write_out(c)) return;
  }
  if (c.session->is_broken()) return fail(c, {ErrorClass::kProtocol, c.session->problem()});
  retire_if_done(c);
}

// False when the kernel takes no more, or the connection has ended.
bool Http2Transport::write_out(Connection& c) {
  std::string_view bytes = c.is_packed ? c.packed : batch_;
  while (!bytes.empty()) {
    size_t count = 0;
    const IoStep step = c.socket.write(bytes, count);
    if (step == IoStep::kDone) {
      bytes.remove_prefix(count);
      continue;
    }
    if (step == IoStep::kClosed || step == IoStep::kFailed) {
      fail_sending(c);
      return false;
    }
    c.packed = std::string(bytes);
    c.is_packed = true;
    poller_->want(c.socket.fd(), step == IoStep::kWantsRead ? kInput : kInput | EPOLLOUT);
    return false;
  }
  if (std::exchange(c.is_packed, false)) poller_->want(c.socket.fd(), kInput);
  c.session->handed_over(clock_.now_ns());
  return true;
}

// A peer that went away may have said more before: answers, or that it leaves. OpenSSL reads no
// more after such a failure.
void Http2Transport::fail_sending(Connection& c) {
  if (c.socket.tls() != nullptr) return fail_transfer(c);
  const int os_errno = errno;
  receive(c);
  if (c.state == Connection::State::kOpen) fail_io(c, os_errno);
}

void Http2Transport::will_flush(Connection& c) {
  if (!std::exchange(c.has_unsent, true)) unsent_.push_back(&c);
}

void Http2Transport::flush_all() {
  place_waiting();
  // By index: a connection that fails may have others begin.
  for (size_t i = 0; i < unsent_.size(); ++i) {
    Connection& c = *unsent_[i];
    c.has_unsent = false;
    if (c.state == Connection::State::kOpen) flush(c);
  }
  unsent_.clear();
}

// ---- a connection's end

void Http2Transport::fail_io(Connection& c, int os_errno) {
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

// Reading or writing has failed; errno says why, or OpenSSL does.
void Http2Transport::fail_transfer(Connection& c) {
  const int os_errno = errno;
  if (c.socket.tls() != nullptr && os_errno == 0)
    return fail(c, {ErrorClass::kTls, c.socket.tls()->problem()});
  fail_io(c, os_errno);
}

// Ends the connection, and with it the requests it carries.
void Http2Transport::fail(Connection& c, const Failure& failure) {
  const uint64_t reads = c.reads;
  std::vector<Stream*> lost;
  lost.swap(c.streams);
  retire(c);
  for (Stream* s : lost) {
    s->connection = nullptr;
    s->session = nullptr;
    s->id = 0;
    s->times.finished_ns = clock_.now_ns();
    // A kept connection may be closed by the peer at any time. A request that found it so goes out
    // once more, as browsers do.
    const bool found_it_dead =
        s->on_kept && s->reads_before == reads && failure.error != ErrorClass::kProtocol;
    if (found_it_dead && !std::exchange(s->has_retried, true)) {
      try_again(*s);
    } else {
      const char* when = s->status == 0 ? " without an answer" : " in the middle of the answer";
      end(*s, failure.error, failure.detail + (failure.error == ErrorClass::kReset ? when : ""));
    }
  }
}

void Http2Transport::close(Connection& c) {
  c.state = Connection::State::kClosed;
  c.packed.clear();
  c.is_packed = false;
  if (!c.socket.valid()) return;
  by_fd_[static_cast<size_t>(c.socket.fd())] = nullptr;
  poller_->want(c.socket.fd(), 0);
  poller_->forget(c.socket.fd());
  // Its number must not come back while events of the old socket are still at hand.
  closing_.push_back(c.socket.release());
}

void Http2Transport::retire(Connection& c) {
  wind_down(c);
  close(c);
  c.session.reset();
  c.most_streams = 0;
  unused_.push_back(&c);
}

// ---- a request's end

void Http2Transport::ended_by_peer(Stream& s) {
  switch (s.end) {
    case Http2Exchange::End::kAnswered:
      return end(s, ErrorClass::kNone, {});
    case Http2Exchange::End::kReset:
      return end(s, ErrorClass::kReset, std::move(s.detail));
    case Http2Exchange::End::kUnprocessed:
      if (++s.refusals <= kMostRefusals) return try_again(s);
      return end(s, ErrorClass::kReset, std::move(s.detail));
    case Http2Exchange::End::kViolation:
      return end(s, ErrorClass::kProtocol, std::move(s.detail));
    case Http2Exchange::End::kUnsendable:
      return end(s, ErrorClass::kOther, std::move(s.detail));
  }
}

// Not at once: this may be the end of a connection, whose others come first.
void Http2Transport::try_again(Stream& s) {
  Timeline fresh;
  fresh.intended_ns = s.times.intended_ns;
  fresh.taken_ns = s.times.taken_ns;
  fresh.begun_ns = s.times.begun_ns;
  s.times = fresh;
  s.status = 0;
  waiting_.push_back(&s);
}

void Http2Transport::end(Stream& s, ErrorClass error, std::string detail) {
  if (s.times.finished_ns == 0) s.times.finished_ns = clock_.now_ns();
  s.error = error;
  s.detail = std::move(detail);
  deadlines_.remove(s);
  ended_.push_back(&s);
}

// Reports the `count` completions that came first. A report may start a request that ends within
// the start (a refused port): it goes to the end of the line, or it would keep all others, the
// clock and the stop flag from their turn.
void Http2Transport::report(size_t count, CompletionHandler& handler) {
  for (; count > 0; --count) {
    Stream& next = *ended_.front();
    ended_.pop_front();
    finish(next, handler);
  }
}

void Http2Transport::finish(Stream& s, CompletionHandler& handler) {
  Completion done;
  done.endpoint = s.request.endpoint;
  done.user = s.request.user;
  done.times = s.times;
  done.sent_bytes = s.sent;
  done.received_bytes = s.received;
  done.connections_opened = s.opened;
  done.error = s.error;
  if (s.error == ErrorClass::kNone) {
    done.status = s.status;
    timing_.swap(s.server_timing);
    done.server_timing = timing_;
  } else {
    detail_.swap(s.detail);
    done.detail = detail_;
  }
  // The place is free before the handler, which may need it.
  s.own.reset();
  free_.push_back(&s);
  --in_flight_;
  handler.on_completion(done);
}

void Http2Transport::poll(int64_t until_ns, CompletionHandler& handler) {
  // After a completion the caller's deadline may be another, so this does not wait then.
  bool reported = !ended_.empty();
  report(ended_.size(), handler);
  flush_all();
  reported = reported || !ended_.empty();
  const int64_t now = clock_.now_ns();
  until_ns = std::min(until_ns, deadlines_.next_ns());
  for (const epoll_event& e : poller_->wait(now, reported ? now : until_ns)) {
    Connection* c = by_fd_[static_cast<size_t>(e.data.fd)];
    if (c == nullptr) continue;  // closed while another event was handled
    react(*c, e.events);
    report(ended_.size(), handler);
    flush_all();
  }
  closing_.clear();
  expire();
}

void Http2Transport::expire() {
  const int64_t now = clock_.now_ns();
  while (Stream* s = deadlines_.due(now)) {
    const TimeoutPhase phase = timeout_phase(s->times);
    end(*s, phase.error,
        timeout_sentence(plan_.requests[s->request.endpoint].timeout_ns, phase.during));
    Connection* c = s->connection;
    if (c == nullptr) {
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), s));
      continue;
    }
    leave(*s);
    if (s->session != nullptr) {
      c->session->cancel(*s);
      will_flush(*c);
    }
    // Not a word since the request joined: whatever is there, the next one had better not.
    if (c->reads == s->reads_before) wind_down(*c);
    retire_if_done(*c);
  }
}

void Http2Transport::abandon_all() {
  for (const auto& c : connections_) {
    if (c->streams.empty()) continue;
    c->streams.clear();
    retire(*c);
  }
  free_.clear();
  for (const auto& s : streams_) {
    s->connection = nullptr;
    s->session = nullptr;
    s->own.reset();
    free_.push_back(s.get());
  }
  deadlines_.clear();
  waiting_.clear();
  ended_.clear();
  closing_.clear();
  in_flight_ = 0;
}

}  // namespace plumb::http_load
