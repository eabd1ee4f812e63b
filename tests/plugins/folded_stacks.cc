// A sampler that emits stacks whose sums are known: in each second a quarter of one in `parse` and
// a half in `render`, besides one name that no host should take as it is.
#include <array>
#include <plumb/plugin.hpp>

namespace plumb::folded_stacks {

class FoldedStacks final : public Sampler {
 public:
  using Sampler::Sampler;

  Status start() override {
    last_ns_ = host().now_ns();
    return Status::ok();
  }

  Status collect() override {
    const int64_t now = host().now_ns();
    const double seconds = static_cast<double>(now - last_ns_) / 1e9;
    const std::array<plumb_stack, 3> stacks = {{{"shop;main;parse", 0.25 * seconds},
                                                {"shop;main;render", 0.5 * seconds},
                                                {"shop;main;<b>\x1b[31m\n\xff", 0.01 * seconds}}};
    plumb_stacks out{};
    out.struct_size = sizeof(out);
    out.layer = PLUMB_LAYER_APP;
    out.start_ns = last_ns_;
    out.end_ns = now;
    out.profile = "on_cpu";
    out.unit = "seconds";
    out.help = "Known stacks, for tests";
    out.stack_count = static_cast<uint32_t>(stacks.size());
    out.stacks = stacks.data();
    last_ns_ = now;
    return host().stacks(out);
  }

 private:
  int64_t last_ns_ = 0;
};

PLUMB_PLUGIN(FoldedStacks, {.name = "folded_stacks",
                            .version = "1.0.0",
                            .summary = "Stacks, for tests",
                            .default_interval_ns = 50'000'000})

}  // namespace plumb::folded_stacks
