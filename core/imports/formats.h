// The formats that can be imported, and how each is known by its content.
#ifndef PLUMB_CORE_IMPORTS_FORMATS_H_
#define PLUMB_CORE_IMPORTS_FORMATS_H_

#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/imports/reader.h"

namespace plumb::imports {

struct Format {
  std::string_view name;   // as --format names it: k6-json
  std::string_view tool;   // what series and facts give as their source: k6
  std::string_view title;  // for people
  // False: its times are since the start, or it has none.
  bool has_clock = true;
  // Whether the first lines of a file, without empty ones, look like it.
  bool (*recognises)(const std::vector<std::string>& head, const ReaderOptions& options) = nullptr;
  std::unique_ptr<Reader> (*make)(Sink& sink, const ReaderOptions& options) = nullptr;
};

const std::vector<Format>& formats();
std::vector<std::string> format_names();
// Null when there is none of that name.
const Format* find_format(std::string_view name);
// INVALID_ARGUMENT says what the formats are and, as far as can be told, what the file is.
Result<const Format*> recognise(const std::vector<std::string>& head, const ReaderOptions& options);

// One of each in its own file.
Format k6_json_format();
Format k6_csv_format();
Format jmeter_csv_format();
Format jmeter_xml_format();
Format locust_history_format();
Format locust_stats_format();
Format hey_csv_format();
Format wrk_format();
Format h2load_format();
Format access_log_format();

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_FORMATS_H_
