// A plumb_host that keeps what the plugin emits, stacks included, for tests. Its clock is the
// machine's, as far ahead as the test wants it.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_RECORDING_HOST_H_
#define PLUMB_PLUGINS_STACK_PROFILE_RECORDING_HOST_H_

#include <plumb/abi/plugin.h>
#include <plumb/abi/stacks.h>
#include <time.h>

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::stack_profile {

class RecordingHost {
 public:
  RecordingHost() {
    host_.struct_size = sizeof(host_);
    host_.context = this;
    host_.now_ns = [](void* c) {
      timespec t{};
      ::clock_gettime(CLOCK_MONOTONIC, &t);
      return static_cast<int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec + self(c).ahead_ns;
    };
    host_.declare_series = &declare;
    host_.emit_samples = &emit;
    host_.emit_event = [](void* c, const plumb_event* e) -> int32_t {
      self(c).events.emplace_back(e->kind);
      return PLUMB_OK;
    };
    host_.emit_table = [](void* c, const plumb_table* t) -> int32_t {
      self(c).tables[t->name] = t->json;
      return PLUMB_OK;
    };
    host_.set_health = [](void* c, uint32_t state, const char* message) {
      self(c).health = state;
      self(c).health_message = message;
    };
    host_.log = [](void*, uint32_t, const char*) {};
    host_.get_extension = [](void* c, const char* id) -> const void* {
      return std::strcmp(id, PLUMB_STACKS_EXTENSION) == 0 ? &self(c).stacks_ : nullptr;
    };
    stacks_.struct_size = sizeof(stacks_);
    stacks_.emit_stacks = &take_stacks;
  }

  const plumb_host* get() const { return &host_; }

  // Seconds of a profile whose stack has `text` in it; all of it for an empty text.
  double seconds(const std::string& profile, std::string_view text = {}) const {
    double sum = 0;
    const auto it = profiles.find(profile);
    if (it == profiles.end()) return 0;
    for (const auto& [frames, weight] : it->second) {
      if (frames.find(text) != std::string::npos) sum += weight;
    }
    return sum;
  }
  // The stacks with most time, one per line: for messages of tests.
  std::string top(const std::string& profile, size_t count = 12) const {
    std::multimap<double, std::string, std::greater<>> order;
    const auto it = profiles.find(profile);
    if (it == profiles.end()) return "no stacks of " + profile;
    for (const auto& [frames, weight] : it->second) order.emplace(weight, frames);
    std::string out;
    for (const auto& [weight, frames] : order) {
      if (count-- == 0) break;
      out += std::to_string(weight) + "  " + frames + "\n";
    }
    return out;
  }

  int64_t ahead_ns = 0;
  std::map<std::string, std::map<std::string, double>> profiles;
  std::map<std::string, double> series;  // last value, by "name{label=value}"
  std::vector<std::string> events;
  std::map<std::string, std::string> tables;
  uint32_t health = PLUMB_HEALTH_OK;
  std::string health_message;
  std::vector<std::string> breaches;  // of what emit_stacks demands

 private:
  static RecordingHost& self(void* context) { return *static_cast<RecordingHost*>(context); }

  static int32_t declare(void* context, const plumb_series* s, uint32_t* id) {
    RecordingHost& host = self(context);
    std::string key = s->name;
    for (uint32_t i = 0; i < s->label_count; ++i) {
      key += std::string(i == 0 ? "{" : ",") + s->labels[i].name + "=" + s->labels[i].value;
    }
    if (s->label_count > 0) key += "}";
    *id = static_cast<uint32_t>(host.names_.size());
    host.names_.push_back(key);
    return PLUMB_OK;
  }
  static int32_t emit(void* context, const plumb_sample* samples, size_t count) {
    RecordingHost& host = self(context);
    for (size_t i = 0; i < count; ++i) {
      double& last = host.series[host.names_.at(samples[i].series)];
      if (samples[i].value < last) host.breaches.emplace_back("a counter fell");
      last = samples[i].value;
    }
    return PLUMB_OK;
  }
  static int32_t take_stacks(void* context, const plumb_stacks* stacks) {
    RecordingHost& host = self(context);
    if (stacks->start_ns >= stacks->end_ns) host.breaches.emplace_back("an empty stretch of time");
    for (uint32_t i = 0; i < stacks->stack_count; ++i) {
      const plumb_stack& stack = stacks->stacks[i];
      const std::string_view text = stack.frames;
      if (!(stack.weight > 0 && stack.weight < 1e9)) host.breaches.emplace_back("a weight");
      if (text.empty() || text.size() > 16384) host.breaches.emplace_back("a length");
      for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20) host.breaches.emplace_back("a control character");
      }
      host.profiles[stacks->profile][stack.frames] += stack.weight;
    }
    return PLUMB_OK;
  }

  plumb_host host_{};
  plumb_stacks_host stacks_{};
  std::vector<std::string> names_;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_RECORDING_HOST_H_
