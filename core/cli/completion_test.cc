#include "core/cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Completion : public testing::Test {
 protected:
  Completion() {
    CLI::App* run = app_.add_subcommand("run", "Run it's plan");
    run->add_option("PLAN", text_, "The plan");
    run->add_option("-f,--format", text_, "The form")->check(CLI::IsMember({"console", "json"}));
    run->add_flag("--quiet", flag_, "Quiet");
    app_.add_subcommand("plugin", "Plugins")->add_subcommand("info", "About one");
    app_.add_subcommand("docs", "Hidden")->group("");
  }
  CLI::App app_{"plumb", "plumb"};
  std::string text_;
  bool flag_ = false;
};

TEST_F(Completion, EveryCommandIsThereAndHiddenOnesAreNot) {
  std::vector<std::string> paths;
  for (const CompletionCommand& command : completion_commands(app_)) paths.push_back(command.path);
  EXPECT_THAT(paths, ElementsAre("plumb", "plumb run", "plumb plugin", "plumb plugin info"));
}

TEST_F(Completion, OptionsKnowTheirChoicesAndWhetherTheyTakeAValue) {
  const auto commands = completion_commands(app_);
  const CompletionCommand& run = commands[1];
  EXPECT_TRUE(run.takes_files);
  bool seen = false;
  for (const CompletionOption& option : run.options) {
    if (option.names.back() == "--quiet") {
      EXPECT_FALSE(option.takes_value);
    }
    if (option.names.back() != "--format") continue;
    seen = true;
    EXPECT_THAT(option.names, ElementsAre("-f", "--format"));
    EXPECT_THAT(option.choices, ElementsAre("console", "json"));
    EXPECT_TRUE(option.takes_value);
  }
  EXPECT_TRUE(seen);
}

TEST_F(Completion, ScriptsOfferCommandsOptionsAndChoices) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(app_, shell);
    EXPECT_THAT(script, HasSubstr("plumb plugin info")) << shell;
    EXPECT_THAT(script, HasSubstr("console json")) << shell;
    EXPECT_THAT(script, Not(HasSubstr("docs"))) << shell;
  }
}

}  // namespace
}  // namespace plumb::cli
