// Which metrics are kept, by the name that their application gives them.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_NAME_FILTER_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_NAME_FILTER_H_

#include <plumb/status.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace plumb::prom_scrape {

// Patterns in which '*' stands for any characters, none included, and '?' for one. Matching takes
// time in proportion to name times pattern at most.
class NameFilter {
 public:
  NameFilter() = default;  // keeps everything
  // Comma-separated patterns. A name is kept when `include` is empty or matches it, and `exclude`
  // does not. INVALID_ARGUMENT names the pattern that can match no metric.
  static Result<NameFilter> from(std::string_view include, std::string_view exclude);

  bool keeps(std::string_view name) const;

 private:
  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_NAME_FILTER_H_
