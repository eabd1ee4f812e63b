// What is said of an exception that ends the program.
#ifndef PLUMB_CORE_CLI_LAST_WORDS_H_
#define PLUMB_CORE_CLI_LAST_WORDS_H_

#include <exception>
#include <string>

namespace plumb::cli {

// A sentence: what happened, and whether a limit of the user's is behind it or a fault of plumb's.
std::string last_words(const std::exception& exception);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_LAST_WORDS_H_
