#include "plugins/stack_profile/stack_table.h"

#include <algorithm>

namespace plumb::stack_profile {

namespace {

uint64_t mix(uint64_t hash, uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
  hash *= 0xff51afd7ed558ccdull;
  return hash ^ (hash >> 32);
}

uint64_t hash_of(Whose whose, Addresses kernel, Addresses user) {
  uint64_t hash = std::hash<Whose>()(whose);
  for (const uint64_t address : kernel) hash = mix(hash, address);
  hash = mix(hash, kernel.size());
  for (const uint64_t address : user) hash = mix(hash, address);
  return hash;
}

}  // namespace

LabelTable::LabelTable() { labels_.emplace_back("[other threads]"); }

uint32_t LabelTable::intern(std::string_view label) {
  std::string key(label);
  const auto known = numbers_.find(key);
  if (known != numbers_.end()) return known->second;
  if (labels_.size() >= kMost) return 0;
  const auto number = static_cast<uint32_t>(labels_.size());
  labels_.push_back(key);
  numbers_.emplace(std::move(key), number);
  return number;
}

bool StackTable::same(const Entry& entry, Whose whose, Addresses kernel, Addresses user) const {
  if (entry.whose != whose || entry.kernel != kernel.size() || entry.user != user.size()) {
    return false;
  }
  const auto* at = addresses_.data() + entry.begin;
  return std::equal(kernel.begin(), kernel.end(), at) &&
         std::equal(user.begin(), user.end(), at + entry.kernel);
}

std::optional<uint32_t> StackTable::intern(Whose whose, Addresses kernel, Addresses user) {
  const uint64_t hash = hash_of(whose, kernel, user);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (same(entries_[it->second], whose, kernel, user)) return it->second;
  }
  if (entries_.size() >= most_) return std::nullopt;
  const auto number = static_cast<uint32_t>(entries_.size());
  entries_.push_back({whose, static_cast<uint32_t>(kernel.size()),
                      static_cast<uint32_t>(user.size()), addresses_.size()});
  addresses_.insert(addresses_.end(), kernel.begin(), kernel.end());
  addresses_.insert(addresses_.end(), user.begin(), user.end());
  by_hash_.emplace(hash, number);
  return number;
}

StackTable::Stack StackTable::at(uint32_t number) const {
  const Entry& entry = entries_[number];
  const Addresses all = Addresses(addresses_).subspan(entry.begin, entry.kernel + entry.user);
  return {entry.whose, all.first(entry.kernel), all.subspan(entry.kernel)};
}

void StackTable::clear() {
  entries_.clear();
  addresses_.clear();
  by_hash_.clear();
}

}  // namespace plumb::stack_profile
