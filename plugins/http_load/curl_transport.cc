#include "plugins/http_load/curl_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "plugins/http_load/arrivals.h"
#include "plugins/http_load/server_timing.h"

namespace plumb::http_load {
namespace {

int64_t micros(CURL* easy, CURLINFO what) {
  curl_off_t us = 0;
  curl_easy_getinfo(easy, what, &us);
  return us * 1000;
}

}  // namespace

// One easy handle and the request that it carries.
struct CurlTransport::Slot : Deadline<Slot> {
  ~Slot() { curl_easy_cleanup(easy); }
  void tell(std::string_view line);

  CurlTransport* owner = nullptr;
  CURL* easy = nullptr;
  int64_t endpoint = -1;             // whose options the handle has; -1: none, or of one message
  std::unique_ptr<CurlRequest> own;  // of that message
  TraceIds::Header trace{};
  curl_slist trace_node{};  // its successor is the endpoint's own list
  char error[CURL_ERROR_SIZE] = {};

  bool active = false;
  Start request;
  int64_t begun_ns = 0;
  int64_t ready_ns = 0;  // a connection was there
  int64_t sent_ns = 0;
  int64_t first_byte_ns = 0;
  int open_errno = 0;
  int status = 0;           // of the answer that its sink was told of
  bool has_enough = false;  // the sink wants no more of it
  std::string server_timing;
};

CurlTransport::CurlTransport(const LoadPlan& plan, const Clock& clock)
    : plan_(plan),
      clock_(clock),
      limit_(static_cast<size_t>(plan.connections)),
      traces_(plan.seed, plan.run_id),
      deadlines_(plan.requests),
      timer_ns_(kNever) {}

Result<std::unique_ptr<CurlTransport>> CurlTransport::open(const LoadPlan& plan, const Clock& clock,
                                                           const StopFlag& stop) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return Status::internal("libcurl did not initialise");
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<CurlTransport> t(new CurlTransport(plan, clock));
  PLUMB_ASSIGN_OR_RETURN(t->poller_, Poller::open(stop));
  PLUMB_RETURN_IF_ERROR(t->set_multi_options());
  PLUMB_RETURN_IF_ERROR(t->prepare());
  return t;
}

CurlTransport::~CurlTransport() {
  abandon_all();
  slots_.clear();
  if (multi_ != nullptr) curl_multi_cleanup(multi_);  // closes what it kept alive: on_close runs
  prepared_.clear();
  curl_global_cleanup();
}

Status CurlTransport::set_multi_options() {
  multi_ = curl_multi_init();
  if (multi_ == nullptr) return Status::internal("libcurl gave no multi handle");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  // The default forgets live connections as soon as there are more than four per handle added.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(limit_ + 8));
  return Status::ok();
}

Status CurlTransport::prepare() {
  for (const Request& request : plan_.requests) {
    auto made = CurlRequest::make(plan_, request);
    if (!made.is_ok()) return made.status();
    prepared_.push_back(std::move(made).value());
  }
  return Status::ok();
}

CurlTransport::Slot* CurlTransport::free_slot() {
  if (!free_.empty()) {
    Slot* slot = free_.back();
    free_.pop_back();
    return slot;
  }
  auto slot = std::make_unique<Slot>();
  slot->owner = this;
  slot->easy = curl_easy_init();
  if (slot->easy == nullptr) throw std::bad_alloc();
  slot->trace_node.data = slot->trace.data();
  set_fixed_options(*slot);
  slots_.push_back(std::move(slot));
  return slots_.back().get();
}

void CurlTransport::set_fixed_options(Slot& slot) {
  CURL* easy = slot.easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &slot);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot.error);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "plumb/0.1");
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &on_open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &slot);
  // The socket may outlive the slot's part in it, so closing is told to the transport.
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &on_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &slot);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &slot);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &slot);
  // The request's own timeout ends it; libcurl's own for connecting (300 s) must not come first.
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<int64_t>(300'000, plan_.timeout_ns / 1'000'000 * 2)));
}

CURLcode CurlTransport::set_request_options(Slot& slot) {
  traces_.next(slot.trace);
  const uint32_t endpoint = slot.request.endpoint;
  if (slot.request.message != nullptr) {
    auto made = CurlRequest::make(plan_, *slot.request.message);
    if (!made.is_ok()) return CURLE_OUT_OF_MEMORY;
    made.value()->apply(slot.easy, slot.trace_node);
    slot.own = std::move(made).value();
    slot.endpoint = -1;
  } else if (slot.endpoint != endpoint) {
    slot.endpoint = endpoint;
    prepared_[endpoint]->apply(slot.easy, slot.trace_node);
    slot.own.reset();
  }
  return CURLE_OK;
}

