// The C++20 wrapper over the C boundary, compiled into the plugin. A plugin derives from Sampler,
// LoadDriver or Analyzer and names itself with PLUMB_PLUGIN; nothing it throws crosses over.
//
//   #include <cstdlib>
//   #include <plumb/plugin.hpp>
//
//   class LoadAverage final : public plumb::Sampler {
//    public:
//     using Sampler::Sampler;
//     plumb::Status start() override {
//       PLUMB_ASSIGN_OR_RETURN(load_, host().gauge("host_load1", "1", PLUMB_LAYER_HOST));
//       return plumb::Status::ok();
//     }
//     plumb::Status collect() override {
//       double load = 0;
//       if (getloadavg(&load, 1) != 1) return plumb::Status::unavailable("no load average");
//       return host().emit(load_, load);
//     }
//
//    private:
//     plumb::Series load_;
//   };
//   PLUMB_PLUGIN(LoadAverage, {.name = "loadavg", .version = "1.0.0", .summary = "Load average"})
#ifndef PLUMB_PLUGIN_HPP_
#define PLUMB_PLUGIN_HPP_

#include <plumb/abi/plugin.h>
#include <plumb/abi/rest.h>
#include <plumb/abi/stacks.h>
#include <plumb/histogram.hpp>
#include <plumb/status.hpp>

#include <chrono>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plumb {

using Nanoseconds = std::chrono::nanoseconds;

// A declared series: cheap to copy, valid for the life of the instance.
struct Series {
  uint32_t id = 0;
};

// How a series is declared. Strings are copied by the host.
struct SeriesSpec {
  std::string name;
  std::string unit = "1";
  uint32_t kind = PLUMB_KIND_GAUGE;
  uint32_t layer = PLUMB_LAYER_NONE;
  uint32_t part = PLUMB_PART_NONE;
  std::string help = {};
  std::vector<std::pair<std::string, std::string>> labels = {};
  std::string ledger_line = {};  // empty: none
  std::string resource = {};     // empty: none
};

// The host's services. Copyable; every function may be called on any thread.
class Host {
 public:
  Host() = default;
  explicit Host(const plumb_host* host) : host_(host) {}

  // CLOCK_MONOTONIC, as every signal is stamped.
  int64_t now_ns() const { return host_->now_ns(host_->context); }

  Result<Series> declare(const SeriesSpec& spec) const {
    std::vector<plumb_label> labels;
    labels.reserve(spec.labels.size());
    for (const auto& [name, value] : spec.labels) labels.push_back({name.c_str(), value.c_str()});
    plumb_series s{};
    s.struct_size = sizeof(s);
    s.kind = spec.kind;
    s.layer = spec.layer;
    s.part = spec.part;
    s.name = spec.name.c_str();
    s.unit = spec.unit.c_str();
    s.help = spec.help.c_str();
    s.label_count = static_cast<uint32_t>(labels.size());
    s.labels = labels.data();
    s.ledger_line = spec.ledger_line.empty() ? nullptr : spec.ledger_line.c_str();
    s.resource = spec.resource.empty() ? nullptr : spec.resource.c_str();
    Series out;
    if (const int32_t code = host_->declare_series(host_->context, &s, &out.id); code != PLUMB_OK)
      return Status::from_code(code, "the host refused series " + spec.name);
    return out;
  }
  Result<Series> gauge(std::string name, std::string unit, uint32_t layer) const {
    return declare({.name = std::move(name), .unit = std::move(unit), .layer = layer});
  }
  Result<Series> counter(std::string name, std::string unit, uint32_t layer) const {
    return declare({.name = std::move(name),
                    .unit = std::move(unit),
                    .kind = PLUMB_KIND_COUNTER,
                    .layer = layer});
  }

