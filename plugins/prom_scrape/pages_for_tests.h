// Test only: feeds pages to ScrapedSeries, one second apart, and keeps what it emits.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_PAGES_FOR_TESTS_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_PAGES_FOR_TESTS_H_

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "plugins/prom_scrape/scraped_series.h"
#include "tests/support/recording_host.h"

namespace plumb::prom_scrape {

using test_support::RecordingHost;

inline std::string captured_page(const std::string& name) {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/plugins/prom_scrape/testdata/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

class Pages {
 public:
  static constexpr int64_t kSecond = 1'000'000'000;

  explicit Pages(size_t max_series = 500, std::string_view include = "",
                 std::string_view exclude = "")
      : out(Host(host.get())),
        scraped(out, NameFilter::from(include, exclude).value(), max_series) {
    host.fake_now = 100 * kSecond;
  }

  PageVerdict read(std::string_view text) {
    *host.fake_now += kSecond;
    wall += 1;
    scraped.begin_page();
    summary = read_exposition(text, true, scraped);
    return scraped.end_page(*host.fake_now, wall, summary.malformed == 0);
  }

  RecordingHost host;
  SeriesOut out;
  ScrapedSeries scraped;
  double wall = 2'000'000'000;
  ExpositionSummary summary;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_PAGES_FOR_TESTS_H_
