#include "plugins/stack_profile/address_space.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "plugins/proc/fields.h"

namespace plumb::stack_profile {

namespace {

constexpr std::string_view kDeleted = " (deleted)";

std::optional<uint64_t> hexadecimal(std::string_view word) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (error != std::errc() || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Mapping> parse_maps_line(std::string_view line) {
  // 7f1c5f428000-7f1c5f57d000 r-xp 00026000 fe:00 1705 /usr/lib/x86_64-linux-gnu/libc.so.6
  const std::string_view range = proc::next_word(line);
  const std::string_view rights = proc::next_word(line);
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos || rights.size() < 4) return std::nullopt;
  const auto start = hexadecimal(range.substr(0, dash));
  const auto end = hexadecimal(range.substr(dash + 1));
  const auto offset = hexadecimal(proc::next_word(line));
  const std::string_view device = proc::next_word(line);
  const auto inode = proc::next_number<uint64_t>(line);
  const bool whole = start && end && offset && inode && *start < *end &&
                     device.find(':') != std::string_view::npos;
  if (!whole) return std::nullopt;
  while (line.starts_with(' ')) line.remove_prefix(1);
  if (*inode != 0 && line.ends_with(kDeleted)) line.remove_suffix(kDeleted.size());
  return Mapping{*start, *end, *offset, *inode, std::string(line), rights[2] == 'x'};
}

void AddressSpace::assign(std::string_view maps) {
  std::vector<Mapping> found;
  while (!maps.empty() && found.size() < kMost) {
    bool ended = false;
    const std::string_view line = proc::next_line(maps, &ended);
    if (!ended) break;
    auto mapping = parse_maps_line(line);
    if (mapping && mapping->executable) found.push_back(std::move(*mapping));
  }
  // The kernel's text is in order and disjoint; another's need not be.
  std::sort(found.begin(), found.end(),
            [](const Mapping& a, const Mapping& b) { return a.start < b.start; });
  std::vector<Mapping> disjoint;
  for (Mapping& mapping : found) {
    if (disjoint.empty() || disjoint.back().end <= mapping.start) {
      disjoint.push_back(std::move(mapping));
    }
  }
  if (disjoint == mappings_) return;
  mappings_ = std::move(disjoint);
  ++generation_;
}

void AddressSpace::insert(Mapping mapping) {
  if (mapping.start >= mapping.end) return;
  const auto first =
      std::upper_bound(mappings_.begin(), mappings_.end(), mapping.start,
                       [](uint64_t address, const Mapping& m) { return address < m.end; });
  auto last = first;
  bool file_goes = false;
  std::vector<Mapping> pieces;
  for (; last != mappings_.end() && last->start < mapping.end; ++last) {
    file_goes = file_goes || last->has_file();
    if (last->start < mapping.start) {
      pieces.push_back(*last);
      pieces.back().end = mapping.start;
    }
    if (last->end > mapping.end) {
      Mapping rest = *last;
      rest.offset += mapping.end - rest.start;
      rest.start = mapping.end;
      pieces.push_back(std::move(rest));
    }
  }
  if (mapping.executable) {
    if (first != last && last - first == 1 && *first == mapping) return;
    file_goes = file_goes || mapping.has_file();
    const auto at = std::find_if(pieces.begin(), pieces.end(),
                                 [&](const Mapping& m) { return m.start >= mapping.end; });
    pieces.insert(at, std::move(mapping));
  }
  const auto begin = mappings_.erase(first, last);
  mappings_.insert(begin, std::make_move_iterator(pieces.begin()),
                   std::make_move_iterator(pieces.end()));
  if (mappings_.size() > kMost) mappings_.resize(kMost);
  if (file_goes) ++generation_;
}

const Mapping* AddressSpace::find(uint64_t address) const {
  const auto it = std::upper_bound(mappings_.begin(), mappings_.end(), address,
                                   [](uint64_t a, const Mapping& m) { return a < m.end; });
  return it != mappings_.end() && it->start <= address ? &*it : nullptr;
}

}  // namespace plumb::stack_profile