  Status emit(Series series, double value) const { return emit_at(series, now_ns(), value); }
  Status emit_at(Series series, int64_t time_ns, double value) const {
    const plumb_sample sample{series.id, 0, time_ns, value};
    return emit(std::span(&sample, 1));
  }
  // A batch is one frame: prefer it where a collect yields many samples.
  Status emit(std::span<const plumb_sample> samples) const {
    return Status::from_code(host_->emit_samples(host_->context, samples.data(), samples.size()),
                             "the host refused samples");
  }
  Status emit(Series series, int64_t start_ns, int64_t end_ns, const Histogram& h) const {
    const auto buckets = h.buckets();
    plumb_histogram out{};
    out.struct_size = sizeof(out);
    out.series = series.id;
    out.start_ns = start_ns;
    out.end_ns = end_ns;
    out.precision_bits = h.precision_bits();
    out.bucket_count = static_cast<uint32_t>(buckets.size());
    out.buckets = buckets.data();
    out.sum = h.sum();
    out.minimum = h.minimum();
    out.maximum = h.maximum();
    return Status::from_code(host_->emit_histogram(host_->context, &out),
                             "the host refused a histogram");
  }
  // `attributes` is a JSON object or empty.
  Status event(uint32_t level, const std::string& kind, const std::string& message,
               const std::string& attributes = {}) const {
    const plumb_event e{
        sizeof(plumb_event), level,           now_ns(),
        kind.c_str(),        message.c_str(), attributes.empty() ? nullptr : attributes.c_str()};
    return Status::from_code(host_->emit_event(host_->context, &e), "the host refused an event");
  }
  Status table(const std::string& name, const std::string& json) const {
    const plumb_table t{sizeof(plumb_table), now_ns(), name.c_str(), json.c_str()};
    return Status::from_code(host_->emit_table(host_->context, &t), "the host refused a table");
  }
  // Stack profiles; see plumb_stacks. UNSUPPORTED on a host that knows none.
  Status stacks(const plumb_stacks& stacks) const {
    const auto* extension = static_cast<const plumb_stacks_host*>(
        host_->get_extension(host_->context, PLUMB_STACKS_EXTENSION));
    if (extension == nullptr) return Status::unsupported("this host takes no stack profiles");
    return Status::from_code(extension->emit_stacks(host_->context, &stacks),
                             "the host refused stacks");
  }
  // For collect: it is not worth calling before `until_ns`; see plumb_rest_host. A host that knows
  // no rests calls it at every interval.
  void rest_until(int64_t until_ns) const {
    const auto* extension = static_cast<const plumb_rest_host*>(
        host_->get_extension(host_->context, PLUMB_REST_EXTENSION));
    if (extension != nullptr) extension->rest_until(host_->context, until_ns);
  }
  void health(uint32_t state, const std::string& message) const {
    host_->set_health(host_->context, state, message.c_str());
  }
  void log(uint32_t level, const std::string& message) const {
    host_->log(host_->context, level, message.c_str());
  }

 private:
  const plumb_host* host_ = nullptr;
};

// The options of an instance. Valid during configure only: copy what is needed.
class Config {
 public:
  explicit Config(const plumb_config* config) : config_(config) {}
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::string string(std::string_view key, std::string_view fallback = {}) const {
    const plumb_value* v = find(key);
    return std::string(v && v->string ? std::string_view(v->string) : fallback);
  }
  int64_t integer(std::string_view key, int64_t fallback = 0) const {
    const plumb_value* v = find(key);
    return v ? v->integer : fallback;
  }
  double number(std::string_view key, double fallback = 0) const {
    const plumb_value* v = find(key);
    return v ? v->number : fallback;
  }
  bool boolean(std::string_view key, bool fallback = false) const {
    return integer(key, fallback ? 1 : 0) != 0;
  }
  Nanoseconds duration(std::string_view key, Nanoseconds fallback = {}) const {
    return Nanoseconds(integer(key, fallback.count()));
  }
  // The JSON document: run, target, load, options. See plumb_config.
  std::string_view document() const { return config_->document ? config_->document : "{}"; }

 private:
  const plumb_value* find(std::string_view key) const {
    const auto* at = reinterpret_cast<const char*>(config_->values);
    for (uint32_t i = 0; i < config_->value_count; ++i) {
      const auto* v = reinterpret_cast<const plumb_value*>(at);
      if (key == v->key) return v;
      at += v->struct_size;
    }
    return nullptr;
  }
  const plumb_config* config_;
};

