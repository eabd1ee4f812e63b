// An analyzer that gives back what it was given; "hang" makes it hang, "fail" makes it fail.
#include <unistd.h>

#include <plumb/plugin.hpp>

namespace plumb::echo_analyzer {

class EchoAnalyzer final : public Analyzer {
 public:
  using Analyzer::Analyzer;
  Result<std::string> analyze(std::string_view json) override {
    if (json == "\"hang\"") {
      while (true) ::pause();
    }
    if (json == "\"fail\"") return Status::unavailable("nothing comes to mind");
    return std::string(json);
  }
};

PLUMB_PLUGIN(EchoAnalyzer,
             {.name = "echo_analyzer", .version = "1.0.0", .summary = "Echoes, for tests"})

}  // namespace plumb::echo_analyzer