void CurlTransport::start(const Start& request) {
  Slot& slot = *free_slot();
  slot.request = request;
  slot.ready_ns = slot.sent_ns = slot.first_byte_ns = 0;
  slot.open_errno = 0;
  slot.error[0] = '\0';
  slot.server_timing.clear();
  slot.status = 0;
  slot.has_enough = false;
  slot.active = true;
  slot.begun_ns = clock_.now_ns();
  ++in_flight_;
  if (const CURLcode code = set_request_options(slot); code != CURLE_OK) {
    ended_.push_back({&slot, code, slot.begun_ns});
    return;
  }
  deadlines_.add(slot, request.endpoint, slot.begun_ns);
  curl_multi_add_handle(multi_, slot.easy);
  run_timers();  // a new handle is a timer that is due: this sends the request now
}

void CurlTransport::release(Slot& slot) {
  curl_multi_remove_handle(multi_, slot.easy);
  slot.active = false;
  --in_flight_;
  free_.push_back(&slot);
}

void CurlTransport::act(curl_socket_t fd, int what) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, what, &running);
  const int64_t now = clock_.now_ns();
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Slot* slot = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
    deadlines_.remove(*slot);
    ended_.push_back({slot, slot->has_enough ? CURLE_OK : message->data.result, now});
  }
}

void CurlTransport::run_timers() {
  timer_ns_ = kNever;  // libcurl sets it anew
  act(CURL_SOCKET_TIMEOUT, 0);
}

// Reports the `count` completions that came first. A report may start a request that ends within
// the start (a fast target on another processor, a refused port): it goes to the end of the line,
// or two such connections would keep all others, the clock and the stop flag from their turn.
void CurlTransport::report(size_t count, CompletionHandler& handler) {
  for (; count > 0; --count) {
    const Ended next = ended_.front();
    ended_.pop_front();
    finish(next, handler);
  }
}

void CurlTransport::poll(int64_t until_ns, CompletionHandler& handler) {
  const int64_t now = clock_.now_ns();
  if (timer_ns_ <= now) run_timers();
  // After a completion the caller's deadline may be another, so this does not wait then.
  const bool reported = !ended_.empty();
  report(ended_.size(), handler);
  until_ns = std::min(until_ns, deadlines_.next_ns());
  until_ns = reported ? now : std::min(until_ns, timer_ns_);
  for (const epoll_event& e : poller_->wait(now, until_ns)) {
    int what = 0;
    if ((e.events & EPOLLIN) != 0) what |= CURL_CSELECT_IN;
    if ((e.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((e.events & (EPOLLERR | EPOLLHUP)) != 0) what |= CURL_CSELECT_ERR | CURL_CSELECT_IN;
    const size_t before = ended_.size();
    act(e.data.fd, what);
    report(ended_.size() - before, handler);
  }
  expire(handler);
}

void CurlTransport::expire(CompletionHandler& handler) {
  const int64_t now = clock_.now_ns();
  while (Slot* slot = deadlines_.due(now)) {
    deadlines_.remove(*slot);
    finish({slot, CURLE_OPERATION_TIMEDOUT, now}, handler);
  }
}

std::string CurlTransport::describe(const Slot& slot, CURLcode code, const Timeline& times) const {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return timeout_sentence(plan_.requests[slot.request.endpoint].timeout_ns,
                            timeout_phase(times).during);
  }
  if (slot.open_errno != 0) return std::string("no socket: ") + std::strerror(slot.open_errno);
  return slot.error[0] != '\0' ? slot.error : curl_easy_strerror(code);
}

void CurlTransport::finish(const Ended& ended, CompletionHandler& handler) {
  Slot& slot = *ended.slot;
  const CURLcode code = ended.code;
  Completion done;
  Timeline& t = done.times;
  t.finished_ns = ended.at_ns;
  CURL* easy = slot.easy;
  long value = 0;
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &value);
  const int64_t connected = value > 0 ? micros(easy, CURLINFO_CONNECT_TIME_T) : 0;
  t.intended_ns = slot.request.intended_ns;
  t.begun_ns = slot.begun_ns;
  t.taken_ns = slot.request.queued_ns != 0 ? slot.request.queued_ns : slot.begun_ns;
  if (connected > 0) {
    done.connections_opened = static_cast<uint32_t>(value);
    t.resolved_ns = slot.begun_ns + micros(easy, CURLINFO_NAMELOOKUP_TIME_T);
    t.connected_ns = slot.begun_ns + connected;
    // Without TLS libcurl leaves it 0.
    if (const int64_t secured = micros(easy, CURLINFO_APPCONNECT_TIME_T); secured > 0)
      t.secured_ns = slot.begun_ns + secured;
  }
  t.was_sent = slot.ready_ns != 0;
  // An answer can be read in the same call that sent the request: libcurl then never asks to wait.
  t.sent_ns = slot.sent_ns != 0 ? slot.sent_ns : slot.ready_ns;
  t.first_byte_ns = slot.first_byte_ns;

  done.endpoint = slot.request.endpoint;
  done.user = slot.request.user;
  if (code != CURLE_OK) {
    long os_errno = slot.open_errno;
    if (os_errno == 0) curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    done.error = classify(code, static_cast<int>(os_errno));
    if (code == CURLE_OPERATION_TIMEDOUT) done.error = timeout_phase(t).error;
    detail_ = describe(slot, code, t);
    done.detail = detail_;
  } else {
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &value);
    done.status = static_cast<int>(value);
    timing_.swap(slot.server_timing);
    done.server_timing = timing_;
  }
  curl_off_t bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &value);
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &bytes);
  done.sent_bytes = static_cast<uint64_t>(value + bytes);
  curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &value);
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
  done.received_bytes = static_cast<uint64_t>(value + bytes);
  release(slot);  // before the handler, which may need the place
  handler.on_completion(done);
}

