/* An extension of the host: rests of a sampler. A plugin finds it with
 * host->get_extension(host->context, PLUMB_REST_EXTENSION); a host without it gives NULL and calls
 * collect at every interval. The rules at the head of plumb/abi/plugin.h hold here too. */
#ifndef PLUMB_ABI_REST_H_
#define PLUMB_ABI_REST_H_

#include <plumb/abi/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLUMB_REST_EXTENSION "plumb.rest.v1"

/* What get_extension points at; valid as long as the plumb_host. */
typedef struct plumb_rest_host {
  uint32_t struct_size;
  uint32_t reserved; /* zero */
  /* [any] Within collect: nothing is worth a look before `until_ns`. The next collect is the first
   * of the schedule that is not before that, nor more than a second away; those passed over count
   * neither as skipped nor as late. The last call counts. It holds for one rest, and a stage that
   * begins ends it. Called outside of collect it counts when the next collect returns. `context` is
   * plumb_host.context. */
  void (*rest_until)(void* context, int64_t until_ns);
} plumb_rest_host;

#ifdef __cplusplus
}
#endif

#endif /* PLUMB_ABI_REST_H_ */
