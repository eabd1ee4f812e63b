// Any bytes as what an HTTP/2 peer sends, cut into pieces at places that the input chooses: no
// crash, no unbounded memory, and each exchange ends at most once.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/http_load/http2_session.h"

namespace {

using namespace plumb::http_load;

// Has enough at its first byte, if the input says so.
class Reader final : public AnswerSink {
 public:
  explicit Reader(bool enough) : enough_(enough) {}
  void on_answer(int status) override {
    if (status < 200) __builtin_trap();
  }
  void on_header(std::string_view, std::string_view) override {}
  bool on_body(std::string_view, int64_t) override { return !enough_; }

 private:
  bool enough_;
};

void check_ended(Http2Session& session) {
  for (const Http2Exchange* exchange : session.ended()) {
    if (exchange->session != nullptr) __builtin_trap();
    if (exchange->server_timing.size() > 4'096) __builtin_trap();
    if (exchange->end != Http2Exchange::End::kAnswered && exchange->detail.empty())
      __builtin_trap();
  }
  session.ended().clear();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t step = data[0] + 1u;
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const LoadPlan plan;
  Message get;
  Message post;
  post.method = "POST";
  post.body = std::string(100'000, 'x');
  const Origin origin{.tls = false, .host = "a", .port = "80", .authority = "a"};
  Http2Request requests[] = {{plan, get, origin}, {plan, post, origin}};
  Reader reader((data[1] & 1) != 0);
  TraceIds traces(1);
  RecycledMemory memory;
  Http2Exchange exchanges[4];
  Http2Session session(memory);
  for (size_t i = 0; i < 4; ++i) {
    if (i % 2 == 0) exchanges[i].sink = &reader;
    session.submit(exchanges[i], requests[i / 2], traces);
  }
  std::string out;
  // The settings that a peer begins with, so that the input reaches what comes after them.
  if ((data[1] & 2) != 0) session.feed(std::string_view("\0\0\0\4\0\0\0\0\0", 9), 1);
  for (int64_t now = 2; !session.is_broken(); ++now) {
    out.clear();
    session.pack(out, 1 << 16, now);
    session.handed_over(now);
    check_ended(session);
    if (rest.empty()) break;
    session.feed(rest.substr(0, step), now);
    rest.remove_prefix(rest.size() < step ? rest.size() : step);
    check_ended(session);
    if ((data[1] & 4) != 0 && exchanges[3].session != nullptr) session.cancel(exchanges[3]);
  }
  if (session.is_broken() && session.problem().empty()) __builtin_trap();
  return 0;
}
