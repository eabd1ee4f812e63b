#include "core/host/emitter.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

#include "core/base/clock.h"
#include "core/host/abi_struct.h"
#include "core/host/protocol.h"
#include "core/host/text.h"

namespace plumb::host {
namespace {

Emitter& self_of(void* context) { return *static_cast<Emitter*>(context); }

// What minor 0 of the header had: no struct from a plugin is shorter.
#define PLUMB_LEAST_SIZE(type, last) (offsetof(type, last) + sizeof(type::last))
constexpr size_t kLeastSeries = PLUMB_LEAST_SIZE(plumb_series, resource);
constexpr size_t kLeastHistogram = PLUMB_LEAST_SIZE(plumb_histogram, maximum);
constexpr size_t kLeastEvent = PLUMB_LEAST_SIZE(plumb_event, attributes);
constexpr size_t kLeastTable = PLUMB_LEAST_SIZE(plumb_table, json);
constexpr size_t kLeastStacks = PLUMB_LEAST_SIZE(plumb_stacks, stacks);
#undef PLUMB_LEAST_SIZE

template <typename T>
bool unusable(const T* value, size_t least) {
  return value == nullptr || value->struct_size < least || value->struct_size > kMostStruct;
}

Status missing(const char* what) {
  return Status::invalid_argument(std::string(what) +
                                  ": a null pointer, or a struct_size that is none");
}

Result<SeriesInfo> series_of(const plumb_series& from) {
  if (from.name == nullptr || from.unit == nullptr) {
    return Status::invalid_argument("a series without a name or a unit");
  }
  if (from.label_count > kMaxLabels || (from.label_count > 0 && from.labels == nullptr)) {
    return Status::invalid_argument("series " + text_of(from.name) + ": more than " +
                                    std::to_string(kMaxLabels) +
                                    " labels, or none where some "
                                    "were announced");
  }
  SeriesInfo out;
  out.name = from.name;
  out.unit = from.unit;
  out.help = text_of(from.help);
  out.kind = from.kind;
  out.layer = from.layer;
  out.part = from.part;
  out.ledger_line = text_of(from.ledger_line);
  out.resource = text_of(from.resource);
  for (uint32_t i = 0; i < from.label_count; ++i) {
    out.labels.emplace_back(text_of(from.labels[i].name), text_of(from.labels[i].value));
  }
  std::sort(out.labels.begin(), out.labels.end());
  return out;
}

Result<StackBatch> batch_of(const plumb_stacks& from) {
  const std::string profile = text_of(from.profile);
  if (from.stack_count > 0 && from.stacks == nullptr) {
    return Status::invalid_argument("profile " + profile + ": no stacks where some were announced");
  }
  if (from.stack_count > kMaxStacks) {
    return Status::resource_exhausted("profile " + profile + ": more than " +
                                      std::to_string(kMaxStacks) + " stacks in one emission");
  }
  StackBatch out{
      {},         profile,       text_of(from.unit), clean_text(text_of(from.help), kMaxText),
      from.layer, from.start_ns, from.end_ns,        {}};
  out.stacks.reserve(from.stack_count);
  for (uint32_t i = 0; i < from.stack_count; ++i) {
    const plumb_stack& stack = from.stacks[i];
    if (stack.frames == nullptr) {
      return Status::invalid_argument("profile " + profile + ": a stack without frames");
    }
    out.stacks.push_back({clean_frames(stack.frames), stack.weight});
  }
  return out;
}

}  // namespace

bool worth_logging(uint64_t n) { return n <= 64 ? std::has_single_bit(n) : n % 64 == 0; }

Emitter::Emitter(Outbox& outbox, int64_t (*now)())
    : outbox_(outbox),
      now_(now),
      check_(now()),
      samples_(kSamplesPerSecond, kBurstSeconds),
      bytes_(kBytesPerSecond, kBurstSeconds),
      messages_(kMessagesPerSecond, kBurstSeconds),
      health_(kHealthPerSecond, kBurstSeconds) {
  table_.struct_size = sizeof(table_);
  table_.abi_minor = PLUMB_ABI_MINOR;
  table_.context = this;
  table_.now_ns = [](void* c) noexcept { return self_of(c).now_(); };
  table_.declare_series = [](void* c, const plumb_series* series, uint32_t* id) noexcept {
    return self_of(c).declare_series(series, id).code();
  };
  table_.emit_samples = [](void* c, const plumb_sample* samples, size_t count) noexcept {
    return self_of(c).emit_samples(samples, count).code();
  };
  table_.emit_histogram = [](void* c, const plumb_histogram* histogram) noexcept {
    return self_of(c).emit_histogram(histogram).code();
  };
  table_.emit_event = [](void* c, const plumb_event* event) noexcept {
    return self_of(c).emit_event(event).code();
  };
  table_.emit_table = [](void* c, const plumb_table* table) noexcept {
    return self_of(c).emit_table(table).code();
  };
  table_.set_health = [](void* c, uint32_t health, const char* message) noexcept {
    self_of(c).set_health(health, message);
  };
  table_.log = [](void* c, uint32_t level, const char* message) noexcept {
    self_of(c).log(level, message == nullptr ? "" : message);
  };
  table_.get_extension = [](void* c, const char* id) noexcept { return self_of(c).extension(id); };
  stacks_table_.struct_size = sizeof(stacks_table_);
  stacks_table_.emit_stacks = [](void* c, const plumb_stacks* stacks) noexcept {
    return self_of(c).emit_stacks(stacks).code();
  };
  rest_table_.struct_size = sizeof(rest_table_);
  rest_table_.rest_until = [](void* c, int64_t until_ns) noexcept {
    self_of(c).rest_until_ns_ = until_ns;
  };
}

const void* Emitter::extension(const char* id) const {
  if (id == nullptr) return nullptr;
  const std::string_view asked(id);
  if (asked == PLUMB_STACKS_EXTENSION) return &stacks_table_;
  return asked == PLUMB_REST_EXTENSION ? &rest_table_ : nullptr;
}

void Emitter::open() {
  const MutexLock lock(mutex_);
  open_ = true;
}

void Emitter::close() {
  const MutexLock lock(mutex_);
  open_ = false;
}

Emitter::Losses Emitter::losses() {
  const MutexLock lock(mutex_);
  return losses_;
}

Status Emitter::refuse(const Status& status, size_t signals) {
  if (status.code() == PLUMB_RESOURCE_EXHAUSTED) {
    losses_.dropped += signals;
    flooding_ = {PLUMB_HEALTH_DEGRADED, "signals were dropped: " + status.message()};
    tell_health();
  } else {
    losses_.refused += signals;
  }
  if (worth_logging(++refusals_)) {
    log_locked(PLUMB_WARNING, "refused a signal (" + std::to_string(refusals_) +
                                  " so far): " + clean_text(status.message(), kMaxText));
  }
  return status;
}

Status Emitter::check_open(size_t signals) {
  if (open_) return Status::ok();
  return refuse(Status::invalid_argument("signals are taken from start until stop returns"),
                signals);
}

Status Emitter::send(std::string_view frame, double samples, double messages, size_t signals) {
  const int64_t now = now_();
  const bool fits = samples_.take(samples, now) && messages_.take(messages, now) &&
                    bytes_.take(static_cast<double>(frame.size()), now);
  if (!fits) {
    return refuse(Status::resource_exhausted("more signals than a plugin may send each second"),
                  signals);
  }
  if (!outbox_.put_signal(frame)) {
    return refuse(Status::resource_exhausted("the engine does not keep up"), signals);
  }
  return Status::ok();
}

Status Emitter::declare_series(const plumb_series* series, uint32_t* id) {
  const MutexLock lock(mutex_);
  if (unusable(series, kLeastSeries) || id == nullptr) return refuse(missing("declare_series"), 1);
  plumb_series known;
  copy_known(series, series->struct_size, known);
  Result<SeriesInfo> info = series_of(known);
  if (!info.is_ok()) return refuse(info.status(), 1);
  // Before an id is given out: the engine must hear of every one.
  if (!bytes_.take(static_cast<double>(encode(*info).size()), now_())) {
    return refuse(Status::resource_exhausted("more series at once than a plugin may declare"), 1);
  }
  const auto declared = check_.declare(*info);
  if (!declared.is_ok()) return refuse(declared.status(), 1);
  *id = declared->first;
  if (!declared->second) return Status::ok();
  info->id = *id;
  outbox_.put_control(encode(*info));
  return Status::ok();
}

Status Emitter::emit_samples(const plumb_sample* samples, size_t count) {
  const MutexLock lock(mutex_);
  if (count == 0) return Status::ok();
  PLUMB_RETURN_IF_ERROR(check_open(count));
  if (samples == nullptr) return refuse(missing("emit_samples"), 1);
  if (count > kMaxSamplesPerBatch) {
    return refuse(Status::invalid_argument("a batch of more than " +
                                           std::to_string(kMaxSamplesPerBatch) + " samples"),
                  count);
  }
  std::vector<Sample> batch;
  batch.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    batch.push_back({samples[i].series, samples[i].time_ns, samples[i].value});
  }
  if (const Status status = check_.samples(batch, now_()); !status.is_ok()) {
    return refuse(status, count);
  }
  return send(encode(batch), static_cast<double>(count), 0, count);
}

