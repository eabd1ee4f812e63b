/* An extension of the host: stack profiles. A plugin finds it with
 * host->get_extension(host->context, PLUMB_STACKS_EXTENSION); a host without it gives NULL. The
 * rules at the head of plumb/abi/plugin.h hold here too. */
#ifndef PLUMB_ABI_STACKS_H_
#define PLUMB_ABI_STACKS_H_

#include <plumb/abi/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLUMB_STACKS_EXTENSION "plumb.stacks.v1"

/* One stack and what it weighs. Frames are joined by ';' from the outermost (by custom the name of
 * the process or thread) to the innermost; a ';' inside a name is to be replaced by ':'. At most
 * 256 frames and 16 KiB; the host cuts what is longer at the outer end and replaces control
 * characters. */
typedef struct plumb_stack {
  const char* frames;
  double weight; /* in the profile's unit, above zero */
} plumb_stack;   /* frozen: never grows */

/* Stacks seen in [start_ns, end_ns). Emissions of one profile add up; each stack should come once
 * per emission. At most 50,000 stacks and 3 MiB per emission. */
typedef struct plumb_stacks {
  uint32_t struct_size;
  uint32_t layer; /* enum plumb_layer */
  int64_t start_ns;
  int64_t end_ns;
  const char* profile; /* [a-z][a-z0-9_]*, such as on_cpu or off_cpu */
  const char* unit;    /* seconds, bytes, 1 */
  const char* help;    /* one sentence for people */
  uint32_t stack_count;
  uint32_t reserved; /* zero */
  const plumb_stack* stacks;
} plumb_stacks;

/* What get_extension points at; valid as long as the plumb_host. */
typedef struct plumb_stacks_host {
  uint32_t struct_size;
  uint32_t reserved; /* zero */
  /* [any] Copies what it is given. `context` is plumb_host.context. Returns an enum plumb_code:
   * INVALID_ARGUMENT for what is malformed, RESOURCE_EXHAUSTED when a limit was hit. */
  int32_t (*emit_stacks)(void* context, const plumb_stacks* stacks);
} plumb_stacks_host;

#ifdef __cplusplus
}
#endif

#endif /* PLUMB_ABI_STACKS_H_ */
