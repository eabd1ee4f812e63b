// A load driver that sends nothing: it passes through its stages and counts, in http_started_total,
// how many it saw.
#include <condition_variable>
#include <mutex>
#include <plumb/plugin.hpp>

namespace plumb::brief_load {

class BriefLoad final : public LoadDriver {
 public:
  using LoadDriver::LoadDriver;

  Status configure(const Config& config) override {
    if (config.document().find("\"requests\"") == std::string_view::npos) {
      return Status::invalid_argument("the document has no load");
    }
    return Status::ok();
  }
  Status start() override {
    PLUMB_ASSIGN_OR_RETURN(started_,
                           host().counter("http_started_total", "requests", PLUMB_LAYER_CLIENT));
    return Status::ok();
  }
  Status drive(std::span<const Stage> stages) override {
    double count = 0;
    for (const Stage& stage : stages) {
      PLUMB_RETURN_IF_ERROR(host().emit(started_, ++count));
      std::unique_lock lock(mutex_);
      const auto left = std::chrono::nanoseconds(stage.end_ns - host().now_ns());
      if (interrupted_.wait_for(lock, left, [this] { return stop_; })) break;
    }
    return Status::ok();
  }
  void interrupt() override {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    interrupted_.notify_all();
  }

 private:
  Series started_;
  std::mutex mutex_;
  std::condition_variable interrupted_;
  bool stop_ = false;
};

PLUMB_PLUGIN(BriefLoad, {.name = "brief_load", .version = "1.0.0", .summary = "Load, for tests"})

}  // namespace plumb::brief_load
