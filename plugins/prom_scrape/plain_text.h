// Text from the target made fit for signals: the boundary takes UTF-8 only, and nothing that the
// target writes may act on a terminal or a report.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_PLAIN_TEXT_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_PLAIN_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace plumb::prom_scrape {

// `text` as UTF-8 of at most `most` bytes, cut between characters and then ended by "..." (within
// `most`). What is no UTF-8 becomes '?', each control character a blank.
std::string plain_text(std::string_view text, size_t most);

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_PLAIN_TEXT_H_
