#include "core/plan/arrival_trace.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "core/plan/quantity.h"

namespace plumb::plan {
namespace {

constexpr size_t kMostArrivals = 10'000'000;

// The first column of a line, without blanks.
std::string_view first_column(std::string_view line) {
  line = line.substr(0, line.find_first_of(",;\t"));
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  return line;
}

}  // namespace

Result<std::vector<int64_t>> read_arrival_trace(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    return Status::invalid_argument(file + " is a directory");
  std::ifstream in(file);
  if (!in) return Status::not_found("cannot read " + file + ": " + std::strerror(errno));
  std::vector<int64_t> out;
  std::optional<double> first;
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    const auto bad = [&](const std::string& what) {
      return Status::invalid_argument(file + ":" + std::to_string(number) + ": " + what);
    };
    const std::string_view column = first_column(line);
    if (column.empty()) continue;
    const auto seconds = parse_number(std::string(column));
    if (!seconds && number == 1) continue;  // a heading
    if (!seconds) return bad("expected seconds, such as 12.5");
    if (!first) first = *seconds;
    const auto offset = static_cast<int64_t>((*seconds - *first) * 1e9);
    if (offset < (out.empty() ? 0 : out.back())) return bad("goes back in time");
    if (out.size() == kMostArrivals) return bad("more than ten million arrivals");
    out.push_back(offset);
  }
  if (out.empty()) return Status::invalid_argument(file + " holds no arrival");
  return out;
}

}  // namespace plumb::plan
