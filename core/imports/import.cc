#include "core/imports/import.h"

#include <algorithm>
#include <vector>

#include "core/base/number_text.h"
#include "core/imports/line_source.h"
#include "core/imports/run_recorder.h"

namespace plumb::imports {
namespace {

constexpr size_t kMostHeadLines = 50;
constexpr size_t kMostHeadBytes = size_t{1} << 22;

// FILE:12:5: message
Status located(const std::string& name, uint64_t line, const Problem& problem) {
  std::string where = name;
  if (line > 0) where += ":" + std::to_string(line);
  if (line > 0 && problem.column > 0) where += ":" + std::to_string(problem.column);
  return Status::invalid_argument(where + ": " + problem.message);
}

// Feeds a reader, and decides which lines it may refuse.
class Feed {
 public:
  Feed(const std::string& name, const ImportOptions& options, Reader& reader)
      : name_(name), options_(options), reader_(reader) {}

  Status line(std::string_view text, uint64_t number, bool ended) {
    auto problem = reader_.line(text);
    if (!problem) return Status::ok();
    const bool may_be_torn = !ended && number > 1;
    if (!may_be_torn && !options_.lenient) return located(name_, number, *problem);
    ++left_out_;
    if (first_left_out_.empty()) first_left_out_ = located(name_, number, *problem).message();
    return Status::ok();
  }

  Status finish(Sink& sink) {
    if (auto problem = reader_.finish()) {
      if (!first_left_out_.empty()) problem->message += " (left out: " + first_left_out_ + ")";
      return located(name_, 0, *problem);
    }
    if (left_out_ > 0)
      sink.on_note(grouped(static_cast<double>(left_out_)) + (left_out_ == 1 ? " line" : " lines") +
                       " could not be read and left out, the first: " + first_left_out_,
                   true);
    return Status::ok();
  }

  uint64_t left_out() const { return left_out_; }

 private:
  const std::string& name_;
  const ImportOptions& options_;
  Reader& reader_;
  uint64_t left_out_ = 0;
  std::string first_left_out_;
};

struct HeadLine {
  std::string text;
  uint64_t number;
  bool ended;
};

Result<std::vector<HeadLine>> read_head(LineSource& lines, const std::string& name) {
  std::vector<HeadLine> out;
  size_t bytes = 0;
  while (out.size() < kMostHeadLines && bytes < kMostHeadBytes) {
    const auto line = lines.next();
    if (!line.is_ok()) return line.status().with_context(name);
    if (!*line) break;
    bytes += (*line)->size();
    out.push_back({std::string(**line), lines.number(), lines.ended()});
  }
  return out;
}

Result<const Format*> format_of(const std::vector<HeadLine>& head, const ImportOptions& options,
                                const std::string& name) {
  std::vector<std::string> texts;
  for (const HeadLine& line : head)
    if (line.text.find_first_not_of(" \t") != std::string::npos) texts.push_back(line.text);
  if (texts.empty()) return Status::invalid_argument(name + ": the file is empty");
  if (options.format.empty()) {
    auto format = recognise(texts, options.reader);
    return format.is_ok() ? format : Result<const Format*>(format.status().with_context(name));
  }
  if (const Format* format = find_format(options.format)) return format;
  return Status::invalid_argument("there is no format '" + options.format + "'");
}

}  // namespace

Result<Imported> read_into(std::unique_ptr<ByteSource> bytes, const std::string& name,
                           const ImportOptions& options,
                           const std::function<Sink&(const Format&)>& sink,
                           const std::function<Status()>& broken) {
  LineSource lines(std::move(bytes));
  PLUMB_ASSIGN_OR_RETURN(const std::vector<HeadLine> head, read_head(lines, name));
  Imported out;
  PLUMB_ASSIGN_OR_RETURN(out.format, format_of(head, options, name));
  Sink& into = sink(*out.format);
  const auto reader = out.format->make(into, options.reader);
  Feed feed(name, options, *reader);
  for (const HeadLine& line : head) {
    PLUMB_RETURN_IF_ERROR(feed.line(line.text, line.number, line.ended));
  }
  for (;;) {
    const auto line = lines.next();
    if (!line.is_ok()) return line.status().with_context(name);
    if (!*line) break;
    PLUMB_RETURN_IF_ERROR(feed.line(**line, lines.number(), lines.ended()));
    PLUMB_RETURN_IF_ERROR(broken());
  }
  PLUMB_RETURN_IF_ERROR(feed.finish(into));
  out.lines_left_out = feed.left_out();
  return out;
}

Result<Imported> import_file(const std::filesystem::path& input, const ImportOptions& options,
                             const std::filesystem::path& run_file, store::RunHeader header) {
  PLUMB_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes, open_bytes(input));
  std::unique_ptr<RunRecorder> recorder;
  bool created = false;
  const auto make_recorder = [&](const Format& format) -> Sink& {
    const auto create = [&](int64_t start_ns, int64_t end_ns) {
      header.started_ns = start_ns;
      header.started_unix_ms = format.has_clock
                                   ? start_ns / 1'000'000
                                   : options.file_unix_ms - (end_ns - start_ns) / 1'000'000;
      const std::string& url = options.reader.url.empty() ? recorder->target() : options.reader.url;
      if (!url.empty()) header.plan["target"] = {{"url", url}};
      auto writer = store::RunWriter::create(run_file, header);
      created = writer.is_ok();
      return writer;
    };
    recorder = std::make_unique<RunRecorder>(std::string(format.tool), create);
    if (!format.has_clock)
      recorder->on_note(
          "The output has no clock time: the run is taken to have ended when the file was last "
          "written.",
          false);
    return *recorder;
  };
  auto imported = read_into(std::move(bytes), input.string(), options, make_recorder,
                            [&] { return recorder->status(); });
  Status status = imported.status();
  if (status.is_ok()) status = recorder->finish(options.steady);
  if (!status.is_ok()) {
    recorder.reset();
    std::error_code error;
    // A file that was there before is not this run's.
    for (const char* suffix : {"", "-wal", "-shm", "-journal"})
      if (created) std::filesystem::remove(run_file.string() + suffix, error);
    return status;
  }
  imported->requests = recorder->requests();
  return imported;
}

}  // namespace plumb::imports