struct Stage {
  uint32_t kind;
  std::string name;
  int64_t start_ns;
  int64_t end_ns;
};

// What the three roles share. Threads and order are those of plumb_plugin.
class Plugin {
 public:
  explicit Plugin(Host host) : host_(host) {}
  virtual ~Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  virtual Status configure(const Config&) { return Status::ok(); }
  virtual Status start() { return Status::ok(); }
  virtual Status stop(int64_t /*deadline_ns*/) { return Status::ok(); }
  virtual void interrupt() {}

 protected:
  const Host& host() const { return host_; }

 private:
  Host host_;
};

// Samples what it watches each time `collect` is called.
class Sampler : public Plugin {
 public:
  using Plugin::Plugin;
  static constexpr uint32_t kRole = PLUMB_ROLE_SAMPLER;
  virtual Status collect() = 0;
  virtual Status stage(const Stage&) { return Status::ok(); }
};

// Puts load on the target through the stages given.
class LoadDriver : public Plugin {
 public:
  using Plugin::Plugin;
  static constexpr uint32_t kRole = PLUMB_ROLE_LOAD;
  virtual Status drive(std::span<const Stage> stages) = 0;
};

// Turns facts and findings (JSON) into words (JSON).
class Analyzer : public Plugin {
 public:
  using Plugin::Plugin;
  static constexpr uint32_t kRole = PLUMB_ROLE_ANALYZER;
  virtual Result<std::string> analyze(std::string_view json) = 0;
};

// What PLUMB_PLUGIN takes; plain pointers, so that the table stays constant-initialised.
struct PluginInfo {
  const char* name;
  const char* version;
  const char* summary;
  const plumb_option* options = nullptr;
  uint32_t option_count = 0;
  int64_t default_interval_ns = 1'000'000'000;
  const char* const* needs = nullptr;
};

// One row of an option table, for designated initialisers; see plumb_option for the meanings.
struct OptionSpec {
  uint32_t type = PLUMB_OPTION_STRING;
  const char* key = nullptr;
  const char* unit = nullptr;
  const char* default_value = nullptr;
  const char* minimum = nullptr;
  const char* maximum = nullptr;
  const char* const* one_of = nullptr;
  bool required = false;
  bool secret = false;
  const char* help = "";
};

constexpr plumb_option option(const OptionSpec& o) {
  return {sizeof(plumb_option),
          o.type,
          o.key,
          o.unit,
          o.default_value,
          o.minimum,
          o.maximum,
          o.one_of,
          o.required ? 1u : 0u,
          o.secret ? 1u : 0u,
          o.help};
}

