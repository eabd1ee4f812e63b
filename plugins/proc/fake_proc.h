// A small /proc (and /sys) of a test's own, in a temporary directory that goes away with it.
#ifndef PLUMB_PLUGINS_PROC_FAKE_PROC_H_
#define PLUMB_PLUGINS_PROC_FAKE_PROC_H_

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "plugins/proc/root.h"

namespace plumb::proc {

struct FakeProcess {
  Pid pid = 0;
  Pid ppid = 1;
  std::string comm = "app";
  char state = 'S';
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  uint64_t reaped_user_ticks = 0;
  uint64_t reaped_system_ticks = 0;
  uint64_t threads = 1;
  uint64_t start_ticks = 100;
  uint64_t resident_pages = 10;
  uint64_t minor_faults = 101;
  uint64_t major_faults = 0;
  uint64_t block_delay_ticks = 0;

  std::string stat() const {
    const auto n = [](uint64_t v) { return std::to_string(v) + " "; };
    return std::to_string(pid) + " (" + comm + ") " + state + " " + std::to_string(ppid) +
           " 1 1 0 -1 4194304 " + n(minor_faults) + "0 " + n(major_faults) + "0 " + n(user_ticks) +
           n(system_ticks) + n(reaped_user_ticks) + n(reaped_system_ticks) + "20 0 " + n(threads) +
           "0 " + n(start_ticks) + "3133440 " + n(resident_pages) +
           "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 " + n(block_delay_ticks) +
           "0 0\n";
  }
};

class FakeProc {
 public:
  FakeProc() {
    std::string pattern = (std::filesystem::temp_directory_path() / "plumb-proc-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(base_ + "/proc");
    std::filesystem::create_directories(base_ + "/sys");
  }
  ~FakeProc() { std::filesystem::remove_all(base_); }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;

  Root root() const { return {base_ + "/proc", base_ + "/sys"}; }

  // `path` below the temporary directory: "proc/stat", "sys/fs/cgroup/x/cgroup.procs". Written in
  // place, so that descriptors kept open see the new text.
  void write(const std::string& path, std::string_view text) const {
    const std::filesystem::path full = base_ + "/" + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::trunc) << text;
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(base_ + "/" + path); }

  // stat, and that of its main thread.
  void add(const FakeProcess& p) const {
    write("proc/" + std::to_string(p.pid) + "/stat", p.stat());
    write("proc/" + std::to_string(p.pid) + "/task/" + std::to_string(p.pid) + "/stat", p.stat());
  }
  void thread(Pid pid, Pid tid, uint64_t run_ns, uint64_t wait_ns, char state = 'S') const {
    const std::string at = task(pid, tid);
    write(at + "schedstat", std::to_string(run_ns) + " " + std::to_string(wait_ns) + " " +
                                std::to_string(run_ns / 1000 + wait_ns / 1000) + "\n");
    write(at + "stat", FakeProcess{.pid = tid, .state = state}.stat());
  }
  void switches(Pid pid, Pid tid, uint64_t voluntary, uint64_t involuntary) const {
    write(task(pid, tid) + "status",
          "Name:\tapp\nThreads:\t1\nvoluntary_ctxt_switches:\t" + std::to_string(voluntary) +
              "\nnonvoluntary_ctxt_switches:\t" + std::to_string(involuntary) + "\n");
  }
  void io(Pid pid, uint64_t read, uint64_t written) const {
    write("proc/" + std::to_string(pid) + "/io",
          "rchar: 6976\nwchar: 0\nsyscr: 10\nsyscw: 0\nread_bytes: " + std::to_string(read) +
              "\nwrite_bytes: " + std::to_string(written) + "\ncancelled_write_bytes: 0\n");
  }
  void end_thread(Pid pid, Pid tid) const { remove(task(pid, tid)); }
  void end(Pid pid) const { remove("proc/" + std::to_string(pid)); }
  void descriptor(Pid pid, int number, const std::string& link) const {
    const std::string at = base_ + "/proc/" + std::to_string(pid) + "/fd";
    std::filesystem::create_directories(at);
    const std::string name = at + "/" + std::to_string(number);
    std::filesystem::remove(name);
    std::filesystem::create_symlink(link, name);
  }
  void uptime(double seconds) const { write("proc/uptime", std::to_string(seconds) + " 100.00\n"); }

 private:
  static std::string task(Pid pid, Pid tid) {
    return "proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/";
  }
  std::string base_;
};

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_FAKE_PROC_H_
