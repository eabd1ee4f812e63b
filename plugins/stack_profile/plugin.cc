// The plugin's entry: its option table and its one export.
#include "plugins/stack_profile/stack_profile.h"

namespace {

constexpr const char* kUnwindChoices[] = {"auto", "frame_pointer", "dwarf", nullptr};
constexpr const char* kNeeds[] = {"proc", nullptr};

constexpr plumb_option kOptions[] = {
    plumb::option({.type = PLUMB_OPTION_INTEGER,
                   .key = "frequency",
                   .unit = "Hz",
                   .default_value = "99",
                   .minimum = "7",
                   .maximum = "999",
                   .help = "Samples per second of processor time, and stacks per second of each "
                           "thread that blocks."}),
    plumb::option({.type = PLUMB_OPTION_BOOLEAN,
                   .key = "off_cpu",
                   .default_value = "true",
                   .help = "Whether to profile what threads wait for off the processor, too."}),
    plumb::option({.key = "unwind",
                   .default_value = "auto",
                   .one_of = kUnwindChoices,
                   .help = "How stacks are walked: by frame pointers (cheapest), by unwind tables "
                           "(any code), or auto: by tables where frame pointers are missing."}),
    plumb::option({.type = PLUMB_OPTION_SIZE,
                   .key = "stack_bytes",
                   .default_value = "16KiB",
                   .minimum = "1KiB",
                   .maximum = "56KiB",
                   .help = "How much of a stack is copied for walking by unwind tables."}),
    plumb::option({.type = PLUMB_OPTION_BOOLEAN,
                   .key = "kernel",
                   .default_value = "true",
                   .help = "Whether stacks show the kernel's functions, where that is allowed."}),
    plumb::option({.type = PLUMB_OPTION_INTEGER,
                   .key = "max_stacks",
                   .unit = "stacks",
                   .default_value = "10000",
                   .minimum = "100",
                   .maximum = "40000",
                   .help = "How many different stacks are kept in five seconds; more are counted "
                           "together."}),
    plumb::option({.type = PLUMB_OPTION_INTEGER,
                   .key = "max_switches",
                   .unit = "switches",
                   .default_value = "10000",
                   .minimum = "100",
                   .maximum = "1000000",
                   .help = "How many context switches per second are looked at; of a target with "
                           "more, some stretches stand for all of the time."}),
    plumb::option({.type = PLUMB_OPTION_NUMBER,
                   .key = "cpu_budget",
                   .unit = "ratio",
                   .default_value = "0.05",
                   .minimum = "0.001",
                   .maximum = "1",
                   .help = "How much of one core profiling may cost; beyond it the frequency is "
                           "lowered."}),
};

}  // namespace

PLUMB_PLUGIN(plumb::stack_profile::StackProfile,
             {.name = "stack_profile",
              .version = "0.1.0",
              .summary = "Where the target's processes spend processor time, and where they wait",
              .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]),
              .default_interval_ns = 100'000'000,
              .needs = kNeeds})
