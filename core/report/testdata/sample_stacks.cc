#include "core/report/testdata/sample_stacks.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace plumb::testing {
namespace {

constexpr int64_t kStackSecond = 1'000'000'000;
constexpr int kBatchSeconds = 3;

// Seconds of a processor in each second.
struct Spent {
  const char* frames;
  double seconds;
};

constexpr Spent kOnCpu[] = {
    {"shop;start_thread;worker;handle_request;orders;sqlite3_step;sqlite3VdbeExec", 0.12},
    {"shop;start_thread;worker;handle_request;orders;sqlite3_step;sqlite3VdbeExec;sqlite3BtreeNext",
     0.09},
    {"shop;start_thread;worker;handle_request;orders;sqlite3_step;sqlite3VdbeExec;"
     "sqlite3BtreeMovetoUnpacked;pcache1Fetch",
     0.06},
    {"shop;start_thread;worker;handle_request;orders;sort_rows;std::__introsort_loop<"
     "__gnu_cxx::__normal_iterator<Order*, std::vector<Order>>, long>",
     0.08},
    {"shop;start_thread;worker;handle_request;orders;to_json;nlohmann::detail::serializer<"
     "nlohmann::basic_json<>>::dump",
     0.07},
    {"shop;start_thread;worker;handle_request;compress_body;deflate", 0.05},
    {"shop;start_thread;worker;handle_request;compress_body;deflate;longest_match", 0.08},
    {"shop;start_thread;worker;read_request;recv;entry_SYSCALL_64;tcp_recvmsg", 0.03},
    {"shop;start_thread;worker;write_response;send;entry_SYSCALL_64;tcp_sendmsg", 0.05},
    {"shop;start_thread;worker;write_response;send;entry_SYSCALL_64;tcp_sendmsg;skb_copy", 0.02},
    {"shop;start_thread;worker;malloc;_int_malloc", 0.0160},
};

constexpr Spent kBefore[] = {
    {"shop;start_thread;worker;handle_request;orders;sqlite3_step;sqlite3VdbeExec", 0.12},
    {"shop;start_thread;worker;handle_request;orders;sqlite3_step;sqlite3VdbeExec;sqlite3BtreeNext",
     0.10},
    {"shop;start_thread;worker;handle_request;orders;sort_rows;std::__introsort_loop<"
     "__gnu_cxx::__normal_iterator<Order*, std::vector<Order>>, long>",
     0.16},
    {"shop;start_thread;worker;handle_request;orders;to_json;nlohmann::detail::serializer<"
     "nlohmann::basic_json<>>::dump",
     0.07},
    {"shop;start_thread;worker;read_request;recv;entry_SYSCALL_64;tcp_recvmsg", 0.03},
    {"shop;start_thread;worker;write_response;send;entry_SYSCALL_64;tcp_sendmsg", 0.05},
};

constexpr Spent kOffCpu[] = {
    {"shop;start_thread;worker;handle_request;orders;Pool::take;pthread_cond_wait;futex_wait",
     13.5},
    {"shop;start_thread;worker;handle_request;orders;sqlite3_step;unixSync;fsync", 0.4},
    {"shop;start_thread;worker;read_request;recv;tcp_recvmsg;schedule_timeout", 1.6},
};

// Many small stacks, as a real profile has: paths through functions named after their place. The
// first hundred make up 0.15 s, the others next to nothing.
void add_small_ones(int64_t second, std::vector<FoldedStack>& out) {
  for (int i = 0; i < 400; ++i) {
    std::string frames = "shop;start_thread;worker;handle_request;report";
    for (int level = 0; level < 3 + i % 9; ++level)
      frames += ";report::section_" + std::to_string((i * 7 + level * i) % 31) + "::render_row_" +
                std::to_string(i % (level + 2));
    const double large = 0.00075 * kBatchSeconds * static_cast<double>(1 + (i + second) % 3);
    out.push_back({frames, i < 100 ? large : 1e-7 * static_cast<double>(1 + i % 5)});
  }
}

template <size_t N>
StackBatch batch_of(const char* profile, const Spent (&spent)[N], int64_t start_ns,
                    const std::string& suffix) {
  StackBatch out{"stack_profile",
                 profile,
                 "seconds",
                 "Where the target's threads were",
                 PLUMB_LAYER_APP,
                 start_ns,
                 start_ns + kStackSecond,
                 {}};
  for (const Spent& one : spent) out.stacks.push_back({one.frames, kBatchSeconds * one.seconds});
  if (std::string_view(profile) == "on_cpu") add_small_ones(start_ns / kStackSecond, out.stacks);
  std::string behind = suffix;
  std::replace(behind.begin(), behind.end(), ';', ':');
  for (FoldedStack& stack : out.stacks) stack.frames += behind;
  out.help += suffix;
  return out;
}

int64_t last_of(const store::RunData& run) {
  int64_t end = run.header.started_ns;
  for (const StageSpan& stage : run.stages) end = std::max(end, stage.end_ns);
  return end;
}

}  // namespace

store::StackReader sample_stacks(const store::RunData& run, const std::string& suffix) {
  return [start = run.header.started_ns, end = last_of(run),
          suffix](const std::function<Status(const StackBatch&)>& take) {
    for (int64_t at = start; at < end; at += kBatchSeconds * kStackSecond) {
      PLUMB_RETURN_IF_ERROR(take(batch_of("on_cpu", kOnCpu, at, suffix)));
      PLUMB_RETURN_IF_ERROR(take(batch_of("off_cpu", kOffCpu, at, suffix)));
    }
    return Status::ok();
  };
}

store::StackReader sample_stacks_before(const store::RunData& run) {
  return [start = run.header.started_ns,
          end = last_of(run)](const std::function<Status(const StackBatch&)>& take) {
    for (int64_t at = start; at < end; at += kBatchSeconds * kStackSecond)
      PLUMB_RETURN_IF_ERROR(take(batch_of("on_cpu", kBefore, at, {})));
    return Status::ok();
  };
}

}  // namespace plumb::testing
