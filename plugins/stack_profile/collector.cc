#include "plugins/stack_profile/collector.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace plumb::stack_profile {

namespace {

constexpr size_t kMostThreadLabels = 50'000;
constexpr double kSecondsPerPeriod = 1e-9;  // the processor's clock
constexpr const char* kNoStack = "[stack not sampled]";
constexpr const char* kNoRoom = "[other stacks]";

// Every wait ends in these: they say nothing of what is waited for.
bool is_scheduler(std::string_view function) {
  return function == "__schedule_[k]" || function == "schedule_[k]" ||
         function == "__traceiter_sched_switch_[k]" || function.starts_with("preempt_schedule") ||
         function.starts_with("__perf_event_task_sched") ||
         function.starts_with("perf_event_task_sched") ||
         function.starts_with("prepare_task_switch");
}

std::string_view mapped_path(std::string_view text) {
  return text == "//anon" ? std::string_view() : text;
}

}  // namespace

Collector::Collector(proc::Root root, Options options, Watch watch)
    : root_(std::move(root)),
      options_(options),
      watch_(std::move(watch)),
      walker_(symbolizer_, options.unwind),
      stacks_(options.most_stacks),
      off_cpu_(stacks_) {
  symbolizer_.set_open_elsewhere([this](const TracedProcess& process, const Mapping& mapping) {
    return open_elsewhere(process, mapping);
  });
}

void Collector::record(Bytes bytes) {
  if (!decode(bytes, options_.stack_dumps, record_)) {
    ++counts_.damaged;
    return;
  }
  switch (record_.kind) {
    case Record::Kind::kSample:
      return sample();
    case Record::Kind::kMmap:
      return new_mapping();
    case Record::Kind::kComm:
      return new_name();
    case Record::Kind::kFork:
      return new_task();
    case Record::Kind::kExit:
      watch_.ended(record_.tid);
      off_cpu_.ended(record_.tid);
      thread_labels_.erase(record_.tid);
      if (TracedProcess* of = known(record_.pid); of != nullptr && record_.tid != record_.pid) {
        of->forget_thread(record_.tid);
      }
      return;
    case Record::Kind::kSwitch:
      return context_switch();
    case Record::Kind::kLost:
      return lost();
    case Record::Kind::kThrottle:
      ++counts_.throttled;
      return;
    case Record::Kind::kOther:
      return;
  }
}

TracedProcess* Collector::known(Pid pid) {
  const auto it = running_.find(pid);
  return it == running_.end() ? nullptr : &programs_.find(it->second)->second.process;
}

TracedProcess* Collector::begin_program(Pid pid) {
  if (programs_.size() >= kMostPrograms) return nullptr;
  const uint32_t number = ++last_program_;
  running_[pid] = number;
  return &programs_.emplace(number, Known{TracedProcess(root_, pid, number)}).first->second.process;
}

TracedProcess* Collector::process(Pid pid) {
  if (pid <= 0) return nullptr;
  if (known(pid) == nullptr && begin_program(pid) == nullptr) return nullptr;
  Known& of = programs_.find(running_.find(pid)->second)->second;
  // What was inherited stays when the process has ended meanwhile.
  if (!of.loaded) {
    (void)of.process.load(buffer_);
    (void)of.process.read_perf_map();
    of.loaded = true;
  }
  return &of.process;
}

Whose Collector::whose(TracedProcess& process, Pid tid) {
  const auto known = thread_labels_.find(tid);
  if (known != thread_labels_.end()) return {process.program(), known->second};
  if (thread_labels_.size() >= kMostThreadLabels) thread_labels_.clear();
  const uint32_t label = labels_.intern(process.label(tid, buffer_));
  thread_labels_.emplace(tid, label);
  return {process.program(), label};
}

void Collector::sample() {
  const auto profile = watch_.profile_of(record_.id);
  if (!profile || !watch_.watches(record_.tid)) return;
  TracedProcess* of = process(record_.pid);
  if (of == nullptr) return;
  if (*profile == Profile::kOffCpu) {
    if (suspended_from_ns_ && record_.time_ns > *suspended_from_ns_) return;
    if (record_.time_ns < resumed_at_ns_) return;
  }
  ++counts_.samples[static_cast<size_t>(*profile)];
  const Whose who = whose(*of, record_.tid);
  const std::vector<uint64_t>& user = walker_.walk(*of, record_);
  if (*profile == Profile::kOffCpu) {
    off_cpu_.stack(record_.tid, who, record_.time_ns, record_.kernel_chain, user);
    return;
  }
  off_cpu_.runs(record_.tid);
  const auto number = stacks_.intern(who, record_.kernel_chain, user);
  const double seconds = static_cast<double>(record_.period) * kSecondsPerPeriod;
  if (number) {
    on_cpu_[*number] += seconds;
  } else {
    ++counts_.over_limit;
    on_cpu_rest_[who] += seconds;
  }
}

void Collector::new_mapping() {
  // A process that nothing is known of yet is read from /proc at its first sample.
  TracedProcess* of = known(record_.pid);
  if (of == nullptr) return;
  of->space().insert({record_.address, record_.address + record_.length, record_.offset,
                      record_.inode, std::string(mapped_path(record_.text)), record_.executable});
}

void Collector::new_name() {
  thread_labels_.erase(record_.tid);
  TracedProcess* of = known(record_.pid);
  // Its name is part of each of its threads' labels.
  if (of != nullptr && record_.tid == record_.pid) thread_labels_.clear();
  if (of != nullptr && record_.exec) of = begin_program(record_.pid);
  if (of != nullptr) of->set_thread_name(record_.tid, record_.text);
}