Status Emitter::emit_histogram(const plumb_histogram* histogram) {
  const MutexLock lock(mutex_);
  PLUMB_RETURN_IF_ERROR(check_open(1));
  if (unusable(histogram, kLeastHistogram)) return refuse(missing("emit_histogram"), 1);
  plumb_histogram known;
  copy_known(histogram, histogram->struct_size, known);
  const bool sane = known.bucket_count <= Histogram::bucket_limit(14) &&
                    (known.bucket_count == 0 || known.buckets != nullptr);
  if (!sane) return refuse(missing("emit_histogram: buckets"), 1);
  HistogramMessage message{known.series, known.start_ns, known.end_ns,  known.precision_bits,
                           {},           known.sum,      known.minimum, known.maximum};
  if (known.bucket_count > 0) {
    message.buckets.assign(known.buckets, known.buckets + known.bucket_count);
  }
  if (const Status status = check_.histogram(message, now_()); !status.is_ok()) {
    return refuse(status, 1);
  }
  const Result<std::string> frame = encode(message);
  if (!frame.is_ok()) return refuse(frame.status(), 1);
  return send(*frame, 1, 0, 1);
}

Status Emitter::emit_event(const plumb_event* event) {
  const MutexLock lock(mutex_);
  PLUMB_RETURN_IF_ERROR(check_open(1));
  if (unusable(event, kLeastEvent)) return refuse(missing("emit_event"), 1);
  plumb_event known;
  copy_known(event, event->struct_size, known);
  const Event out{{},
                  known.time_ns,
                  known.level,
                  text_of(known.kind),
                  clean_text(text_of(known.message), kMaxMessage),
                  text_of(known.attributes)};
  Status status = check_event(out);
  if (status.is_ok()) status = check_.time(out.time_ns, now_());
  if (!status.is_ok()) return refuse(status, 1);
  return send(encode(out), 0, 1, 1);
}

