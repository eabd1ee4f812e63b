#include <memory>

#include "core/cli/command.h"
#include "core/cli/completion.h"
#include "core/session/environment.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

void add_version(CLI::App& app) {
  const auto format = std::make_shared<std::string>("console");
  CLI::App* command = add_command(app, "version", "Tell the version of plumb and of its plugin ABI",
                                  "  plumb version\n  plumb version --format json");
  command->add_option("--format", *format, "What is written to stdout")
      ->check(CLI::IsMember({"console", "json"}));
  command->callback([format] {
    const std::string abi = std::to_string(PLUMB_ABI_MAJOR) + "." + std::to_string(PLUMB_ABI_MINOR);
    const std::string version(session::version());
    print(*format == "json"
              ? nlohmann::json{{"version", version}, {"plugin_abi", abi}}.dump() + "\n"
              : "plumb " + version + " (plugin ABI " + abi + ")\n");
  });
}

void add_completion(CLI::App& app) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = add_command(app, "completion", "Write a completion script for a shell",
                                  "  source <(plumb completion bash)\n"
                                  "  plumb completion fish | source");
  command->add_option("SHELL", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([shell, &app] { print(completion_script(app, *shell)); });
}

// Writes the reference pages of docs/ that are made from tables.
void add_docs(CLI::App& app) {
  CLI::App* command = app.add_subcommand("docs", "Write a page of the documentation");
  command->group("");
  command->require_subcommand(1);
  command->add_subcommand("plan", "docs/plan.md")->callback([] { print(plan::plan_reference()); });
}

}  // namespace

void add_small_commands(CLI::App& app, Shared&) {
  add_version(app);
  add_completion(app);
  add_docs(app);
}

}  // namespace plumb::cli
