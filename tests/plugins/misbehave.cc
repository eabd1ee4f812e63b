// A sampler that does `how` when it is in the callback `in`, and behaves otherwise. One gauge,
// misbehave_ticks, counts its collects.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <plumb/plugin.hpp>
#include <stdexcept>
#include <string>
#include <thread>

namespace plumb::misbehave {
namespace {

constexpr const char* kHow[] = {"behave",  "segfault", "abort", "hang",       "throw",   "exit",
                                "sigstop", "fail",     "flood", "flood_wire", "garbage", "close",
                                "invalid", "print",    "burn",  "rest",       nullptr};
constexpr plumb_option kOptions[] = {
    option({.key = "how", .default_value = "behave", .one_of = kHow, .help = "What it does"}),
    option({.key = "in", .default_value = "collect", .help = "The callback it does it in"}),
    option({.type = PLUMB_OPTION_INTEGER,
            .key = "after",
            .default_value = "0",
            .help = "How many times that callback behaves before"}),
    option({.key = "token", .secret = true, .help = "Said aloud where it should not be"}),
};

// The descriptor on which a plumb-host speaks with its engine.
constexpr int kSocket = 3;

void write_all(const std::string& bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::write(kSocket, bytes.data() + at, bytes.size() - at);
    if (n > 0) at += static_cast<size_t>(n);
  }
}

// A well-formed log frame, sent past the host.
std::string log_frame() {
  const std::string payload = R"({"level":1,"message":")" + std::string(4'000, 'x') + R"("})";
  const auto size = static_cast<uint32_t>(payload.size());
  std::string out(6, '\0');
  std::memcpy(out.data(), &size, sizeof(size));
  out[4] = 75;
  return out + payload;
}

}  // namespace

class Misbehave final : public Sampler {
 public:
  using Sampler::Sampler;
  ~Misbehave() override {
    // Called from destroy; a destructor that throws would end the process by itself.
    if (how_ != "throw") static_cast<void>(act("destroy"));
  }

  Status configure(const Config& config) override {
    how_ = config.string("how", "behave");
    in_ = config.string("in", "collect");
    token_ = config.string("token");
    after_ = config.integer("after");
    return act("configure");
  }
  Status start() override {
    PLUMB_ASSIGN_OR_RETURN(ticks_, host().gauge("misbehave_ticks", "1", PLUMB_LAYER_HOST));
    return act("start");
  }
  Status collect() override {
    PLUMB_RETURN_IF_ERROR(host().emit(ticks_, ++count_));
    return act("collect");
  }
  Status stage(const Stage& stage) override {
    PLUMB_RETURN_IF_ERROR(host().event(PLUMB_INFO, "stage-seen", stage.name));
    return act("stage");
  }
  Status stop(int64_t) override { return act("stop"); }

 private:
  Status act(const std::string& callback) {
    if (callback != in_ || after_-- > 0) return Status::ok();
    if (how_ == "segfault") {
      // A sanitizer would catch it.
      std::signal(SIGSEGV, SIG_DFL);
      std::raise(SIGSEGV);
    }
    if (how_ == "abort") {
      std::fputs("something is very wrong\n", stderr);
      std::abort();
    }
    if (how_ == "hang") {
      while (true) ::pause();
    }
    if (how_ == "throw") throw std::runtime_error("thrown from " + callback);
    if (how_ == "exit") ::_exit(0);
    if (how_ == "sigstop") std::raise(SIGSTOP);
    if (how_ == "fail") return Status::unavailable("cannot reach it with " + token_);
    if (how_ == "flood") return flood();
    if (how_ == "flood_wire") {
      while (true) write_all(log_frame());
    }
    if (how_ == "garbage") write_all("this is no frame at all, is it?");
    if (how_ == "close") ::close(kSocket);
    if (how_ == "invalid") return emit_invalid();
    if (how_ == "burn") burn();
    if (how_ == "rest") host().rest_until(host().now_ns() + 3'600'000'000'000);
    if (how_ == "print") {
      std::printf("printed to stdout %s\n", token_.c_str());
      std::fflush(stdout);
    }
    return Status::ok();
  }

  // Takes 10 ms of processor time.
  static void burn() {
    const std::clock_t until = std::clock() + CLOCKS_PER_SEC / 100;
    while (std::clock() < until) {
    }
  }

  // From several threads, until the host takes no more.
  Status flood() {
    const auto pour = [this] {
      for (int i = 0; i < 5'000; ++i) static_cast<void>(host().event(PLUMB_INFO, "drop", "one"));
    };
    std::thread other(pour);
    pour();
    other.join();
    return Status::ok();
  }

  // The host must refuse every one of these and live.
  Status emit_invalid() {
    const int64_t now = host().now_ns();
    const bool all_refused =
        !host().emit_at(ticks_, now, std::numeric_limits<double>::quiet_NaN()) &&
        !host().emit_at(ticks_, now - 3'600'000'000'000, 1) &&
        !host().emit_at(ticks_, now + 3'600'000'000'000, 1) &&
        !host().emit_at(Series{99}, now, 1) && !host().declare({.name = "Not A Name"}).is_ok() &&
        !host().declare({.name = "counts_up", .kind = PLUMB_KIND_COUNTER}).is_ok() &&
        !host().event(PLUMB_INFO, "Not Kebab", "x") && !host().table("t", "{") &&
        !host().emit(ticks_, now, now, Histogram());
    return all_refused ? Status::ok() : Status::internal("something invalid was taken");
  }

  std::string how_ = "behave";
  std::string in_ = "collect";
  std::string token_;
  int64_t after_ = 0;
  Series ticks_;
  double count_ = 0;
};

PLUMB_PLUGIN(Misbehave, {.name = "misbehave",
                         .version = "1.0.0",
                         .summary = "Misbehaves, for tests",
                         .options = kOptions,
                         .option_count = 4,
                         .default_interval_ns = 20'000'000})

}  // namespace plumb::misbehave
