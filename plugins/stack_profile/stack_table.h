// Stacks as bare addresses, each kept once: what was sampled a thousand times is named once. Not
// thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_STACK_TABLE_H_
#define PLUMB_PLUGINS_STACK_PROFILE_STACK_TABLE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plugins/stack_profile/perf_record.h"

namespace plumb::stack_profile {

using Addresses = std::span<const uint64_t>;

// Whose stacks: a program in a process (by a number of the Collector's), and what its thread is
// called.
struct Whose {
  uint32_t program = 0;
  uint32_t label = 0;  // in a LabelTable
  bool operator==(const Whose&) const = default;
};

// The first frames of stacks, by number. Number 0 stands for all that came after the table was
// full.
class LabelTable {
 public:
  LabelTable();
  uint32_t intern(std::string_view label);
  const std::string& at(uint32_t number) const { return labels_[number]; }
  static constexpr size_t kMost = 10'000;

 private:
  std::vector<std::string> labels_;
  std::unordered_map<std::string, uint32_t> numbers_;
};

class StackTable {
 public:
  explicit StackTable(size_t most) : most_(most) {}

  struct Stack {
    Whose whose;
    Addresses kernel;  // innermost first
    Addresses user;
  };
  // The number of a stack, which is added if it is new; nothing when the table is full.
  std::optional<uint32_t> intern(Whose whose, Addresses kernel, Addresses user);
  // Valid until the next intern.
  Stack at(uint32_t number) const;
  size_t size() const { return entries_.size(); }
  void clear();

 private:
  struct Entry {
    Whose whose;
    uint32_t kernel;  // how many
    uint32_t user;
    size_t begin;  // in addresses_: kernel, then user
  };
  bool same(const Entry& entry, Whose whose, Addresses kernel, Addresses user) const;

  size_t most_;
  std::vector<Entry> entries_;
  std::vector<uint64_t> addresses_;
  std::unordered_multimap<uint64_t, uint32_t> by_hash_;
};

}  // namespace plumb::stack_profile

template <>
struct std::hash<plumb::stack_profile::Whose> {
  size_t operator()(const plumb::stack_profile::Whose& whose) const noexcept {
    return std::hash<uint64_t>()((static_cast<uint64_t>(whose.program) << 32) | whose.label);
  }
};

#endif  // PLUMB_PLUGINS_STACK_PROFILE_STACK_TABLE_H_