void CurlTransport::abandon_all() {
  for (const auto& slot : slots_)
    if (slot->active) release(*slot);
  deadlines_.clear();
  ended_.clear();
}

int CurlTransport::on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void*) {
  auto& t = *static_cast<CurlTransport*>(self);
  uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  t.poller_->want(fd, events);
  if (what == CURL_POLL_IN) {
    // Nothing left to write on a connection that was ready: the request is out.
    Slot* slot = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
    if (slot != nullptr && slot->ready_ns != 0 && slot->sent_ns == 0)
      slot->sent_ns = t.clock_.now_ns();
  }
  return 0;
}

int CurlTransport::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& t = *static_cast<CurlTransport*>(self);
  t.timer_ns_ = timeout_ms < 0 ? kNever : t.clock_.now_ns() + timeout_ms * int64_t{1'000'000};
  return 0;
}

curl_socket_t CurlTransport::on_open(void* data, curlsocktype, curl_sockaddr* address) {
  auto& slot = *static_cast<Slot*>(data);
  const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) {
    slot.open_errno = errno;
    return CURL_SOCKET_BAD;
  }
  slot.owner->poller_->adopt(fd);
  return fd;
}

int CurlTransport::on_close(void* self, curl_socket_t fd) {
  static_cast<CurlTransport*>(self)->poller_->forget(fd);
  return close(fd);
}

int CurlTransport::on_request(void* data, char*, char*, int, int) {
  auto& slot = *static_cast<Slot*>(data);
  slot.ready_ns = slot.owner->clock_.now_ns();
  slot.sent_ns = slot.first_byte_ns = 0;  // libcurl tries again when a kept connection was dead
  return CURL_PREREQFUNC_OK;
}

size_t CurlTransport::on_header(char* data, size_t size, size_t count, void* user) {
  auto& slot = *static_cast<Slot*>(user);
  const std::string_view line(data, size * count);
  if (slot.first_byte_ns == 0) slot.first_byte_ns = slot.owner->clock_.now_ns();
  append_server_timing(line, slot.server_timing);
  if (slot.request.sink != nullptr) slot.tell(line);
  return line.size();
}

// One line of an answer's head: its status line, a header, or the empty line at its end.
void CurlTransport::Slot::tell(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    status = static_cast<int>(code);
    if (status >= 200 || status == 101) request.sink->on_answer(status);
    return;
  }
  const size_t colon = line.find(':');
  if (status < 200 || colon == std::string_view::npos) return;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  request.sink->on_header(line.substr(0, colon), value);
}

size_t CurlTransport::on_body(char* data, size_t size, size_t count, void* user) {
  auto& slot = *static_cast<Slot*>(user);
  const size_t length = size * count;
  if (slot.request.sink == nullptr ||
      slot.request.sink->on_body({data, length}, slot.owner->clock_.now_ns()))
    return length;
  slot.has_enough = true;
  return 0;  // ends the transfer
}

}  // namespace plumb::http_load
