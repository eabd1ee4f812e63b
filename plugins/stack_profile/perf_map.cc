#include "plugins/stack_profile/perf_map.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "plugins/proc/fields.h"

namespace plumb::stack_profile {

namespace {

constexpr size_t kMostLine = 8192;

std::optional<uint64_t> code_number(std::string_view word) {
  if (word.starts_with("0x") || word.starts_with("0X")) word.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (error != std::errc() || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<CodeRange> parse_perf_map_line(std::string_view line) {
  const auto start = code_number(proc::next_word(line));
  const auto size = code_number(proc::next_word(line));
  while (line.starts_with(' ')) line.remove_prefix(1);
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  const bool whole = start && size && *size > 0 && *size <= UINT64_MAX - *start && !line.empty();
  if (!whole) return std::nullopt;
  return CodeRange{*start, *size, line};
}

void PerfMap::append(std::string_view piece) {
  while (!piece.empty()) {
    bool ended = false;
    const std::string_view line = proc::next_line(piece, &ended);
    if (!ended) {
      if (!skipping_ && torn_.size() + line.size() > kMostLine) skip_line();
      if (skipping_) {
        torn_.clear();
      } else {
        torn_ += line;
      }
      return;
    }
    if (!skipping_ && torn_.size() + line.size() > kMostLine) skip_line();
    if (std::exchange(skipping_, false)) {
      // Nothing of it counts.
    } else if (torn_.empty()) {
      if (const auto range = parse_perf_map_line(line)) add(*range);
    } else {
      torn_ += line;
      if (const auto range = parse_perf_map_line(torn_)) add(*range);
    }
    torn_.clear();
  }
}

void PerfMap::skip_line() {
  skipping_ = true;
  ++too_long_;
}

void PerfMap::add(const CodeRange& range) {
  const uint64_t end = range.start + range.size;
  auto it = ranges_.lower_bound(range.start);
  if (it != ranges_.begin()) {
    auto before = std::prev(it);
    // Old code that reached into the new is gone as a whole.
    if (before->second.end > range.start) it = before;
  }
  while (it != ranges_.end() && it->first < end) {
    name_bytes_ -= it->second.name.size();
    it = ranges_.erase(it);
  }
  if (full()) return;
  const std::string_view name = range.name.substr(0, kMostName);
  ranges_.emplace(range.start, Code{end, std::string(name)});
  name_bytes_ += name.size();
}

std::string_view PerfMap::find(uint64_t address) const {
  auto it = ranges_.upper_bound(address);
  if (it == ranges_.begin()) return {};
  --it;
  return address < it->second.end ? std::string_view(it->second.name) : std::string_view();
}

void PerfMap::clear() {
  ranges_.clear();
  name_bytes_ = 0;
  torn_.clear();
  too_long_ = 0;
  skipping_ = false;
}

}  // namespace plumb::stack_profile
