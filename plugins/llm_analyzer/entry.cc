// The plugin's one export.
#include "llm_analyzer.h"

namespace {

constexpr const char* kProviders[] = {"anthropic", "openai", nullptr};
constexpr plumb_option kOptions[] = {
    plumb::option({.type = PLUMB_OPTION_STRING,
                   .key = "provider",
                   .one_of = kProviders,
                   .required = true,
                   .help = "Which API to speak; openai also for compatible servers."}),
    plumb::option({.type = PLUMB_OPTION_STRING,
                   .key = "model",
                   .required = true,
                   .help = "The model's name, as the provider has it."}),
    plumb::option({.type = PLUMB_OPTION_STRING,
                   .key = "api_key",
                   .secret = true,
                   .help = "The API key, written as \"${ANTHROPIC_API_KEY}\"; not needed for a "
                           "server on this machine."}),
    plumb::option({.type = PLUMB_OPTION_STRING,
                   .key = "base_url",
                   .help = "Where the API is, if not at the provider's own address; https, or http "
                           "on this machine."}),
    plumb::option({.type = PLUMB_OPTION_INTEGER,
                   .key = "max_tokens",
                   .unit = "tokens",
                   .default_value = "1024",
                   .minimum = "64",
                   .maximum = "16384",
                   .help = "The longest answer."}),
    plumb::option({.type = PLUMB_OPTION_DURATION,
                   .key = "timeout",
                   .default_value = "30s",
                   .minimum = "100ms",
                   .maximum = "10m",
                   .help = "Time for the whole analysis, retries included."}),
};
constexpr const char* kNeeds[] = {"network", nullptr};

}  // namespace

PLUMB_PLUGIN(plumb::llm_analyzer::LlmAnalyzer,
             {.name = "llm_analyzer",
              .version = "0.1.0",
              .summary = "Has a language model explain the findings, and checks what it says",
              .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]),
              .needs = kNeeds})
