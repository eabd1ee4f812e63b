#include "plugins/http_load/feeder_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "plugins/http_load/encoding.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr int64_t kLargestFile = int64_t{1} << 30;
constexpr size_t kMostRows = 10'000'000;
constexpr size_t kMostColumns = 1'000;

Status at_line(const std::string& file, size_t line, const std::string& what) {
  return Status::invalid_argument(file + ":" + std::to_string(line) + ": " + what);
}

Status check_columns(const std::vector<std::string>& columns, const std::string& file,
                     size_t line) {
  if (columns.size() > kMostColumns) return at_line(file, line, "more than 1000 columns");
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string shown = "'" + printable(columns[i], 60) + "'";
    if (columns[i].empty())
      return at_line(file, line, "column " + std::to_string(i + 1) + " has no name");
    if (std::find(columns.begin(), columns.begin() + static_cast<ptrdiff_t>(i), columns[i]) !=
        columns.begin() + static_cast<ptrdiff_t>(i))
      return at_line(file, line, "two columns are named " + shown);
  }
  return Status::ok();
}

Result<FeederTable> finished(FeederTable table, const std::string& file) {
  if (table.rows() == 0) return Status::invalid_argument(file + ": holds no rows");
  return table;
}

// Reads record after record.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& file) : rest_(text), file_(file) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }

  // Where the record at hand began.
  size_t line() const { return line_; }

  // The next record's fields; false at the end of the text.
  Result<bool> next(std::vector<std::string>& fields) {
    while (!rest_.empty() && (rest_[0] == '\n' || rest_.starts_with("\r\n"))) {
      rest_.remove_prefix(rest_[0] == '\n' ? 1 : 2);
      ++here_;
    }
    line_ = here_;
    if (rest_.empty()) return false;
    count_ = 0;
    do {
      if (count_ == kMostColumns) return at_line(file_, line_, "more than 1000 columns");
      if (count_ == fields.size()) fields.emplace_back();
      PLUMB_RETURN_IF_ERROR(field(fields[count_++]));
    } while (take(','));
    fields.resize(count_);
    if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
    if (take('\n')) ++here_;
    return true;
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Status field(std::string& out) {
    out.clear();
    if (take('"')) return quoted(out);
    const size_t end = std::min(rest_.find_first_of(",\n\""), rest_.size());
    if (end < rest_.size() && rest_[end] == '"')
      return at_line(file_, here_, "a quote within a field that does not begin with one");
    out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    const bool ends_line = rest_.empty() || rest_[0] == '\n';
    if (ends_line && out.ends_with('\r')) out.pop_back();
    return Status::ok();
  }

  Status quoted(std::string& out) {
    const size_t begun = here_;
    for (;;) {
      const size_t quote = rest_.find('"');
      if (quote == std::string_view::npos)
        return at_line(file_, begun, "a quoted field without its closing quote");
      const std::string_view part = rest_.substr(0, quote);
      here_ += static_cast<size_t>(std::count(part.begin(), part.end(), '\n'));
      out += part;
      rest_.remove_prefix(quote + 1);
      if (!take('"')) break;
      out += '"';
    }
    const bool ends =
        rest_.empty() || rest_[0] == ',' || rest_[0] == '\n' || rest_.starts_with("\r\n");
    return ends ? Status::ok() : at_line(file_, here_, "text after the closing quote of a field");
  }

  std::string_view rest_;
  const std::string& file_;
  size_t here_ = 1;
  size_t line_ = 1;
  size_t count_ = 0;
};

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Status add_json_line(const json& line, FeederTable& table, const std::string& file, size_t number) {
  if (!line.is_object()) return at_line(file, number, "is no JSON object");
  if (table.columns().empty()) {
    std::vector<std::string> columns;
    for (const auto& [name, value] : line.items()) columns.push_back(name);
    if (columns.empty()) return at_line(file, number, "names no columns");
    PLUMB_RETURN_IF_ERROR(check_columns(columns, file, number));
    table.set_columns(std::move(columns));
  }
  for (const std::string& column : table.columns()) {
    const auto value = line.find(column);
    if (value == line.end())
      return at_line(file, number, "has no '" + printable(column, 60) + "', which the first has");
    table.add_cell(text_of(*value));
  }
  return Status::ok();
}

Result<std::string> read_whole(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Status::not_found(file + ": " + std::strerror(errno));
  struct stat info {};
  std::string out;
  Status status;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    status = Status::invalid_argument(file + ": is no file");
  else if (info.st_size > kLargestFile)
    status = Status::resource_exhausted(file + ": is larger than 1 GiB");
  else
    out.resize(static_cast<size_t>(info.st_size));
  size_t size = 0;
  while (status.is_ok() && size < out.size()) {
    const ssize_t n = ::read(fd, out.data() + size, out.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) status = Status::unavailable(file + ": " + std::strerror(errno));
    if (n <= 0) break;
    size += static_cast<size_t>(n);
  }
  ::close(fd);
  if (!status.is_ok()) return status;
  out.resize(size);
  return out;
}

}  // namespace

Result<FeederTable> parse_csv(std::string_view text, const std::string& file) {
  CsvReader reader(text, file);
  std::vector<std::string> fields;
  PLUMB_ASSIGN_OR_RETURN(const bool has_header, reader.next(fields));
  if (!has_header) return Status::invalid_argument(file + ": is empty");
  PLUMB_RETURN_IF_ERROR(check_columns(fields, file, reader.line()));
  FeederTable table;
  table.set_columns(fields);
  const size_t columns = fields.size();
  for (;;) {
    PLUMB_ASSIGN_OR_RETURN(const bool more, reader.next(fields));
    if (!more) return finished(std::move(table), file);
    if (fields.size() != columns)
      return at_line(file, reader.line(),
                     "has " + std::to_string(fields.size()) + " fields, and the header row has " +
                         std::to_string(columns));
    if (table.rows() == kMostRows) return at_line(file, reader.line(), "more than 10000000 rows");
    for (const std::string& field : fields) table.add_cell(field);
  }
}

Result<FeederTable> parse_json_lines(std::string_view text, const std::string& file) {
  FeederTable table;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const json parsed = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) return at_line(file, number, "is no valid JSON");
    if (table.rows() == kMostRows) return at_line(file, number, "more than 10000000 rows");
    PLUMB_RETURN_IF_ERROR(add_json_line(parsed, table, file, number));
  }
  return finished(std::move(table), file);
}

Result<FeederTable> read_feeder_file(const std::string& file) {
  const bool is_csv = file.ends_with(".csv");
  if (!is_csv && !file.ends_with(".jsonl") && !file.ends_with(".ndjson"))
    return Status::invalid_argument(file + ": must end in .csv, .jsonl or .ndjson");
  PLUMB_ASSIGN_OR_RETURN(const std::string text, read_whole(file));
  return is_csv ? parse_csv(text, file) : parse_json_lines(text, file);
}

}  // namespace plumb::http_load
