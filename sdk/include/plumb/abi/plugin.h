/* The plumb plugin boundary, ABI major 1. C11; no C++ type, exception or allocation crosses it.
 *
 * A plugin is a shared library that exports one function, plumb_plugin_entry_v1, which returns a
 * constant-initialised table. Every instance lives in a process of its own (plumb-host), so a
 * plugin may block, leak or crash without harm to the run.
 *
 * Rules that hold for the whole header:
 *  - Structs that may grow begin with struct_size (bytes, as the side that filled them knew it)
 *    and grow only at the end. A reader looks at struct_size before any other field and treats
 *    fields beyond it as zero. In an array of such structs every element has the same
 *    struct_size, which is the stride.
 *  - Strings are UTF-8, NUL-terminated, and borrowed for the duration of the call, except those
 *    in the entry's table, which live as long as the library is loaded.
 *  - Times are nanoseconds of CLOCK_MONOTONIC; durations are nanoseconds; sizes are bytes;
 *    ratios are 0 to 1.
 *  - [control] means: called on the host's control thread, never at the same time as another
 *    [control] or [work] function of the same instance. [work] means: called on the host's work
 *    thread; only `interrupt` may be called meanwhile. [any] means: callable on any thread.
 *
 * Order of calls, enforced by the host:
 *    create -> configure -> start -> (collect | stage)* or drive or analyze -> stop -> destroy
 * stop is legal without start and is idempotent; destroy is legal after create in any state.
 */
#ifndef PLUMB_ABI_PLUGIN_H_
#define PLUMB_ABI_PLUGIN_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLUMB_ABI_MAJOR 1
#define PLUMB_ABI_MINOR 0
#define PLUMB_ENTRY_SYMBOL "plumb_plugin_entry_v1"

/* Status codes, returned as int32_t. */
enum plumb_code {
  PLUMB_OK = 0,
  PLUMB_INVALID_ARGUMENT = 1,  /* the plan or an argument is wrong: final */
  PLUMB_UNAVAILABLE = 2,       /* the thing watched does not answer now: may pass */
  PLUMB_PERMISSION_DENIED = 3, /* a privilege is missing: the message says which */
  PLUMB_NOT_FOUND = 4,
  PLUMB_DEADLINE_EXCEEDED = 5,
  PLUMB_RESOURCE_EXHAUSTED = 6, /* a limit of the host was hit: the signal is dropped and counted */
  PLUMB_UNSUPPORTED = 7,
  PLUMB_CANCELLED = 8,
  PLUMB_INTERNAL = 9
};

enum plumb_role { PLUMB_ROLE_SAMPLER = 1, PLUMB_ROLE_LOAD = 2, PLUMB_ROLE_ANALYZER = 3 };

enum plumb_layer {
  PLUMB_LAYER_NONE = 0,
  PLUMB_LAYER_CLIENT = 1,
  PLUMB_LAYER_NETWORK = 2,
  PLUMB_LAYER_APP = 3,
  PLUMB_LAYER_DATABASE = 4,
  PLUMB_LAYER_DOWNSTREAM = 5,
  PLUMB_LAYER_HOST = 6
};

enum plumb_kind {
  PLUMB_KIND_COUNTER = 1, /* never falls, but for a restart of what it counts */
  PLUMB_KIND_GAUGE = 2,
  PLUMB_KIND_HISTOGRAM = 3 /* emitted with emit_histogram only */
};

/* What a series says of its resource: its part in the USE method, or in the time of a request. */
enum plumb_part {
  PLUMB_PART_NONE = 0,
  PLUMB_PART_UTILISATION = 1,
  PLUMB_PART_SATURATION = 2,
  PLUMB_PART_ERRORS = 3,
  PLUMB_PART_WAIT = 4, /* seconds waited (counter), or how many wait (gauge) */
  PLUMB_PART_BUSY = 5  /* seconds worked (counter), or how many work (gauge) */
};

enum plumb_option_type {
  PLUMB_OPTION_STRING = 1,
  PLUMB_OPTION_INTEGER = 2,
  PLUMB_OPTION_NUMBER = 3,
  PLUMB_OPTION_BOOLEAN = 4,
  PLUMB_OPTION_DURATION = 5, /* written 100ms, 5s, 2m; carried as integer nanoseconds */
  PLUMB_OPTION_SIZE = 6,     /* written 64KiB, 10MB; carried as integer bytes */
  PLUMB_OPTION_PATH = 7      /* relative to the working directory of plumb */
};

enum plumb_health {
  PLUMB_HEALTH_OK = 1,
  PLUMB_HEALTH_DEGRADED = 2, /* part of what it watches is missing: the message says what */
  PLUMB_HEALTH_DARK = 3      /* nothing can be seen now */
};

