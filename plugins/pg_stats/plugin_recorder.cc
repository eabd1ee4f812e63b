#include "plugins/pg_stats/plugin_recorder.h"

#include <chrono>
#include <cmath>
#include <limits>

namespace plumb::pg_stats {
namespace {

PluginRecorder* recorder(void* context) { return static_cast<PluginRecorder*>(context); }

}  // namespace

PluginRecorder::PluginRecorder(const plumb_plugin* plugin) : plugin_(plugin) {
  failure_.struct_size = sizeof(failure_);
  host_.struct_size = sizeof(host_);
  host_.abi_minor = PLUMB_ABI_MINOR;
  host_.context = this;
  host_.now_ns = [](void* c) { return recorder(c)->now_ns(); };
  host_.declare_series = [](void* c, const plumb_series* s, uint32_t* id) -> int32_t {
    std::string name = s->name;
    for (uint32_t i = 0; i < s->label_count; ++i)
      name += (i == 0 ? "{" : ",") + std::string(s->labels[i].name) + "=" + s->labels[i].value;
    if (s->label_count > 0) name += "}";
    *id = static_cast<uint32_t>(recorder(c)->names_.size());
    recorder(c)->names_.push_back(name);
    return PLUMB_OK;
  };
  host_.emit_samples = [](void* c, const plumb_sample* given, size_t count) -> int32_t {
    for (size_t i = 0; i < count; ++i) {
      auto& list = recorder(c)->samples[recorder(c)->names_.at(given[i].series)];
      const bool ordered = list.empty() || list.back().time_ns <= given[i].time_ns;
      if (!ordered || !std::isfinite(given[i].value)) return PLUMB_INVALID_ARGUMENT;
      list.push_back({given[i].time_ns, given[i].value});
    }
    return PLUMB_OK;
  };
  host_.emit_event = [](void* c, const plumb_event* e) -> int32_t {
    recorder(c)->events.emplace_back(e->kind, e->message);
    return PLUMB_OK;
  };
  host_.emit_table = [](void* c, const plumb_table* t) -> int32_t {
    recorder(c)->tables[t->name] = nlohmann::json::parse(t->json);
    return PLUMB_OK;
  };
  host_.set_health = [](void* c, uint32_t state, const char* message) {
    recorder(c)->health.emplace_back(state, message);
  };
  host_.log = [](void* c, uint32_t, const char* message) {
    recorder(c)->logs.emplace_back(message);
  };
  host_.get_extension = [](void*, const char*) -> const void* { return nullptr; };
  done(plugin_->create(&host_, &self_, &failure_));
}

PluginRecorder::~PluginRecorder() { plugin_->destroy(self_); }

int64_t PluginRecorder::now_ns() const {
  if (frozen_ns_ != 0) return frozen_ns_ + offset_ns_;
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1) +
         offset_ns_;
}

int32_t PluginRecorder::done(int32_t code) {
  if (code != PLUMB_OK) error_ = failure_.message;
  return code;
}

int32_t PluginRecorder::configure(const std::map<std::string, std::string>& strings,
                                  const std::map<std::string, double>& numbers) {
  std::vector<plumb_value> values;
  for (const auto& [key, value] : strings)
    values.push_back({sizeof(plumb_value), PLUMB_OPTION_STRING, key.c_str(), value.c_str(), 0, 0});
  for (const auto& [key, value] : numbers)
    values.push_back({sizeof(plumb_value), PLUMB_OPTION_NUMBER, key.c_str(), nullptr, 0, value});
  const plumb_config config{sizeof(plumb_config), static_cast<uint32_t>(values.size()),
                            values.data(), "{}"};
  return done(plugin_->configure(self_, &config, &failure_));
}

int32_t PluginRecorder::start() { return done(plugin_->start(self_, &failure_)); }

int32_t PluginRecorder::collect() { return done(plugin_->collect(self_, &failure_)); }

int32_t PluginRecorder::stage(uint32_t kind) {
  const plumb_stage stage{sizeof(plumb_stage), kind, "stage", now_ns(), now_ns() + 10'000'000'000};
  return done(plugin_->stage(self_, &stage, &failure_));
}

int32_t PluginRecorder::stop() {
  return done(plugin_->stop(self_, now_ns() + 5'000'000'000, &failure_));
}

double PluginRecorder::last(const std::string& series) const {
  const auto found = samples.find(series);
  if (found == samples.end() || found->second.empty())
    return std::numeric_limits<double>::quiet_NaN();
  return found->second.back().value;
}

std::vector<std::string> PluginRecorder::series_with(const std::string& prefix) const {
  std::vector<std::string> out;
  for (const auto& [name, list] : samples)
    if (name.starts_with(prefix)) out.push_back(name);
  return out;
}

}  // namespace plumb::pg_stats
