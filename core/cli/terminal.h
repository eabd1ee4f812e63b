// What the terminal can show. Values go to stdout, talk to stderr.
#ifndef PLUMB_CORE_CLI_TERMINAL_H_
#define PLUMB_CORE_CLI_TERMINAL_H_

#include <string>
#include <string_view>
#include <vector>

namespace plumb::cli {

enum class Color { kAuto, kAlways, kNever };

struct Terminal {
  bool color_out = false;
  bool color_err = false;
  bool tty_out = false;
  bool tty_err = false;
  bool tty_in = false;
  int width = 100;  // columns
};

// Auto: colour on a terminal, unless NO_COLOR is set or TERM is dumb.
Terminal detect_terminal(Color color);

// "plumb: " and the sentence on stderr, with a line break.
void say(std::string_view sentence);
// Writes a value to stdout.
void print(std::string_view text);
// Flushes what print() wrote. False, and said on stderr, when some of it could not be written.
bool finish_output();

// How many columns UTF-8 text takes, one for each code point.
size_t columns_of(std::string_view text);
// Rows as aligned columns with two blanks between; the last column is not padded. What a terminal
// would obey in a cell is replaced.
std::string aligned(std::vector<std::vector<std::string>> rows);
// At most `width` columns.
std::string cut(std::string_view text, size_t width);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_TERMINAL_H_