enum plumb_level { PLUMB_DEBUG = 1, PLUMB_INFO = 2, PLUMB_WARNING = 3, PLUMB_ERROR = 4 };

enum plumb_stage_kind {
  PLUMB_STAGE_WARMUP = 1, /* discarded */
  PLUMB_STAGE_STEADY = 2,
  PLUMB_STAGE_COOLDOWN = 3, /* discarded; no load */
  PLUMB_STAGE_RAMP = 4,     /* the load goes from one level to another */
  PLUMB_STAGE_SPIKE = 5     /* a burst */
};

/* Filled by a plugin function that returns another code than PLUMB_OK. The memory is the host's. */
typedef struct plumb_error {
  uint32_t struct_size;
  char message[1024]; /* what was wrong, where, and what to do; NUL-terminated */
} plumb_error;

/* One option that a plugin takes under plugins.<name> in a plan. */
typedef struct plumb_option {
  uint32_t struct_size;
  uint32_t type; /* enum plumb_option_type */
  const char* key;
  const char* unit;          /* or NULL */
  const char* default_value; /* as a user would write it, or NULL for none */
  const char* minimum;       /* as a user would write it, or NULL */
  const char* maximum;       /* as a user would write it, or NULL */
  const char* const* one_of; /* NULL-terminated list of allowed strings, or NULL */
  uint32_t required;         /* 0 or 1 */
  uint32_t secret;           /* 0 or 1: redacted in run files, logs and reports */
  const char* help;          /* one sentence */
} plumb_option;

typedef struct plumb_value {
  uint32_t struct_size;
  uint32_t type; /* enum plumb_option_type: which of the fields below holds it */
  const char* key;
  const char* string; /* STRING, PATH */
  int64_t integer;    /* INTEGER, BOOLEAN (0, 1), DURATION (ns), SIZE (bytes) */
  double number;      /* NUMBER */
} plumb_value;

/* What an instance is configured with. Options that the plan leaves out and that have no default
 * are absent. */
typedef struct plumb_config {
  uint32_t struct_size;
  uint32_t value_count;
  const plumb_value* values;
  /* JSON object: {"run":{"id","name"}, "target":{"url","host","port","process":{...}},
   * "load":{...} (role load only), "options":{...}}. */
  const char* document;
} plumb_config;

typedef struct plumb_label {
  const char* name;
  const char* value;
} plumb_label; /* frozen: never grows */

/* One series, declared once before its first sample. */
typedef struct plumb_series {
  uint32_t struct_size;
  uint32_t kind;    /* enum plumb_kind */
  uint32_t layer;   /* enum plumb_layer */
  uint32_t part;    /* enum plumb_part */
  const char* name; /* [a-z][a-z0-9_]*, counters end in _total */
  const char* unit; /* seconds, bytes, ratio, requests, ... ("1" for a plain count) */
  const char* help; /* one sentence for people */
  uint32_t label_count;
  const plumb_label* labels;
  /* The ledger line that this series feeds, such as "database.cache", or NULL. A counter in
   * seconds adds its growth; a gauge counts requests that are there at an instant (Little's law
   * turns it into seconds). */
  const char* ledger_line;
  /* For a utilisation gauge of a serial resource (one worker, a pool, a lock): its name for
   * people, such as "a pool connection"; a residual beside it is queueing for it. Or NULL. */
  const char* resource;
} plumb_series;

typedef struct plumb_sample {
  uint32_t series;
  uint32_t reserved; /* zero */
  int64_t time_ns;   /* per series never smaller than the one before */
  double value;      /* finite */
} plumb_sample;      /* frozen: never grows */

typedef struct plumb_bucket {
  uint32_t index; /* see plumb/histogram.hpp for the layout */
  uint32_t reserved;
  uint64_t count;
} plumb_bucket; /* frozen: never grows */

/* What happened in [start_ns, end_ns), as log-linear (HDR) buckets of nanoseconds (or of bytes). */
typedef struct plumb_histogram {
  uint32_t struct_size;
  uint32_t series;
  int64_t start_ns;
  int64_t end_ns;
  uint32_t precision_bits; /* 2 to 14: each octave has 2^precision_bits buckets */
  uint32_t bucket_count;   /* buckets with a count above zero, ascending by index */
  const plumb_bucket* buckets;
  uint64_t sum; /* exact sum of the values */
  uint64_t minimum;
  uint64_t maximum;
} plumb_histogram;

typedef struct plumb_event {
  uint32_t struct_size;
  uint32_t level; /* enum plumb_level */
  int64_t time_ns;
  const char* kind;       /* kebab-case, stable */
  const char* message;    /* one sentence for people */
  const char* attributes; /* JSON object, or NULL */
} plumb_event;

