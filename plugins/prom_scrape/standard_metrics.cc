#include "plugins/prom_scrape/standard_metrics.h"

#include <algorithm>

#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

constexpr size_t kMostInstanceBytes = 100;

using enum Quantity;
constexpr Scope kApp = Scope::kApp;
constexpr Scope kDatabase = Scope::kDatabase;
constexpr Scope kDownstream = Scope::kDownstream;

constexpr const char* kMicrometer = "Micrometer";
constexpr const char* kHikari = "HikariCP through Micrometer";
constexpr const char* kHikariOwn = "HikariCP's own tracker";
constexpr const char* kGoSql = "Go client: sql.DBStats";
constexpr const char* kGoSqlStats = "Go sqlstats";
constexpr const char* kGorm = "GORM";
constexpr const char* kPgxPool = "pgxpool collector";
constexpr const char* kOtelOld = "OpenTelemetry, db.client.connections";
constexpr const char* kOtel = "OpenTelemetry, db.client.connection";
constexpr const char* kNodePg = "node-postgres exporter";
constexpr const char* kPrisma = "Prisma";
constexpr const char* kSqlAlchemy = "SQLAlchemy exporters";
constexpr const char* kJdbc = "Tomcat JDBC or DBCP through Micrometer";
constexpr const char* kR2dbc = "R2DBC through Micrometer";
constexpr const char* kAgroal = "Quarkus Agroal";
constexpr const char* kMongo = "MongoDB driver through Micrometer";
constexpr const char* kHttpClient = "Apache HttpClient through Micrometer";
constexpr const char* kReactorNetty = "Reactor Netty";
constexpr const char* kTomcat = "Tomcat through Micrometer";
constexpr const char* kJetty = "Jetty through Micrometer";
constexpr const char* kExecutor = "Java executors through Micrometer";
constexpr const char* kPhpFpm = "php-fpm exporter";
constexpr const char* kPuma = "Puma exporter";
constexpr const char* kDotnet = ".NET runtime";
constexpr const char* kNode = "Node prom-client";

constexpr const char* kOtelPool = "pool_name";
constexpr const char* kOtelState = "state";
constexpr const char* kOtelNewPool = "db_client_connection_pool_name";
constexpr const char* kOtelNewState = "db_client_connection_state";

