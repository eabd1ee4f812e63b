#include "core/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/report/plain_text.h"

namespace plumb::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool begins_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }

}  // namespace

Terminal detect_terminal(Color color) {
  Terminal out;
  out.tty_in = ::isatty(STDIN_FILENO) == 1;
  out.tty_out = ::isatty(STDOUT_FILENO) == 1;
  out.tty_err = ::isatty(STDERR_FILENO) == 1;
  const char* term = std::getenv("TERM");
  const bool plain = is_set("NO_COLOR") || (term != nullptr && std::string_view(term) == "dumb");
  out.color_out = color == Color::kAlways || (color == Color::kAuto && out.tty_out && !plain);
  out.color_err = color == Color::kAlways || (color == Color::kAuto && out.tty_err && !plain);
  winsize size{};
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO})
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      out.width = size.ws_col;
      break;
    }
  return out;
}

void say(std::string_view sentence) {
  // It may quote a plan, a file's name or another program, whose control characters stay text.
  std::fprintf(stderr, "plumb: %s\n", report::many_lines(sentence).c_str());
}

bool finish_output() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  say(std::string("the output could not be written: ") +
      (errno != 0 ? std::strerror(errno) : "an earlier write failed"));
  return false;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_code_point));
}

std::string cut(std::string_view text, size_t width) {
  size_t columns = 0;
  for (size_t i = 0; i < text.size(); ++i)
    if (begins_code_point(text[i]) && ++columns > width) return std::string(text.substr(0, i));
  return std::string(text);
}

std::string aligned(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows)
    for (std::string& cell : row) cell = report::one_line(cell);
  std::vector<size_t> widths;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      if (i >= widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], columns_of(row[i]));
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace plumb::cli
