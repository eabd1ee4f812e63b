/* The layout of every struct of the boundary, as lists that C and C++ both expand:
 * PLUMB_STRUCT(name) begins one, PLUMB_FIELD(name, field) follows for each of its fields in order.
 * There is one list for plumb/abi/plugin.h and one for each extension's header.
 */
#define PLUMB_ABI_LAYOUT                             \
  PLUMB_STRUCT(plumb_error)                          \
  PLUMB_FIELD(plumb_error, struct_size)              \
  PLUMB_FIELD(plumb_error, message)                  \
  PLUMB_STRUCT(plumb_option)                         \
  PLUMB_FIELD(plumb_option, struct_size)             \
  PLUMB_FIELD(plumb_option, type)                    \
  PLUMB_FIELD(plumb_option, key)                     \
  PLUMB_FIELD(plumb_option, unit)                    \
  PLUMB_FIELD(plumb_option, default_value)           \
  PLUMB_FIELD(plumb_option, minimum)                 \
  PLUMB_FIELD(plumb_option, maximum)                 \
  PLUMB_FIELD(plumb_option, one_of)                  \
  PLUMB_FIELD(plumb_option, required)                \
  PLUMB_FIELD(plumb_option, secret)                  \
  PLUMB_FIELD(plumb_option, help)                    \
  PLUMB_STRUCT(plumb_value)                          \
  PLUMB_FIELD(plumb_value, struct_size)              \
  PLUMB_FIELD(plumb_value, type)                     \
  PLUMB_FIELD(plumb_value, key)                      \
  PLUMB_FIELD(plumb_value, string)                   \
  PLUMB_FIELD(plumb_value, integer)                  \
  PLUMB_FIELD(plumb_value, number)                   \
  PLUMB_STRUCT(plumb_config)                         \
  PLUMB_FIELD(plumb_config, struct_size)             \
  PLUMB_FIELD(plumb_config, value_count)             \
  PLUMB_FIELD(plumb_config, values)                  \
  PLUMB_FIELD(plumb_config, document)                \
  PLUMB_STRUCT(plumb_label)                          \
  PLUMB_FIELD(plumb_label, name)                     \
  PLUMB_FIELD(plumb_label, value)                    \
  PLUMB_STRUCT(plumb_series)                         \
  PLUMB_FIELD(plumb_series, struct_size)             \
  PLUMB_FIELD(plumb_series, kind)                    \
  PLUMB_FIELD(plumb_series, layer)                   \
  PLUMB_FIELD(plumb_series, part)                    \
  PLUMB_FIELD(plumb_series, name)                    \
  PLUMB_FIELD(plumb_series, unit)                    \
  PLUMB_FIELD(plumb_series, help)                    \
  PLUMB_FIELD(plumb_series, label_count)             \
  PLUMB_FIELD(plumb_series, labels)                  \
  PLUMB_FIELD(plumb_series, ledger_line)             \
  PLUMB_FIELD(plumb_series, resource)                \
  PLUMB_STRUCT(plumb_sample)                         \
  PLUMB_FIELD(plumb_sample, series)                  \
  PLUMB_FIELD(plumb_sample, reserved)                \
  PLUMB_FIELD(plumb_sample, time_ns)                 \
  PLUMB_FIELD(plumb_sample, value)                   \
  PLUMB_STRUCT(plumb_bucket)                         \
  PLUMB_FIELD(plumb_bucket, index)                   \
  PLUMB_FIELD(plumb_bucket, reserved)                \
  PLUMB_FIELD(plumb_bucket, count)                   \
  PLUMB_STRUCT(plumb_histogram)                      \
  PLUMB_FIELD(plumb_histogram, struct_size)          \
  PLUMB_FIELD(plumb_histogram, series)               \
  PLUMB_FIELD(plumb_histogram, start_ns)             \
  PLUMB_FIELD(plumb_histogram, end_ns)               \
  PLUMB_FIELD(plumb_histogram, precision_bits)       \
  PLUMB_FIELD(plumb_histogram, bucket_count)         \
  PLUMB_FIELD(plumb_histogram, buckets)              \
  PLUMB_FIELD(plumb_histogram, sum)                  \
  PLUMB_FIELD(plumb_histogram, minimum)              \
  PLUMB_FIELD(plumb_histogram, maximum)              \
  PLUMB_STRUCT(plumb_event)                          \
  PLUMB_FIELD(plumb_event, struct_size)              \
  PLUMB_FIELD(plumb_event, level)                    \
  PLUMB_FIELD(plumb_event, time_ns)                  \
  PLUMB_FIELD(plumb_event, kind)                     \
  PLUMB_FIELD(plumb_event, message)                  \
  PLUMB_FIELD(plumb_event, attributes)               \
  PLUMB_STRUCT(plumb_table)                          \
  PLUMB_FIELD(plumb_table, struct_size)              \
  PLUMB_FIELD(plumb_table, time_ns)                  \
  PLUMB_FIELD(plumb_table, name)                     \
  PLUMB_FIELD(plumb_table, json)                     \
  PLUMB_STRUCT(plumb_stage)                          \
  PLUMB_FIELD(plumb_stage, struct_size)              \
  PLUMB_FIELD(plumb_stage, kind)                     \
  PLUMB_FIELD(plumb_stage, name)                     \
  PLUMB_FIELD(plumb_stage, start_ns)                 \
  PLUMB_FIELD(plumb_stage, end_ns)                   \
  PLUMB_STRUCT(plumb_host)                           \
  PLUMB_FIELD(plumb_host, struct_size)               \
  PLUMB_FIELD(plumb_host, abi_minor)                 \
  PLUMB_FIELD(plumb_host, context)                   \
  PLUMB_FIELD(plumb_host, now_ns)                    \
  PLUMB_FIELD(plumb_host, declare_series)            \
  PLUMB_FIELD(plumb_host, emit_samples)              \
  PLUMB_FIELD(plumb_host, emit_histogram)            \
  PLUMB_FIELD(plumb_host, emit_event)                \
  PLUMB_FIELD(plumb_host, emit_table)                \
  PLUMB_FIELD(plumb_host, set_health)                \
  PLUMB_FIELD(plumb_host, log)                       \
  PLUMB_FIELD(plumb_host, get_extension)             \
  PLUMB_STRUCT(plumb_descriptor)                     \
  PLUMB_FIELD(plumb_descriptor, struct_size)         \
  PLUMB_FIELD(plumb_descriptor, role)                \
  PLUMB_FIELD(plumb_descriptor, name)                \
  PLUMB_FIELD(plumb_descriptor, version)             \
  PLUMB_FIELD(plumb_descriptor, summary)             \
  PLUMB_FIELD(plumb_descriptor, option_count)        \
  PLUMB_FIELD(plumb_descriptor, options)             \
  PLUMB_FIELD(plumb_descriptor, default_interval_ns) \
  PLUMB_FIELD(plumb_descriptor, needs)               \
  PLUMB_STRUCT(plumb_plugin)                         \
  PLUMB_FIELD(plumb_plugin, struct_size)             \
  PLUMB_FIELD(plumb_plugin, abi_minor)               \
  PLUMB_FIELD(plumb_plugin, least_host_minor)        \
  PLUMB_FIELD(plumb_plugin, descriptor)              \
  PLUMB_FIELD(plumb_plugin, create)                  \
  PLUMB_FIELD(plumb_plugin, configure)               \
  PLUMB_FIELD(plumb_plugin, start)                   \
  PLUMB_FIELD(plumb_plugin, collect)                 \
  PLUMB_FIELD(plumb_plugin, stage)                   \
  PLUMB_FIELD(plumb_plugin, drive)                   \
  PLUMB_FIELD(plumb_plugin, analyze)                 \
  PLUMB_FIELD(plumb_plugin, interrupt)               \
  PLUMB_FIELD(plumb_plugin, stop)                    \
  PLUMB_FIELD(plumb_plugin, destroy)                 \
  PLUMB_FIELD(plumb_plugin, get_extension)