namespace detail {

inline int32_t report(const Status& status, plumb_error* error) noexcept {
  if (!status.is_ok() && error != nullptr) {
    const std::string& m = status.message();
    const size_t n = std::min(m.size(), sizeof(error->message) - 1);
    std::memcpy(error->message, m.data(), n);
    error->message[n] = '\0';
  }
  return status.code();
}

// Runs `body` and turns whatever it throws into a status: nothing may cross the boundary.
template <typename Body>
int32_t guarded(plumb_error* error, Body&& body) noexcept {
  try {
    return report(body(), error);
  } catch (const std::exception& e) {
    return report(Status::internal(std::string("the plugin threw: ") + e.what()), error);
  } catch (...) {
    return report(Status::internal("the plugin threw something that is no std::exception"), error);
  }
}

template <typename P>
P* self_of(void* self) {
  return static_cast<P*>(self);
}

template <typename P>
struct Thunks {
  static int32_t create(const plumb_host* host, void** self, plumb_error* error) noexcept {
    return guarded(error, [&] {
      *self = new P(Host(host));
      return Status::ok();
    });
  }
  static int32_t configure(void* self, const plumb_config* config, plumb_error* error) noexcept {
    return guarded(error, [&] { return self_of<P>(self)->configure(Config(config)); });
  }
  static int32_t start(void* self, plumb_error* error) noexcept {
    return guarded(error, [&] { return self_of<P>(self)->start(); });
  }
  static int32_t collect(void* self, plumb_error* error) noexcept {
    return guarded(error, [&] { return self_of<P>(self)->collect(); });
  }
  static int32_t stage(void* self, const plumb_stage* s, plumb_error* error) noexcept {
    return guarded(error, [&] {
      return self_of<P>(self)->stage(Stage{s->kind, s->name, s->start_ns, s->end_ns});
    });
  }
  static int32_t drive(void* self, const plumb_stage* stages, uint32_t count,
                       plumb_error* error) noexcept {
    return guarded(error, [&] {
      std::vector<Stage> list;
      const auto* at = reinterpret_cast<const char*>(stages);
      for (uint32_t i = 0; i < count; ++i) {
        const auto* s = reinterpret_cast<const plumb_stage*>(at);
        list.push_back({s->kind, s->name, s->start_ns, s->end_ns});
        at += s->struct_size;
      }
      return self_of<P>(self)->drive(list);
    });
  }
  static int32_t analyze(void* self, const char* json, void (*result)(void*, const char*),
                         void* context, plumb_error* error) noexcept {
    return guarded(error, [&]() -> Status {
      Result<std::string> out = self_of<P>(self)->analyze(json);
      if (!out.is_ok()) return out.status();
      result(context, out->c_str());
      return Status::ok();
    });
  }
  static void interrupt(void* self) noexcept {
    guarded(nullptr, [&] {
      self_of<P>(self)->interrupt();
      return Status::ok();
    });
  }
  static int32_t stop(void* self, int64_t deadline_ns, plumb_error* error) noexcept {
    return guarded(error, [&] { return self_of<P>(self)->stop(deadline_ns); });
  }
  static void destroy(void* self) noexcept {
    guarded(nullptr, [&] {
      delete self_of<P>(self);
      return Status::ok();
    });
  }
  static const void* get_extension(void*, const char*) noexcept { return nullptr; }

  static constexpr plumb_plugin table(const plumb_descriptor* descriptor) {
    plumb_plugin t{};
    t.struct_size = sizeof(plumb_plugin);
    t.abi_minor = PLUMB_ABI_MINOR;
    t.least_host_minor = 0;
    t.descriptor = descriptor;
    t.create = &create;
    t.configure = &configure;
    t.start = &start;
    if constexpr (P::kRole == PLUMB_ROLE_SAMPLER) {
      t.collect = &collect;
      t.stage = &stage;
    } else if constexpr (P::kRole == PLUMB_ROLE_LOAD) {
      t.drive = &drive;
    } else {
      t.analyze = &analyze;
    }
    t.interrupt = &interrupt;
    t.stop = &stop;
    t.destroy = &destroy;
    t.get_extension = &get_extension;
    return t;
  }
};

constexpr plumb_descriptor descriptor(uint32_t role, const PluginInfo& info) {
  return {sizeof(plumb_descriptor),
          role,
          info.name,
          info.version,
          info.summary,
          info.option_count,
          info.options,
          info.default_interval_ns,
          info.needs};
}

}  // namespace detail
}  // namespace plumb

// Exports plugin class `Class` with a plumb::PluginInfo initialiser. Once per library.
#define PLUMB_PLUGIN(Class, ...)                                                  \
  static constexpr plumb_descriptor plumb_descriptor_ =                           \
      ::plumb::detail::descriptor(Class::kRole, ::plumb::PluginInfo __VA_ARGS__); \
  static constexpr plumb_plugin plumb_table_ =                                    \
      ::plumb::detail::Thunks<Class>::table(&plumb_descriptor_);                  \
  extern "C" PLUMB_EXPORT const plumb_plugin* plumb_plugin_entry_v1(void);        \
  extern "C" PLUMB_EXPORT const plumb_plugin* plumb_plugin_entry_v1(void) { return &plumb_table_; }

#endif  // PLUMB_PLUGIN_HPP_
