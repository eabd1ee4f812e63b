// A program with something to find, for the live tests: hot_target MODE [ARGUMENT]. It ends by
// itself after some minutes. Its functions are never inlined, and none ends in a call that would
// take its frame away.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#define KEPT __attribute__((noinline, noclone, visibility("default"), used))

namespace {

timespec moment() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t;
}

bool passed(const timespec& since, double seconds) {
  const timespec t = moment();
  return static_cast<double>(t.tv_sec - since.tv_sec) +
             static_cast<double>(t.tv_nsec - since.tv_nsec) * 1e-9 >
         seconds;
}

void pause_ms(long ms) {
  const timespec t{ms / 1000, ms % 1000 * 1'000'000};
  ::nanosleep(&t, nullptr);
}

pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;

}  // namespace

namespace shop {

volatile uint64_t sink = 0;

// The hot function: nothing but arithmetic.
KEPT uint64_t grind_beans(uint64_t rounds) {
#ifdef HOT_KEEPS_FRAMES
  // GCC leaves a leaf function's frame out even where frames are asked for.
  asm volatile("" : : "r"(__builtin_frame_address(0)));
#endif
  uint64_t x = 88172645463325252ull + sink;
  for (uint64_t i = 0; i < rounds; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  sink = x;
  return x;
}

template <typename Order>
KEPT uint64_t brew(const Order& order) {
  const uint64_t out = grind_beans(order);
  return out + 1;
}

KEPT uint64_t serve_order(double seconds) {
  const timespec begin = moment();
  uint64_t out = 0;
  while (!passed(begin, seconds)) out += brew<uint64_t>(300'000);
  return out + 1;
}

KEPT int take_ledger() {
  const int result = ::pthread_mutex_lock(&ledger);
  sink = sink + 1;
  return result;
}

KEPT void write_ledger(double seconds) {
  const timespec begin = moment();
  while (!passed(begin, seconds)) {
    take_ledger();
    pause_ms(20);
    ::pthread_mutex_unlock(&ledger);
    ::sched_yield();
  }
}

KEPT void nap(double seconds) {
  pause_ms(static_cast<long>(seconds * 1000));
  sink = sink + 1;
}

KEPT void work_briefly() {
  grind_beans(2'000'000);
  sink = sink + 1;
}

// Two threads hand a byte to and fro as fast as they can.
KEPT void bounce(int from, int to, double seconds) {
  const timespec begin = moment();
  char byte = 'x';
  while (!passed(begin, seconds)) {
    if (::write(to, &byte, 1) != 1 || ::read(from, &byte, 1) != 1) return;
  }
}

}  // namespace shop

namespace {

constexpr double kLong = 240;

void contend() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([] {
      ::pthread_setname_np(::pthread_self(), "clerk");
      shop::write_ledger(kLong);
    });
  }
  for (std::thread& t : threads) t.join();
}

// Threads that live for some milliseconds, one after another.
void churn() {
  const timespec begin = moment();
  while (!passed(begin, kLong)) std::thread(shop::work_briefly).join();
}

// Children that live for some milliseconds; one in twenty execs this program.
void breed(const char* self) {
  const timespec begin = moment();
  for (int count = 1; !passed(begin, kLong); ++count) {
    const pid_t child = ::fork();
    if (child == 0) {
      shop::work_briefly();
      if (count % 20 == 0) {
        ::execl(self, "barista", "burn", "0.3", static_cast<char*>(nullptr));
      }
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
  }
}

void load_late(const char* library) {
  shop::serve_order(1);
  void* handle = ::dlopen(library, RTLD_NOW);
  if (handle == nullptr) return;
  const auto function = reinterpret_cast<void (*)(double)>(::dlsym(handle, "late_arrival"));
  if (function != nullptr) function(kLong);
}

// Two hundred threads at any time, of which each works a little, waits for a moment and ends.
void crowd() {
  const timespec begin = moment();
  std::vector<std::thread> threads(200);
  for (size_t i = 0; !passed(begin, kLong); i = (i + 1) % threads.size()) {
    if (threads[i].joinable()) threads[i].join();
    threads[i] = std::thread([] {
      shop::grind_beans(50'000);
      shop::nap(0.2);
    });
    pause_ms(1);
  }
  for (std::thread& t : threads) {
    if (t.joinable()) t.join();
  }
}

// A library that comes and goes, at the same place or at another.
void reload(const char* library) {
  const timespec begin = moment();
  while (!passed(begin, kLong)) {
    void* handle = ::dlopen(library, RTLD_NOW);
    if (handle == nullptr) return;
    const auto function = reinterpret_cast<uint64_t (*)(uint64_t)>(::dlsym(handle, "late_grind"));
    if (function != nullptr) shop::sink = function(3'000'000);
    ::dlclose(handle);
    pause_ms(10);
  }
}

// Twenty children at any time, of which each serves for a while and is replaced.
void prefork() {
  const timespec begin = moment();
  constexpr int kChildren = 20;
  for (int running = 0; !passed(begin, kLong); ++running) {
    if (running >= kChildren) ::wait(nullptr);
    if (::fork() == 0) {
      for (int i = 0; i < 20; ++i) {
        shop::grind_beans(200'000);
        shop::nap(0.02);
      }
      ::_exit(0);
    }
    pause_ms(5);
  }
}

void storm() {
  int there[2];
  int back[2];
  if (::pipe(there) != 0 || ::pipe(back) != 0) return;
  std::thread other([&] { shop::bounce(there[0], back[1], kLong); });
  std::thread sleeper([] {
    for (int i = 0; i < 2000; ++i) shop::nap(0.13);
  });
  shop::bounce(back[0], there[1], kLong);
  other.join();
  sleeper.join();
}

}  // namespace

int main(int argc, char** argv) {
  ::alarm(300);
  const char* mode = argc > 1 ? argv[1] : "burn";
  const char* argument = argc > 2 ? argv[2] : "";
  const auto is = [&](const char* name) { return std::strcmp(mode, name) == 0; };
  if (is("burn")) shop::serve_order(argument[0] != '\0' ? std::atof(argument) : kLong);
  if (is("burn2")) {
    std::thread other(shop::serve_order, kLong);
    shop::serve_order(kLong);
    other.join();
  }
  if (is("contend")) contend();
  if (is("churn")) churn();
  if (is("breed")) breed("/proc/self/exe");
  if (is("late")) load_late(argument);
  if (is("crowd")) crowd();
  if (is("reload")) reload(argument);
  if (is("prefork")) prefork();
  if (is("storm")) storm();
  if (is("nap")) {
    while (true) shop::nap(0.05);
  }
  return 0;
}
