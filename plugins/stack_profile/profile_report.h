// What leaves the plugin: stacks as the host takes them, and the table of functions. Not
// thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_PROFILE_REPORT_H_
#define PLUMB_PLUGINS_STACK_PROFILE_PROFILE_REPORT_H_

#include <plumb/plugin.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plugins/stack_profile/collector.h"

namespace plumb::stack_profile {

// Stacks of one profile and one stretch of time, joined as text.
class FoldedStacks {
 public:
  void add(const Symbolizer& symbolizer, const NamedStack& stack);
  // Hands them over, in several pieces where they are more than the host takes at once, and is
  // empty afterwards.
  Status emit(const Host& host, Profile profile, int64_t start_ns, int64_t end_ns);
  bool empty() const { return seconds_.empty(); }

 private:
  std::unordered_map<std::string, double> seconds_;
  std::string text_;
};

// How much of a profile each function has, itself and with what it calls, since the last clear.
class FunctionShares {
 public:
  void add(const Symbolizer& symbolizer, Profile profile, const NamedStack& stack);
  void merge(const FunctionShares& other);
  void clear();
  // How much of the processor time is in generated code without a name: 0 to 1.
  double nameless_share() const;
  // Table profile_top as the host takes it.
  std::string json(const Symbolizer& symbolizer) const;
  // Table profile_locks: who waited for locks, and in which call. Empty where nobody did.
  std::string locks_json(const Symbolizer& symbolizer) const;

  static constexpr size_t kRows = 30;  // per profile
  static constexpr size_t kMostFunctions = 50'000;

 private:
  struct Share {
    double self = 0;
    double total = 0;
  };
  struct OfProfile {
    std::unordered_map<uint32_t, Share> functions;
    double all = 0;
    double nameless = 0;
  };
  void add_lock_wait(const Symbolizer& symbolizer, const NamedStack& stack);

  std::array<OfProfile, kProfiles> profiles_;
  // Seconds by who waited (or the call itself where that is not known) and the call.
  std::map<std::pair<uint32_t, uint32_t>, double> locks_;
  std::vector<uint32_t> seen_;
};

// FunctionShares of the window that plumb judges: from the start of the first steady stage or spike
// to the end of the last one, with what lies between; of ramps, while there is nothing else; before
// any of them, of all that was seen.
class JudgedShares {
 public:
  void add(const Symbolizer& symbolizer, Profile profile, const NamedStack& stack) {
    (inside_ ? judged_ : after_).add(symbolizer, profile, stack);
  }
  // A stage begins; `kind` is of enum plumb_stage_kind.
  void begin_stage(uint32_t kind);
  // Whether what is added now is in the window.
  bool inside() const { return inside_; }
  const FunctionShares& shares() const { return judged_; }

 private:
  enum class Window { kAll, kRamps, kSteady };
  Window window_ = Window::kAll;
  bool inside_ = true;
  FunctionShares judged_;
  FunctionShares after_;  // since the window's last stage so far: part of it if another follows
};

// Table profile_notes: key and value.
std::string notes_json(const std::vector<std::pair<std::string, std::string>>& rows);

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_PROFILE_REPORT_H_
