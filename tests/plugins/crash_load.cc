// A load driver that crashes as soon as its first stage has begun.
#include <csignal>
#include <plumb/plugin.hpp>
#include <thread>

namespace plumb::crash_load {

class CrashLoad final : public LoadDriver {
 public:
  using LoadDriver::LoadDriver;
  Status drive(std::span<const Stage> stages) override {
    std::this_thread::sleep_for(std::chrono::nanoseconds(stages[0].start_ns - host().now_ns()) +
                                std::chrono::milliseconds(100));
    // A sanitizer would catch it.
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
    return Status::ok();
  }
};

PLUMB_PLUGIN(CrashLoad, {.name = "crash_load", .version = "1.0.0", .summary = "Crashes, for tests"})

}  // namespace plumb::crash_load
