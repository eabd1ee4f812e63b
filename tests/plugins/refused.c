/* Libraries that no host may take, one per definition. */
#include <plumb/abi/plugin.h>

#if defined(PLUMB_TEST_no_entry)

PLUMB_EXPORT int plumb_something_else(void);
PLUMB_EXPORT int plumb_something_else(void) { return 0; }

#elif defined(PLUMB_TEST_other_major)

PLUMB_EXPORT const void* plumb_plugin_entry_v2(void);
PLUMB_EXPORT const void* plumb_plugin_entry_v2(void) { return 0; }

#else

static const plumb_descriptor descriptor = {
    .struct_size = sizeof(plumb_descriptor),
    .role = PLUMB_ROLE_SAMPLER,
    .name = "refused",
    .version = "1.0.0",
    .summary = "Refused, for tests",
};

static const plumb_plugin table = {
#if defined(PLUMB_TEST_short_table)
    .struct_size = 24,
#else
    .struct_size = sizeof(plumb_plugin),
    .abi_minor = PLUMB_ABI_MINOR + 7,
    .least_host_minor = PLUMB_ABI_MINOR + 7,
#endif
    .descriptor = &descriptor,
};

PLUMB_EXPORT const plumb_plugin* plumb_plugin_entry_v1(void);
PLUMB_EXPORT const plumb_plugin* plumb_plugin_entry_v1(void) { return &table; }

#endif