Status Emitter::emit_table(const plumb_table* table) {
  const MutexLock lock(mutex_);
  PLUMB_RETURN_IF_ERROR(check_open(1));
  if (unusable(table, kLeastTable)) return refuse(missing("emit_table"), 1);
  plumb_table known;
  copy_known(table, table->struct_size, known);
  const TableRecord out{{}, known.time_ns, text_of(known.name), text_of(known.json)};
  Status status = check_table(out);
  if (status.is_ok()) status = check_.time(out.time_ns, now_());
  if (!status.is_ok()) return refuse(status, 1);
  return send(encode(out), 0, 1, 1);
}

Status Emitter::emit_stacks(const plumb_stacks* stacks) {
  if (unusable(stacks, kLeastStacks)) {
    const MutexLock lock(mutex_);
    return refuse(missing("emit_stacks"), 1);
  }
  plumb_stacks known;
  copy_known(stacks, stacks->struct_size, known);
  // Thousands of texts are copied and cleaned here: other threads need not wait for it.
  const Result<StackBatch> batch = batch_of(known);
  const Result<std::string> frame =
      batch.is_ok() ? encode(*batch) : Result<std::string>(batch.status());
  const MutexLock lock(mutex_);
  PLUMB_RETURN_IF_ERROR(check_open(1));
  if (!frame.is_ok()) return refuse(frame.status(), 1);
  if (const Status status = check_.stacks_order(*batch, now_()); !status.is_ok()) {
    return refuse(status, 1);
  }
  return send(*frame, 0, 1, 1);
}

void Emitter::set_health(uint32_t health, const char* message) {
  const MutexLock lock(mutex_);
  if (health < PLUMB_HEALTH_OK || health > PLUMB_HEALTH_DARK) {
    static_cast<void>(
        refuse(Status::invalid_argument("unknown health " + std::to_string(health)), 1));
    return;
  }
  plugin_says_ = {health, clean_text(text_of(message), kMaxText)};
  tell_health();
}

void Emitter::set_collecting(uint32_t health, std::string_view message) {
  const MutexLock lock(mutex_);
  collecting_ = {health, clean_text(message, kMaxText)};
  tell_health();
}

void Emitter::tell_health() {
  const State* worst = &plugin_says_;
  for (const State* other : {&collecting_, &flooding_}) {
    if (other->health > worst->health) worst = other;
  }
  if (worst->health == told_.health && worst->message == told_.message) return;
  // A change too many is told with the next call that finds it still so.
  if (!health_.take(1, now_())) return;
  outbox_.put_control(encode(HealthChange{{}, now_(), worst->health, worst->message}));
  told_ = *worst;
}

void Emitter::log(uint32_t level, std::string_view message) {
  const MutexLock lock(mutex_);
  log_locked(level, message);
}

void Emitter::log_locked(uint32_t level, std::string_view message) {
  const uint32_t known = std::clamp<uint32_t>(level, PLUMB_DEBUG, PLUMB_ERROR);
  const std::string frame = encode(LogLine{known, clean_text(message, kMaxMessage)});
  const int64_t now = now_();
  const bool fits = messages_.take(1, now) && bytes_.take(static_cast<double>(frame.size()), now);
  if (!fits || !outbox_.put_signal(frame)) ++losses_.dropped;
}

}  // namespace plumb::host
