#include "plugins/http_load/http2_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace plumb::http_load {
namespace {

constexpr size_t kLargestSentHeaders = 1 << 20;

int choose_h2(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
              unsigned in_size, void*) {
  static constexpr unsigned char kH2[] = "\x02h2";  // and what is chosen points to it
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, kH2, 3, in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

nghttp2_nv server_field(const std::string& name, const std::string& value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

// One connection, on a thread of its own.
class Http2Server::Peer {
 public:
  Peer(Http2Server& server, int fd, uint64_t number)
      : server_(server), fd_(fd), number_(number), ssl_(nullptr, &SSL_free) {}

  void serve() {
    if (server_.options_.tls) {
      ssl_.reset(SSL_new(server_.context_.get()));
      SSL_set_fd(ssl_.get(), fd_);
      if (SSL_accept(ssl_.get()) != 1) return;
    }
    open_session();
    std::array<uint8_t, 16'384> buffer;
    for (ssize_t n = 1; n > 0 && flush() && !is_over_;) {
      n = read(buffer.data(), buffer.size());
      if (n > 0 &&
          nghttp2_session_mem_recv(session_.get(), buffer.data(), static_cast<size_t>(n)) < 0)
        return;
    }
  }

 private:
  struct Exchange {
    Http2Seen seen;
    Http2Reply reply;
    size_t sent = 0;
  };
  static Peer& self_of(void* self) { return *static_cast<Peer*>(self); }

  void open_session() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* options = nullptr;
    nghttp2_session* session = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_option_new(&options);
    nghttp2_option_set_max_send_header_block_length(options, kLargestSentHeaders);
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
          self_of(self).begin(frame->hd.stream_id);
          return 0;
        });
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
           const uint8_t* value, size_t value_size, uint8_t, void* self) {
          self_of(self).exchanges_[frame->hd.stream_id].seen.headers.emplace(
              std::string(reinterpret_cast<const char*>(name), name_size),
              std::string(reinterpret_cast<const char*>(value), value_size));
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void* self) {
          self_of(self).exchanges_[id].seen.body.append(reinterpret_cast<const char*>(bytes), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
          const bool whole = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
                             (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA);
          if (whole) self_of(self).answer(frame->hd.stream_id);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, int32_t id, uint32_t, void* self) {
          self_of(self).exchanges_.erase(id);
          return 0;
        });
    nghttp2_session_server_new2(&session, callbacks, this, options);
    session_.reset(session);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    const std::array<nghttp2_settings_entry, 1> settings = {
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server_.options_.most_streams}}};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }

  void begin(int32_t id) {
    exchanges_[id].seen.connection = number_;
    server_.most_open_ = std::max(server_.most_open_.load(), exchanges_.size());
  }

  void answer(int32_t id) {
    Exchange& exchange = exchanges_[id];
    {
      const std::lock_guard lock(server_.mutex_);
      server_.seen_.push_back(exchange.seen);
    }
    exchange.reply = server_.handler_(exchange.seen);
    Http2Reply& reply = exchange.reply;
    if (reply.status == 0) return go_on(id, reply);
    reply.headers.insert(reply.headers.begin(), {":status", std::to_string(reply.status)});
    std::vector<nghttp2_nv> fields;
    for (const auto& [name, value] : reply.headers) fields.push_back(server_field(name, value));
    nghttp2_data_provider body{{.ptr = this}, &next_bytes};
    nghttp2_submit_response(session_.get(), id, fields.data(), fields.size(), &body);
  }

  static ssize_t next_bytes(nghttp2_session*, int32_t id, uint8_t* out, size_t most,
                            uint32_t* flags, nghttp2_data_source* source, void*) {
    Peer& self = self_of(source->ptr);
    Exchange& exchange = self.exchanges_[id];
    const size_t count = std::min(most, exchange.reply.body.size() - exchange.sent);
    std::memcpy(out, exchange.reply.body.data() + exchange.sent, count);
    exchange.sent += count;
    if (exchange.sent < exchange.reply.body.size()) return static_cast<ssize_t>(count);
    const Http2Reply::Then then = exchange.reply.then;
    if (then == Http2Reply::Then::kEnd || then == Http2Reply::Then::kEndAndGoAway) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      self.go_on(id, exchange.reply);
    } else if (count == 0) {
      self.go_on(id, exchange.reply);
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(count);
  }

  void go_on(int32_t id, const Http2Reply& reply) {
    switch (reply.then) {
      case Http2Reply::Then::kEnd:
      case Http2Reply::Then::kStall:
        return;
      case Http2Reply::Then::kResetStream:
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, reply.code);
        return;
      case Http2Reply::Then::kGoAway:
        return say_goodbye(std::max(0, id - 2), reply.code);
      case Http2Reply::Then::kEndAndGoAway:
        return say_goodbye(nghttp2_session_get_last_proc_stream_id(session_.get()), reply.code);
      case Http2Reply::Then::kCut: {
        const linger now{1, 0};
        setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        [[fallthrough]];
      }
      case Http2Reply::Then::kClose:
        is_over_ = true;
    }
  }

  void say_goodbye(int32_t last_processed, uint32_t code) {
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, last_processed, code, nullptr, 0);
  }

  ssize_t read(uint8_t* out, size_t most) {
    return ssl_ ? SSL_read(ssl_.get(), out, static_cast<int>(most)) : recv(fd_, out, most, 0);
  }

  // False when the client takes no more.
  bool flush() {
    for (;;) {
      const uint8_t* bytes = nullptr;
      ssize_t rest = nghttp2_session_mem_send(session_.get(), &bytes);
      if (rest <= 0) return rest == 0;
      while (rest > 0) {
        const ssize_t n = ssl_ ? SSL_write(ssl_.get(), bytes, static_cast<int>(rest))
                               : send(fd_, bytes, static_cast<size_t>(rest), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes += n;
        rest -= n;
      }
    }
  }

  Http2Server& server_;
  const int fd_;
  const uint64_t number_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::unique_ptr<nghttp2_session, decltype(&nghttp2_session_del)> session_{nullptr,
                                                                            &nghttp2_session_del};
  std::map<int32_t, Exchange> exchanges_;  // open streams
  bool is_over_ = false;
};

Http2Server::Http2Server(Handler handler, Options options)
    : handler_(std::move(handler)), options_(options), context_(self_signed_context()) {
  SSL_CTX_set_alpn_select_cb(context_.get(), &choose_h2, nullptr);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener_, 64) != 0)
    throw std::runtime_error("no port to listen on");
  getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

Http2Server::~Http2Server() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : sockets_)
      if (fd >= 0) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

void Http2Server::accept_all() {
  for (int fd = accept(listener_, nullptr, nullptr); fd >= 0;
       fd = accept(listener_, nullptr, nullptr)) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const uint64_t number = ++connections_;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(fd);
    threads_.emplace_back([this, fd, number] {
      Peer(*this, fd, number).serve();
      const std::lock_guard closing(mutex_);
      sockets_[number - 1] = -1;
      close(fd);
    });
  }
}

std::string Http2Server::url() const {
  return (options_.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

std::vector<Http2Seen> Http2Server::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

}  // namespace plumb::http_load
