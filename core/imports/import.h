// Another tool's output becomes a run file.
#ifndef PLUMB_CORE_IMPORTS_IMPORT_H_
#define PLUMB_CORE_IMPORTS_IMPORT_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <utility>

#include "core/imports/byte_source.h"
#include "core/imports/formats.h"
#include "core/store/run_file.h"

namespace plumb::imports {

struct ImportOptions {
  std::string format = {};  // empty: recognised from the content
  ReaderOptions reader = {};
  // The steady stage, in seconds since the first request; else it is found from the data.
  std::optional<std::pair<double, double>> steady = {};
  // Lines that cannot be read are left out, and counted, instead of being an error.
  bool lenient = false;
  // When a run that ended with the last line did so, for formats without a clock.
  int64_t file_unix_ms = 0;
};

struct Imported {
  const Format* format = nullptr;
  uint64_t requests = 0;
  uint64_t lines_left_out = 0;
};

// `header` has all but its start, its target where the output names one. Nothing is left behind
// when it fails; INVALID_ARGUMENT says which line of `input`, which column, and what was expected.
// A last line without its end that cannot be read was cut off by a killed writer: it is left out.
Result<Imported> import_file(const std::filesystem::path& input, const ImportOptions& options,
                             const std::filesystem::path& run_file, store::RunHeader header);

// Reads all of `bytes`, called `name` in messages, into `sink`. `broken` is asked after each line,
// and ends it.
Result<Imported> read_into(std::unique_ptr<ByteSource> bytes, const std::string& name,
                           const ImportOptions& options,
                           const std::function<Sink&(const Format&)>& sink,
                           const std::function<Status()>& broken);

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_IMPORT_H_