/* plumb/abi/stacks.h. Its revision counts the releases that added fields; the extension's id stays
 * as long as fields are only added. */
#define PLUMB_STACKS_REVISION 0
#define PLUMB_STACKS_LAYOUT                   \
  PLUMB_STRUCT(plumb_stack)                   \
  PLUMB_FIELD(plumb_stack, frames)            \
  PLUMB_FIELD(plumb_stack, weight)            \
  PLUMB_STRUCT(plumb_stacks)                  \
  PLUMB_FIELD(plumb_stacks, struct_size)      \
  PLUMB_FIELD(plumb_stacks, layer)            \
  PLUMB_FIELD(plumb_stacks, start_ns)         \
  PLUMB_FIELD(plumb_stacks, end_ns)           \
  PLUMB_FIELD(plumb_stacks, profile)          \
  PLUMB_FIELD(plumb_stacks, unit)             \
  PLUMB_FIELD(plumb_stacks, help)             \
  PLUMB_FIELD(plumb_stacks, stack_count)      \
  PLUMB_FIELD(plumb_stacks, reserved)         \
  PLUMB_FIELD(plumb_stacks, stacks)           \
  PLUMB_STRUCT(plumb_stacks_host)             \
  PLUMB_FIELD(plumb_stacks_host, struct_size) \
  PLUMB_FIELD(plumb_stacks_host, reserved)    \
  PLUMB_FIELD(plumb_stacks_host, emit_stacks)

/* plumb/abi/rest.h, likewise. */
#define PLUMB_REST_REVISION 0
#define PLUMB_REST_LAYOUT                   \
  PLUMB_STRUCT(plumb_rest_host)             \
  PLUMB_FIELD(plumb_rest_host, struct_size) \
  PLUMB_FIELD(plumb_rest_host, reserved)    \
  PLUMB_FIELD(plumb_rest_host, rest_until)

#ifdef __cplusplus
extern "C" {
#endif

/* One row of the list. `field` is NULL for a struct, whose size stands in `size`. */
struct plumb_layout_row {
  const char* name;
  const char* field;
  unsigned long offset;
  unsigned long size;
};

/* The lists as a C compiler lays them out, and how many rows they have. */
extern const struct plumb_layout_row plumb_layout_in_c[];
extern const unsigned long plumb_layout_in_c_rows;
extern const struct plumb_layout_row plumb_stacks_layout_in_c[];
extern const unsigned long plumb_stacks_layout_in_c_rows;
extern const struct plumb_layout_row plumb_rest_layout_in_c[];
extern const unsigned long plumb_rest_layout_in_c_rows;

#ifdef __cplusplus
}
#endif
