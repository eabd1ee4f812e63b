// Completion scripts for shells, made from the tree of commands itself.
#ifndef PLUMB_CORE_CLI_COMPLETION_H_
#define PLUMB_CORE_CLI_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace plumb::cli {

struct CompletionOption {
  std::vector<std::string> names = {};    // with their dashes
  std::vector<std::string> choices = {};  // empty: any value, or none is taken
  bool takes_value = false;
  std::string help = {};
};

struct CompletionCommand {
  std::string path = {};  // "plumb plugin info"
  std::string help = {};
  std::vector<std::string> subcommands = {};
  std::vector<CompletionOption> options = {};
  bool takes_files = false;
};

// Every command that is not hidden, the root first.
std::vector<CompletionCommand> completion_commands(const CLI::App& app);

// `shell` is bash, zsh or fish.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_COMPLETION_H_