void Collector::new_task() {
  // Of the whole machine, births are told of strangers, too.
  if (!watch_.watches(record_.parent_tid)) return;
  watch_.born(record_.tid, record_.parent_tid, record_.time_ns);
  thread_labels_.erase(record_.tid);
  if (record_.pid == record_.parent_pid) return;
  const TracedProcess* parent = known(record_.parent_pid);
  if (parent == nullptr) return;
  // An earlier process may have had this id. References into the map stay where they are.
  if (TracedProcess* child = begin_program(record_.pid); child != nullptr) child->inherit(*parent);
}

void Collector::context_switch() {
  if (suspended_from_ns_ && record_.time_ns > *suspended_from_ns_) return;
  if (record_.time_ns < resumed_at_ns_) return;
  ++counts_.switches;
  if (!record_.out) return off_cpu_.in(record_.tid, record_.time_ns);
  TracedProcess* of = process(record_.pid);
  if (of == nullptr) return;
  off_cpu_.out(record_.tid, whose(*of, record_.tid), record_.time_ns, record_.preempted);
}

void Collector::lost() {
  const auto profile = watch_.profile_of(record_.id);
  counts_.lost[static_cast<size_t>(profile.value_or(Profile::kOnCpu))] += record_.lost;
}

void Collector::suspend_off_cpu(uint64_t time_ns) {
  suspended_from_ns_ = time_ns;
  off_cpu_.suspend(time_ns);
}

void Collector::resume_off_cpu(uint64_t time_ns, double factor) {
  off_cpu_.scale(factor);
  if (!suspended_from_ns_) return;
  suspended_from_ns_.reset();
  resumed_at_ns_ = time_ns;
  off_cpu_.resume(time_ns);
}

void Collector::read_perf_maps() {
  perf_map_problem_.clear();
  for (const auto& [pid, number] : running_) {
    Known& of = programs_.find(number)->second;
    if (!of.loaded) continue;
    const std::string problem = of.process.read_perf_map();
    if (!problem.empty() && perf_map_problem_.empty()) perf_map_problem_ = problem;
  }
}

// Of a process that has ended, only another can tell what its files were.
OwnedDescriptor Collector::open_elsewhere(const TracedProcess& process,
                                          const Mapping& mapping) const {
  if (::access(root_.of(process.pid(), "").c_str(), F_OK) == 0) return OwnedDescriptor();
  constexpr int kMostTries = 8;
  int tries = 0;
  for (const auto& [number, other] : programs_) {
    if (number == process.program() || !other.loaded) continue;
    const auto& all = other.process.space().all();
    const auto same = std::find_if(all.begin(), all.end(), [&](const Mapping& m) {
      return m.inode == mapping.inode && m.path == mapping.path;
    });
    if (same == all.end()) continue;
    OwnedDescriptor file = other.process.open_file(*same);
    if (file.is_open() || ++tries >= kMostTries) return file;
  }
  return OwnedDescriptor();
}

void Collector::name_frames(const TracedProcess* process, const StackTable::Stack& stack,
                            Profile profile) {
  frames_.clear();
  for (size_t i = stack.user.size(); process != nullptr && i-- > 0;) {
    frames_.push_back(symbolizer_.user_frame(*process, stack.user[i], i > 0));
  }
  for (size_t i = stack.kernel.size(); i-- > 0;) {
    frames_.push_back(symbolizer_.kernel_frame(stack.kernel[i]));
  }
  if (profile == Profile::kOnCpu) return;
  while (!frames_.empty() && is_scheduler(symbolizer_.frame(frames_.back()).function)) {
    frames_.pop_back();
  }
}

void Collector::visit_without_stack(Profile profile, Whose whose, const char* reason,
                                    double seconds,
                                    const std::function<void(Profile, const NamedStack&)>& visit) {
  const std::string label = labels_.at(whose.label) + ";" + reason;
  visit(profile, {label, {}, seconds});
}

void Collector::take(uint64_t time_ns,
                     const std::function<void(Profile, const NamedStack&)>& visit) {
  const auto with_stack = [&](Profile profile, uint32_t number, double seconds) {
    const StackTable::Stack stack = stacks_.at(number);
    const auto program = programs_.find(stack.whose.program);
    name_frames(program != programs_.end() ? &program->second.process : nullptr, stack, profile);
    visit(profile, {labels_.at(stack.whose.label), frames_, seconds});
  };
  for (const auto& [number, seconds] : on_cpu_) with_stack(Profile::kOnCpu, number, seconds);
  for (const auto& [who, seconds] : on_cpu_rest_) {
    visit_without_stack(Profile::kOnCpu, who, kNoRoom, seconds, visit);
  }
  off_cpu_.take(
      time_ns,
      [&](uint32_t number, double seconds) { with_stack(Profile::kOffCpu, number, seconds); },
      [&](Whose who, OffCpu::Without why, double seconds) {
        const char* reason = why == OffCpu::Without::kNoRoom ? kNoRoom : kNoStack;
        visit_without_stack(Profile::kOffCpu, who, reason, seconds, visit);
      });
  on_cpu_.clear();
  on_cpu_rest_.clear();
  stacks_.clear();
}

void Collector::forget_unused() {
  std::erase_if(running_, [&](const auto& of) {
    return ::access(root_.of(of.first, "").c_str(), F_OK) != 0;
  });
  for (auto it = programs_.begin(); it != programs_.end();) {
    const auto now = running_.find(it->second.process.pid());
    if (now != running_.end() && now->second == it->first) {
      ++it;
      continue;
    }
    walker_.forget(it->first);
    symbolizer_.forget_program(it->first);
    it = programs_.erase(it);
  }
  walker_.end_interval();
  symbolizer_.end_interval(walker_.held_images());
}

}  // namespace plumb::stack_profile
