#include "plugins/stack_profile/lock_wait.h"

#include <algorithm>
#include <array>

namespace plumb::stack_profile {
namespace {

// Between the function that takes a lock and the kernel lie a few of the library's own.
constexpr size_t kMostHelpers = 5;

constexpr std::array<std::string_view, 11> kTakesLock = {
    "pthread_mutex_lock",         "pthread_mutex_timedlock",
    "pthread_mutex_clocklock",    "pthread_rwlock_rdlock",
    "pthread_rwlock_wrlock",      "pthread_rwlock_timedrdlock",
    "pthread_rwlock_timedwrlock", "lll_lock_wait",
    "lll_lock_wait_private",      "take_gil",
    "PyEval_RestoreThread"};
// Of languages whose names carry a path and a version.
constexpr std::array<std::string_view, 6> kTakesLockWithin = {
    "ObjectMonitor::enter", "ObjectMonitor::EnterI",   "::Mutex::lock_contended",
    "RawMutex::lock_slow",  "RwLock::write_contended", "RwLock::read_contended"};
// What stands between the lock and who wanted it.
constexpr std::array<std::string_view, 11> kWrappers = {
    "std::mutex",        "std::unique_lock",    "std::lock_guard",
    "std::scoped_lock",  "std::shared_lock",    "__gthread_",
    "std::shared_mutex", "acquire_timed",       "lock_PyThread_acquire_lock",
    "cfunction_call",    "_PyObject_MakeTpCall"};
// Python's lock, and what calls it for `with lock:`. A condition and a queue take a lock of the
// same kind to wait for work, by its method acquire(), which is called another way. Between the two
// lie functions that an interpreter without symbols does not name.
constexpr std::string_view kPythonLock = "PyThread_acquire_lock_timed";
constexpr std::array<std::string_view, 3> kPythonBetween = {
    "acquire_timed", "lock_PyThread_acquire_lock", "cfunction_call"};
constexpr std::string_view kPythonWith = "_PyObject_MakeTpCall";

std::string_view without_underscores(std::string_view name) {
  return name.substr(std::min(name.find_first_not_of('_'), name.size()));
}

bool is_wrapper(std::string_view function) {
  return std::any_of(kWrappers.begin(), kWrappers.end(), [&](std::string_view wrapper) {
    return function.find(wrapper) != std::string_view::npos;
  });
}

}  // namespace

bool takes_lock(std::string_view function) {
  // A version behind an '@', as some symbol tables have it.
  const std::string_view name = without_underscores(function.substr(0, function.find('@')));
  return std::find(kTakesLock.begin(), kTakesLock.end(), name) != kTakesLock.end() ||
         std::any_of(kTakesLockWithin.begin(), kTakesLockWithin.end(),
                     [&](std::string_view part) { return function.find(part) != function.npos; });
}

std::optional<LockWait> lock_wait_in(const Symbolizer& symbolizer,
                                     std::span<const uint32_t> frames) {
  const auto at = [&](size_t i) -> const Frame& { return symbolizer.frame(frames[i]); };
  size_t end = frames.size();
  while (end > 0 && at(end - 1).kernel) --end;
  const size_t last = end > kMostHelpers ? end - kMostHelpers : 0;
  const auto is_python_with = [&](size_t i) {
    if (!at(i).named || at(i).function != kPythonLock) return false;
    const auto between = [&](const Frame& frame) {
      return !frame.named || std::find(kPythonBetween.begin(), kPythonBetween.end(),
                                       frame.function) != kPythonBetween.end();
    };
    while (i > 0 && between(at(i - 1))) --i;
    return i > 0 && at(i - 1).function == kPythonWith;
  };
  std::optional<size_t> call;
  for (size_t i = end; i-- > last;)
    if ((at(i).named && takes_lock(at(i).function)) || is_python_with(i)) call = i;
  if (!call) return std::nullopt;
  LockWait out{*call, std::nullopt};
  for (size_t i = *call; i-- > 0;) {
    if (!at(i).named || is_wrapper(at(i).function)) continue;
    out.function = i;
    break;
  }
  return out;
}

}  // namespace plumb::stack_profile
