/* The headers, compiled as C11. */
#include "sdk/check/abi_layout.h"

#include <plumb/abi/plugin.h>
#include <plumb/abi/rest.h>
#include <plumb/abi/stacks.h>
#include <stddef.h>

#define PLUMB_STRUCT(name) {#name, NULL, 0, sizeof(name)},
#define PLUMB_FIELD(name, field) \
  {#name, #field, offsetof(name, field), sizeof(((const name*)0)->field)},

const struct plumb_layout_row plumb_layout_in_c[] = {PLUMB_ABI_LAYOUT};
const unsigned long plumb_layout_in_c_rows =
    sizeof(plumb_layout_in_c) / sizeof(plumb_layout_in_c[0]);

const struct plumb_layout_row plumb_stacks_layout_in_c[] = {PLUMB_STACKS_LAYOUT};
const unsigned long plumb_stacks_layout_in_c_rows =
    sizeof(plumb_stacks_layout_in_c) / sizeof(plumb_stacks_layout_in_c[0]);

const struct plumb_layout_row plumb_rest_layout_in_c[] = {PLUMB_REST_LAYOUT};
const unsigned long plumb_rest_layout_in_c_rows =
    sizeof(plumb_rest_layout_in_c) / sizeof(plumb_rest_layout_in_c[0]);