/* A table for people, replacing an earlier one of the same name. */
typedef struct plumb_table {
  uint32_t struct_size;
  int64_t time_ns;
  const char* name; /* such as pg_statements */
  /* JSON: {"title": "...", "columns": [{"key","title","unit"?}], "rows": [[...], ...]}; cells are
   * strings, numbers or null; at most 1,000 rows and 1 MiB. */
  const char* json;
} plumb_table;

typedef struct plumb_stage {
  uint32_t struct_size;
  uint32_t kind; /* enum plumb_stage_kind */
  const char* name;
  int64_t start_ns;
  int64_t end_ns;
} plumb_stage;

/* What the host offers an instance; valid from create until destroy returns. All functions are
 * [any], never block for longer than it takes to hand bytes to the engine, and copy what they are
 * given. Those that return int32_t return an enum plumb_code. */
typedef struct plumb_host {
  uint32_t struct_size;
  uint32_t abi_minor;
  void* context; /* passed back as the first argument */
  int64_t (*now_ns)(void* context);
  int32_t (*declare_series)(void* context, const plumb_series* series, uint32_t* id);
  int32_t (*emit_samples)(void* context, const plumb_sample* samples, size_t count);
  int32_t (*emit_histogram)(void* context, const plumb_histogram* histogram);
  int32_t (*emit_event)(void* context, const plumb_event* event);
  int32_t (*emit_table)(void* context, const plumb_table* table);
  void (*set_health)(void* context, uint32_t health, const char* message);
  void (*log)(void* context, uint32_t level, const char* message);
  const void* (*get_extension)(void* context, const char* id); /* NULL when unknown */
} plumb_host;

typedef struct plumb_descriptor {
  uint32_t struct_size;
  uint32_t role;       /* enum plumb_role */
  const char* name;    /* [a-z][a-z0-9_]*, the key under plugins: in a plan */
  const char* version; /* semantic version */
  const char* summary; /* one sentence */
  uint32_t option_count;
  const plumb_option* options;
  int64_t default_interval_ns; /* samplers: time between two collects unless the plan says */
  const char* const* needs;    /* NULL-terminated: "network", "proc", "subprocess"; or NULL */
} plumb_descriptor;

/* The functions of an instance. `self` is what create gave. Those that return int32_t return an
 * enum plumb_code and fill `error` (never NULL) when it is not PLUMB_OK. */
typedef struct plumb_plugin {
  uint32_t struct_size;
  uint32_t abi_minor;        /* the minor it was built against */
  uint32_t least_host_minor; /* the host must have at least this minor */
  const plumb_descriptor* descriptor;

  /* [control] Makes an instance; no I/O. */
  int32_t (*create)(const plumb_host* host, void** self, plumb_error* error);
  /* [control] Takes the options; may check what it is going to watch (5 s at most). */
  int32_t (*configure)(void* self, const plumb_config* config, plumb_error* error);
  /* [work] Opens what it needs. From here on signals may be emitted. */
  int32_t (*start)(void* self, plumb_error* error);
  /* [work] Sampler: one sample of everything due. */
  int32_t (*collect)(void* self, plumb_error* error);
  /* [work] Sampler: a stage has begun; brackets of expensive reads belong here. Or NULL. */
  int32_t (*stage)(void* self, const plumb_stage* stage, plumb_error* error);
  /* [work] Load: drives the target through the stages; returns after the last or on interrupt. */
  int32_t (*drive)(void* self, const plumb_stage* stages, uint32_t count, plumb_error* error);
  /* [work] Analyzer: JSON in, JSON out through `result`, which copies. */
  int32_t (*analyze)(void* self, const char* json, void (*result)(void* context, const char* json),
                     void* context, plumb_error* error);
  /* [any] Asks collect, drive or analyze to return soon. Must not block. Or NULL. */
  void (*interrupt)(void* self);
  /* [work] Emits what is left and closes; has until deadline_ns. */
  int32_t (*stop)(void* self, int64_t deadline_ns, plumb_error* error);
  /* [control] Frees the instance. */
  void (*destroy)(void* self);
  /* [any] A named extension of the plugin, or NULL. */
  const void* (*get_extension)(void* self, const char* id);
} plumb_plugin;

/* The one export. Runs no code of consequence: it returns the address of a constant table. */
typedef const plumb_plugin* (*plumb_plugin_entry_fn)(void);

#if defined(__GNUC__)
#define PLUMB_EXPORT __attribute__((visibility("default")))
#else
#define PLUMB_EXPORT
#endif

#ifdef __cplusplus
}
#endif

#endif /* PLUMB_ABI_PLUGIN_H_ */
