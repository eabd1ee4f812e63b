// Whether names can be looked up under the sanitizer that a test is built with.
#ifndef PLUMB_PLUGINS_PG_STATS_LOOKUP_FOR_TESTS_H_
#define PLUMB_PLUGINS_PG_STATS_LOOKUP_FOR_TESTS_H_

namespace plumb::pg_stats {

// ThreadSanitizer crashes in the threads that the C library starts for itself (getaddrinfo_a).
#ifdef __SANITIZE_THREAD__
inline constexpr bool kCanLookUp = false;
#else
inline constexpr bool kCanLookUp = true;
#endif

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_LOOKUP_FOR_TESTS_H_
