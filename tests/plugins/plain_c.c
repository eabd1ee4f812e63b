/* A plugin in C11 with nothing but the header: one gauge, plain_c_value, from an option. */
#include <plumb/abi/plugin.h>
#include <stdlib.h>
#include <string.h>

struct instance {
  const plumb_host* host;
  int64_t value;
  uint32_t series;
};

static int32_t fail(plumb_error* error, int32_t code, const char* message) {
  strncpy(error->message, message, sizeof(error->message) - 1);
  return code;
}

static int32_t create(const plumb_host* host, void** self, plumb_error* error) {
  struct instance* made = calloc(1, sizeof(*made));
  if (made == NULL) return fail(error, PLUMB_RESOURCE_EXHAUSTED, "no memory");
  made->host = host;
  *self = made;
  return PLUMB_OK;
}

static int32_t configure(void* self, const plumb_config* config, plumb_error* error) {
  struct instance* it = self;
  const char* at = (const char*)config->values;
  uint32_t i;
  it->value = 42;
  for (i = 0; i < config->value_count; ++i) {
    const plumb_value* value = (const plumb_value*)at;
    if (strcmp(value->key, "value") == 0) it->value = value->integer;
    at += value->struct_size;
  }
  if (it->value < 0) return fail(error, PLUMB_INVALID_ARGUMENT, "value: must not be negative");
  return PLUMB_OK;
}

static int32_t start(void* self, plumb_error* error) {
  struct instance* it = self;
  const plumb_label labels[] = {{"written_in", "C"}};
  plumb_series series;
  memset(&series, 0, sizeof(series));
  series.struct_size = sizeof(series);
  series.kind = PLUMB_KIND_GAUGE;
  series.layer = PLUMB_LAYER_APP;
  series.name = "plain_c_value";
  series.unit = "1";
  series.help = "The value of the option";
  series.label_count = 1;
  series.labels = labels;
  if (it->host->declare_series(it->host->context, &series, &it->series) != PLUMB_OK) {
    return fail(error, PLUMB_INTERNAL, "the host refused the series");
  }
  return PLUMB_OK;
}

static int32_t collect(void* self, plumb_error* error) {
  struct instance* it = self;
  plumb_sample sample;
  memset(&sample, 0, sizeof(sample));
  sample.series = it->series;
  sample.time_ns = it->host->now_ns(it->host->context);
  sample.value = (double)it->value;
  if (it->host->emit_samples(it->host->context, &sample, 1) != PLUMB_OK) {
    return fail(error, PLUMB_INTERNAL, "the host refused the sample");
  }
  return PLUMB_OK;
}

static int32_t stop(void* self, int64_t deadline_ns, plumb_error* error) {
  (void)self;
  (void)deadline_ns;
  (void)error;
  return PLUMB_OK;
}

static void destroy(void* self) { free(self); }

static const plumb_option options[] = {
    {sizeof(plumb_option), PLUMB_OPTION_INTEGER, "value", NULL, "42", "0", NULL, NULL, 0, 0,
     "What to report"},
};

static const plumb_descriptor descriptor = {sizeof(plumb_descriptor),
                                            PLUMB_ROLE_SAMPLER,
                                            "plain_c",
                                            "1.0.0",
                                            "Written in C, for tests",
                                            1,
                                            options,
                                            20000000,
                                            NULL};

static const plumb_plugin table = {sizeof(plumb_plugin),
                                   PLUMB_ABI_MINOR,
                                   0,
                                   &descriptor,
                                   create,
                                   configure,
                                   start,
                                   collect,
                                   NULL,
                                   NULL,
                                   NULL,
                                   NULL,
                                   stop,
                                   destroy,
                                   NULL};

PLUMB_EXPORT const plumb_plugin* plumb_plugin_entry_v1(void);
PLUMB_EXPORT const plumb_plugin* plumb_plugin_entry_v1(void) { return &table; }
