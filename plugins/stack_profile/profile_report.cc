#include "plugins/stack_profile/profile_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "plugins/stack_profile/lock_wait.h"

namespace plumb::stack_profile {

using Json = nlohmann::json;

namespace {

// The host takes 256 frames, 16 KiB per stack, 50,000 stacks and 3 MiB at once.
constexpr size_t kMostFrames = 240;
constexpr size_t kMostText = 15 * 1024;
constexpr size_t kMostStacks = 20'000;
constexpr size_t kMostBytes = 2u << 20;

constexpr const char* kHelp[kProfiles] = {
    "Processor time of the target by the stack it was spent in",
    "Time that threads of the target waited off the processor, by the stack they waited in"};

// A thread that waits does so in the kernel, always, and often below a helper of the library it
// called
// ("__lll_lock_wait"): what counts is the function that people know. Gives how many frames there
// are up to and with that one.
size_t waiting_frame(const Symbolizer& symbolizer, std::span<const uint32_t> frames) {
  const auto at = [&](size_t count) -> const Frame& { return symbolizer.frame(frames[count - 1]); };
  size_t count = frames.size();
  while (count > 0 && (!at(count).named || at(count).kernel)) --count;
  if (count == 0) return frames.size();
  while (count > 1 && at(count).function.starts_with("__") && at(count - 1).named &&
         at(count - 1).module == at(count).module) {
    --count;
  }
  return count;
}

double rounded(double share) { return std::round(share * 10'000) / 10'000; }

}  // namespace

void FoldedStacks::add(const Symbolizer& symbolizer, const NamedStack& stack) {
  if (!(stack.seconds > 0) || !std::isfinite(stack.seconds)) return;
  size_t first = 0;
  size_t bytes = stack.label.size();
  for (size_t i = stack.frames.size(); i-- > 0;) {
    bytes += symbolizer.frame(stack.frames[i]).function.size() + 1;
    if (stack.frames.size() - i > kMostFrames || bytes > kMostText) {
      first = i + 1;
      break;
    }
  }
  text_ = stack.label;
  if (first > 0) text_ += ";[outer frames left out]";
  for (size_t i = first; i < stack.frames.size(); ++i) {
    text_ += ';';
    text_ += symbolizer.frame(stack.frames[i]).function;
  }
  seconds_[text_] += stack.seconds;
}

Status FoldedStacks::emit(const Host& host, Profile profile, int64_t start_ns, int64_t end_ns) {
  std::vector<plumb_stack> batch;
  Status status;
  const auto send = [&] {
    if (batch.empty()) return;
    plumb_stacks out{};
    out.struct_size = sizeof(out);
    out.layer = PLUMB_LAYER_APP;
    out.start_ns = start_ns;
    out.end_ns = end_ns;
    out.profile = profile_name(profile);
    out.unit = "seconds";
    out.help = kHelp[static_cast<size_t>(profile)];
    out.stack_count = static_cast<uint32_t>(batch.size());
    out.stacks = batch.data();
    if (Status sent = host.stacks(out); !sent) status = sent;
    batch.clear();
  };
  size_t bytes = 0;
  for (const auto& [frames, seconds] : seconds_) {
    if (batch.size() >= kMostStacks || bytes + frames.size() > kMostBytes) {
      send();
      bytes = 0;
    }
    bytes += frames.size() + sizeof(plumb_stack);
    batch.push_back({frames.c_str(), seconds});
  }
  send();
  seconds_.clear();
  return status;
}

void FunctionShares::add(const Symbolizer& symbolizer, Profile profile, const NamedStack& stack) {
  OfProfile& of = profiles_[static_cast<size_t>(profile)];
  of.all += stack.seconds;
  if (!stack.frames.empty() && symbolizer.frame(stack.frames.back()).is_nameless_code()) {
    of.nameless += stack.seconds;
  }
  seen_.assign(stack.frames.begin(), stack.frames.end());
  std::sort(seen_.begin(), seen_.end());
  seen_.erase(std::unique(seen_.begin(), seen_.end()), seen_.end());
  for (const uint32_t frame : seen_) {
    if (of.functions.size() >= kMostFunctions && !of.functions.contains(frame)) continue;
    of.functions[frame].total += stack.seconds;
  }
  const size_t at =
      profile == Profile::kOffCpu ? waiting_frame(symbolizer, stack.frames) : stack.frames.size();
  if (at == 0) return;
  const auto own = of.functions.find(stack.frames[at - 1]);
  if (own != of.functions.end()) own->second.self += stack.seconds;
  if (profile == Profile::kOffCpu) add_lock_wait(symbolizer, stack);
}

void FunctionShares::add_lock_wait(const Symbolizer& symbolizer, const NamedStack& stack) {
  const auto wait = lock_wait_in(symbolizer, stack.frames);
  if (!wait) return;
  const uint32_t call = stack.frames[wait->call];
  const uint32_t who = stack.frames[wait->function.value_or(wait->call)];
  if (locks_.size() >= kMostFunctions && !locks_.contains({who, call})) return;
  locks_[{who, call}] += stack.seconds;
}

void FunctionShares::clear() {
  profiles_ = {};
  locks_.clear();
}

double FunctionShares::nameless_share() const {
  const OfProfile& on_cpu = profiles_[static_cast<size_t>(Profile::kOnCpu)];
  return on_cpu.all > 0 ? on_cpu.nameless / on_cpu.all : 0;
}

void FunctionShares::merge(const FunctionShares& other) {
  for (size_t i = 0; i < kProfiles; ++i) {
    profiles_[i].all += other.profiles_[i].all;
    profiles_[i].nameless += other.profiles_[i].nameless;
    for (const auto& [frame, share] : other.profiles_[i].functions) {
      auto& functions = profiles_[i].functions;
      if (functions.size() >= kMostFunctions && !functions.contains(frame)) continue;
      functions[frame].self += share.self;
      functions[frame].total += share.total;
    }
  }
  for (const auto& [where, seconds] : other.locks_) locks_[where] += seconds;
}

std::string FunctionShares::locks_json(const Symbolizer& symbolizer) const {
  if (locks_.empty()) return {};
  std::vector<std::pair<std::pair<uint32_t, uint32_t>, double>> order(locks_.begin(), locks_.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (order.size() > kRows) order.resize(kRows);
  const double all = profiles_[static_cast<size_t>(Profile::kOffCpu)].all;
  Json rows = Json::array();
  for (const auto& [where, seconds] : order)
    rows.push_back({symbolizer.frame(where.first).function, symbolizer.frame(where.second).function,
                    rounded(seconds), rounded(seconds / all)});
  const Json table = {{"title", "Who waited for locks of the application"},
                      {"columns",
                       {{{"key", "function"}, {"title", "Function"}},
                        {{"key", "call"}, {"title", "Waits in"}},
                        {{"key", "seconds"}, {"title", "Waited"}, {"unit", "seconds"}},
                        {{"key", "share"}, {"title", "Of all waiting"}, {"unit", "ratio"}}}},
                      {"rows", rows}};
  return table.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void JudgedShares::begin_stage(uint32_t kind) {
  const bool steady = kind == PLUMB_STAGE_STEADY || kind == PLUMB_STAGE_SPIKE;
  const bool ramp = kind == PLUMB_STAGE_RAMP && window_ != Window::kSteady;
  if (!steady && !ramp) {
    inside_ = window_ == Window::kAll;
    return;
  }
  const Window window = steady ? Window::kSteady : Window::kRamps;
  if (window == window_) {
    judged_.merge(after_);
  } else {
    judged_.clear();
  }
  after_.clear();
  window_ = window;
  inside_ = true;
}

std::string FunctionShares::json(const Symbolizer& symbolizer) const {
  Json rows = Json::array();
  for (size_t i = 0; i < kProfiles; ++i) {
    const OfProfile& of = profiles_[i];
    if (!(of.all > 0)) continue;
    std::vector<std::pair<uint32_t, Share>> order(of.functions.begin(), of.functions.end());
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return std::tuple(-a.second.self, -a.second.total, a.first) <
             std::tuple(-b.second.self, -b.second.total, b.first);
    });
    if (order.size() > kRows) order.resize(kRows);
    for (const auto& [number, share] : order) {
      const Frame& frame = symbolizer.frame(number);
      rows.push_back({profile_name(static_cast<Profile>(i)), frame.function, frame.module,
                      rounded(share.self / of.all), rounded(share.total / of.all)});
    }
  }
  const Json table = {{"title", "Functions with most time"},
                      {"columns",
                       {{{"key", "profile"}, {"title", "Profile"}},
                        {{"key", "function"}, {"title", "Function"}},
                        {{"key", "module"}, {"title", "Module"}},
                        {{"key", "self"}, {"title", "Self"}, {"unit", "ratio"}},
                        {{"key", "total"}, {"title", "Total"}, {"unit", "ratio"}}}},
                      {"rows", rows}};
  return table.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string notes_json(const std::vector<std::pair<std::string, std::string>>& rows) {
  Json out = Json::array();
  for (const auto& [key, value] : rows) out.push_back({key, value});
  const Json table = {
      {"title", "How the target was profiled"},
      {"columns", {{{"key", "key"}, {"title", "What"}}, {{"key", "value"}, {"title", "Value"}}}},
      {"rows", out}};
  return table.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace plumb::stack_profile