constexpr StandardMetric kRows[] = {
    // Requests being answered.
    {"http_server_active_requests", kRequestsInFlight, kApp, "OpenTelemetry, ASP.NET, Quarkus"},
    {"http_server_requests_active_seconds_active_count", kRequestsInFlight, kApp, "Spring Boot"},
    {"http_server_requests_active_seconds_gcount", kRequestsInFlight, kApp, "Spring Boot"},
    {"http_server_requests_in_flight", kRequestsInFlight, kApp, "by convention"},
    {"http_requests_in_flight", kRequestsInFlight, kApp, "by convention"},
    {"http_requests_in_progress", kRequestsInFlight, kApp, "prometheus-net"},
    {"http_requests_inprogress", kRequestsInFlight, kApp, "FastAPI instrumentator"},
    {"starlette_requests_in_progress", kRequestsInFlight, kApp, "Starlette exporter"},
    {"http_in_flight_requests", kRequestsInFlight, kApp, "by convention"},
    {"in_flight_requests", kRequestsInFlight, kApp, "Go client's example"},
    {"jetty_requests_active", kRequestsInFlight, kApp, kJetty},

    // Pools of connections to a database.
    {"hikaricp_connections_active", kPoolInUse, kDatabase, kHikari, 1, "pool"},
    {"hikaricp_connections_idle", kPoolIdle, kDatabase, kHikari, 1, "pool"},
    {"hikaricp_connections_max", kPoolLimit, kDatabase, kHikari, 1, "pool"},
    {"hikaricp_connections_pending", kPoolWaiting, kDatabase, kHikari, 1, "pool"},
    {"hikaricp_connections_acquire_seconds_sum", kPoolWaitSeconds, kDatabase, kHikari, 1, "pool"},
    {"hikaricp_active_connections", kPoolInUse, kDatabase, kHikariOwn, 1, "pool"},
    {"hikaricp_idle_connections", kPoolIdle, kDatabase, kHikariOwn, 1, "pool"},
    {"hikaricp_max_connections", kPoolLimit, kDatabase, kHikariOwn, 1, "pool"},
    {"hikaricp_pending_threads", kPoolWaiting, kDatabase, kHikariOwn, 1, "pool"},
    {"hikaricp_connection_acquired_nanos_sum", kPoolWaitSeconds, kDatabase, kHikariOwn, 1e-9,
     "pool"},
    {"go_sql_in_use_connections", kPoolInUse, kDatabase, kGoSql, 1, "db_name"},
    {"go_sql_idle_connections", kPoolIdle, kDatabase, kGoSql, 1, "db_name"},
    {"go_sql_open_connections", kPoolSize, kDatabase, kGoSql, 1, "db_name"},
    {"go_sql_max_open_connections", kPoolLimit, kDatabase, kGoSql, 1, "db_name"},
    {"go_sql_wait_duration_seconds_total", kPoolWaitSeconds, kDatabase, kGoSql, 1, "db_name"},
    {"go_sql_stats_connections_in_use", kPoolInUse, kDatabase, kGoSqlStats, 1, "db_name"},
    {"go_sql_stats_connections_idle", kPoolIdle, kDatabase, kGoSqlStats, 1, "db_name"},
    {"go_sql_stats_connections_max_open", kPoolLimit, kDatabase, kGoSqlStats, 1, "db_name"},
    {"go_sql_stats_connections_blocked_seconds", kPoolWaitSeconds, kDatabase, kGoSqlStats, 1,
     "db_name"},
    {"gorm_dbstats_in_use", kPoolInUse, kDatabase, kGorm, 1, "db_name"},
    {"gorm_dbstats_idle", kPoolIdle, kDatabase, kGorm, 1, "db_name"},
    {"gorm_dbstats_max_open_connections", kPoolLimit, kDatabase, kGorm, 1, "db_name"},
    {"gorm_dbstats_wait_duration", kPoolWaitSeconds, kDatabase, kGorm, 1e-9, "db_name"},
    {"pgxpool_acquired_conns", kPoolInUse, kDatabase, kPgxPool, 1, "db_name"},
    {"pgxpool_idle_conns", kPoolIdle, kDatabase, kPgxPool, 1, "db_name"},
    {"pgxpool_max_conns", kPoolLimit, kDatabase, kPgxPool, 1, "db_name"},
    {"pgxpool_acquire_duration_seconds_total", kPoolWaitSeconds, kDatabase, kPgxPool, 1, "db_name"},
    {"pgxpool_acquire_duration_ns", kPoolWaitSeconds, kDatabase, kPgxPool, 1e-9, "db_name"},
    {"db_client_connections_usage", kPoolInUse, kDatabase, kOtelOld, 1, kOtelPool, kOtelState,
     "used"},
    {"db_client_connections_usage", kPoolIdle, kDatabase, kOtelOld, 1, kOtelPool, kOtelState,
     "idle"},
    {"db_client_connections_max", kPoolLimit, kDatabase, kOtelOld, 1, kOtelPool},
    {"db_client_connections_pending_requests", kPoolWaiting, kDatabase, kOtelOld, 1, kOtelPool},
    {"db_client_connections_wait_time_milliseconds_sum", kPoolWaitSeconds, kDatabase, kOtelOld,
     1e-3, kOtelPool},
    {"db_client_connection_count", kPoolInUse, kDatabase, kOtel, 1, kOtelNewPool, kOtelNewState,
     "used"},
    {"db_client_connection_count", kPoolIdle, kDatabase, kOtel, 1, kOtelNewPool, kOtelNewState,
     "idle"},
    {"db_client_connection_max", kPoolLimit, kDatabase, kOtel, 1, kOtelNewPool},
    {"db_client_connection_pending_requests", kPoolWaiting, kDatabase, kOtel, 1, kOtelNewPool},
    {"db_client_connection_wait_time_seconds_sum", kPoolWaitSeconds, kDatabase, kOtel, 1,
     kOtelNewPool},
    {"pg_pool_active_connections", kPoolInUse, kDatabase, kNodePg, 1, "database"},
    {"pg_pool_idle_connections", kPoolIdle, kDatabase, kNodePg, 1, "database"},
    {"pg_pool_total_connections", kPoolSize, kDatabase, kNodePg, 1, "database"},
    {"pg_pool_size", kPoolSize, kDatabase, kNodePg, 1, "database"},
    {"pg_pool_max", kPoolLimit, kDatabase, kNodePg, 1, "database"},
    {"pg_pool_max_connections", kPoolLimit, kDatabase, kNodePg, 1, "database"},
    {"pg_pool_waiting_connections", kPoolWaiting, kDatabase, kNodePg, 1, "database"},
    {"pg_pool_waiting_requests", kPoolWaiting, kDatabase, kNodePg, 1, "database"},
    {"pg_pool_waiting_clients", kPoolWaiting, kDatabase, kNodePg, 1, "database"},
    {"prisma_pool_connections_busy", kPoolInUse, kDatabase, kPrisma},
    {"prisma_pool_connections_idle", kPoolIdle, kDatabase, kPrisma},
    {"prisma_client_queries_wait", kPoolWaiting, kDatabase, kPrisma},
    {"prisma_client_queries_wait_histogram_ms_sum", kPoolWaitSeconds, kDatabase, kPrisma, 1e-3},
    {"sqlalchemy_pool_checkedout", kPoolInUse, kDatabase, kSqlAlchemy},
    {"sqlalchemy_pool_checked_out", kPoolInUse, kDatabase, kSqlAlchemy},
    {"sqlalchemy_pool_checkedin", kPoolIdle, kDatabase, kSqlAlchemy},
    {"jdbc_connections_active", kPoolInUse, kDatabase, kJdbc, 1, "name"},
    {"jdbc_connections_idle", kPoolIdle, kDatabase, kJdbc, 1, "name"},
    {"jdbc_connections_max", kPoolLimit, kDatabase, kJdbc, 1, "name"},
    {"r2dbc_pool_acquired_connections", kPoolInUse, kDatabase, kR2dbc, 1, "name"},
    {"r2dbc_pool_idle_connections", kPoolIdle, kDatabase, kR2dbc, 1, "name"},
    {"r2dbc_pool_max_allocated_connections", kPoolLimit, kDatabase, kR2dbc, 1, "name"},
    {"r2dbc_pool_pending_connections", kPoolWaiting, kDatabase, kR2dbc, 1, "name"},
    {"agroal_active_count", kPoolInUse, kDatabase, kAgroal, 1, "datasource"},
    {"agroal_awaiting_count", kPoolWaiting, kDatabase, kAgroal, 1, "datasource"},
    {"agroal_blocking_time_total_milliseconds", kPoolWaitSeconds, kDatabase, kAgroal, 1e-3,
     "datasource"},
    {"mongodb_driver_pool_checkedout", kPoolInUse, kDatabase, kMongo, 1, "server_address"},
    {"mongodb_driver_pool_size", kPoolSize, kDatabase, kMongo, 1, "server_address"},
    {"mongodb_driver_pool_waitqueuesize", kPoolWaiting, kDatabase, kMongo, 1, "server_address"},

    // Pools of connections to other services.
    {"httpcomponents_httpclient_pool_total_connections", kPoolInUse, kDownstream, kHttpClient, 1,
     "httpclient", kOtelState, "leased"},
    {"httpcomponents_httpclient_pool_total_max", kPoolLimit, kDownstream, kHttpClient, 1,
     "httpclient"},
    {"httpcomponents_httpclient_pool_total_pending", kPoolWaiting, kDownstream, kHttpClient, 1,
     "httpclient"},
    {"reactor_netty_connection_provider_active_connections", kPoolInUse, kDownstream, kReactorNetty,
     1, "name"},
    {"reactor_netty_connection_provider_max_connections", kPoolLimit, kDownstream, kReactorNetty, 1,
     "name"},
    {"reactor_netty_connection_provider_pending_connections", kPoolWaiting, kDownstream,
     kReactorNetty, 1, "name"},

    // Threads and processes that serve requests.
    {"tomcat_threads_busy_threads", kWorkersBusy, kApp, kTomcat, 1, "name"},
    {"tomcat_threads_busy", kWorkersBusy, kApp, kTomcat, 1, "name"},
    {"tomcat_threads_config_max_threads", kWorkersLimit, kApp, kTomcat, 1, "name"},
    {"tomcat_threads_config_max", kWorkersLimit, kApp, kTomcat, 1, "name"},
    {"jetty_threads_busy", kWorkersBusy, kApp, kJetty},
    {"jetty_threads_config_max", kWorkersLimit, kApp, kJetty},
    {"jetty_threads_jobs", kWorkersWaiting, kApp, kJetty},
    {"executor_active_threads", kWorkersBusy, kApp, kExecutor, 1, "name"},
    {"executor_pool_max_threads", kWorkersLimit, kApp, kExecutor, 1, "name"},
    {"executor_queued_tasks", kWorkersWaiting, kApp, kExecutor, 1, "name"},
    {"phpfpm_active_processes", kWorkersBusy, kApp, kPhpFpm, 1, "pool"},
    {"phpfpm_listen_queue", kWorkersWaiting, kApp, kPhpFpm, 1, "pool"},
    {"puma_max_threads", kWorkersLimit, kApp, kPuma},
    {"puma_backlog", kWorkersWaiting, kApp, kPuma},
    {"dotnet_thread_pool_queue_length_work_items", kWorkersWaiting, kApp, kDotnet},

    // Caches.
    {"cache_gets_total", kCacheHits, kApp, kMicrometer, 1, "cache", "result", "hit"},
    {"cache_gets_total", kCacheMisses, kApp, kMicrometer, 1, "cache", "result", "miss"},
    {"cache_hits_total", kCacheHits, kApp, "by convention", 1, "cache"},
    {"cache_misses_total", kCacheMisses, kApp, "by convention", 1, "cache"},
    {"caffeine_cache_hit_total", kCacheHits, kApp, "Caffeine", 1, "cache"},
    {"caffeine_cache_miss_total", kCacheMisses, kApp, "Caffeine", 1, "cache"},
    {"guava_cache_hit_total", kCacheHits, kApp, "Guava", 1, "cache"},
    {"guava_cache_miss_total", kCacheMisses, kApp, "Guava", 1, "cache"},
    {"django_cache_get_hits_total", kCacheHits, kApp, "Django", 1, "backend"},
    {"django_cache_get_misses_total", kCacheMisses, kApp, "Django", 1, "backend"},
    {"hibernate_second_level_cache_requests_total", kCacheHits, kApp,
     "Hibernate through Micrometer", 1, "region", "result", "hit"},
    {"hibernate_second_level_cache_requests_total", kCacheMisses, kApp,
     "Hibernate through Micrometer", 1, "region", "result", "miss"},

    // Garbage collection.
    {"jvm_gc_pause_seconds_sum", kGcSeconds, kApp, kMicrometer},
    {"jvm_gc_collection_seconds_sum", kGcSeconds, kApp, "Java client"},
    {"jvm_gc_duration_seconds_sum", kGcSeconds, kApp, "OpenTelemetry"},
    {"process_runtime_jvm_gc_duration_milliseconds_sum", kGcSeconds, kApp, "OpenTelemetry", 1e-3},
    {"nodejs_gc_duration_seconds_sum", kGcSeconds, kApp, kNode},
    {"go_gc_duration_seconds_sum", kGcSeconds, kApp, "Go client"},
    {"dotnet_gc_pause_time_seconds_total", kGcSeconds, kApp, kDotnet},
    {"process_runtime_dotnet_gc_duration_nanoseconds_total", kGcSeconds, kApp, "OpenTelemetry",
     1e-9},

    // How late an event loop's timers are.
    {"nodejs_eventloop_lag_seconds", kEventLoopLag, kApp, kNode},
    {"nodejs_eventloop_lag_mean_seconds", kEventLoopLag, kApp, kNode},
    {"nodejs_eventloop_delay_mean_seconds", kEventLoopLag, kApp, "OpenTelemetry"},
};

const std::string* value_of(const MetricLabels& labels, std::string_view name) {
  for (const auto& [label, value] : labels)
    if (label == name) return &value;
  return nullptr;
}

}  // namespace

std::span<const StandardMetric> standard_metrics() { return kRows; }

std::optional<size_t> recognise(std::string_view sample, const MetricLabels& labels) {
  for (size_t i = 0; i < std::size(kRows); ++i) {
    const StandardMetric& row = kRows[i];
    if (sample != row.sample) continue;
    if (row.only_label == nullptr) return i;
    const std::string* value = value_of(labels, row.only_label);
    if (value != nullptr && *value == row.only_value) return i;
  }
  return std::nullopt;
}

std::string instance_of(const StandardMetric& row, const MetricLabels& labels) {
  const std::string* value = row.instance == nullptr ? nullptr : value_of(labels, row.instance);
  return value == nullptr || value->empty() ? "default" : plain_text(*value, kMostInstanceBytes);
}

}  // namespace plumb::prom_scrape
