// Which series a line of a page is, by the text of its name and labels. A page comes in the order
// of the page before, mostly: so the line that followed last time is tried first, and is found
// without a hash or a copy. Not thread-safe.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_LINE_INDEX_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_LINE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace plumb::prom_scrape {

class LineIndex {
 public:
  // The next line to come is the first.
  void begin_page() { next_ = 0; }
  std::optional<uint32_t> find(std::string_view text) {
    if (next_ < entries_.size() && entries_[next_].text == text) return entries_[next_++].line;
    const auto at = by_text_.find(text);
    if (at == by_text_.end()) return std::nullopt;
    next_ = at->second + 1;
    return entries_[at->second].line;
  }
  // `text` is not there yet; several texts may be one line.
  void add(std::string_view text, uint32_t line) {
    entries_.push_back({std::string(text), line});
    // A deque's entries stay where they are, and so do the texts that the keys point into.
    by_text_.emplace(entries_.back().text, entries_.size() - 1);
    bytes_ += text.size();
    next_ = entries_.size();
  }
  size_t size() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string text;
    uint32_t line;
  };
  std::deque<Entry> entries_;
  std::unordered_map<std::string_view, size_t> by_text_;
  size_t next_ = 0;
  size_t bytes_ = 0;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_LINE_INDEX_H_
