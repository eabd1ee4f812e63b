// A load driver that lets pgbench load a PostgreSQL server, and says of its transactions what
// http_load says of requests, from pgbench's own log of every transaction. So the time ledger can
// be held against what an independent client measured. The password comes from the plan's options
// and goes to pgbench through its environment.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <plumb/plugin.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace plumb::pgbench_load {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kLookNs = 20'000'000;
constexpr const char* kScripts[] = {"tpcb-like", "simple-update", "select-only", nullptr};
constexpr plumb_option kOptions[] = {
    option({.key = "program", .default_value = "pgbench", .help = "The path of pgbench"}),
    option({.key = "host", .default_value = "127.0.0.1", .help = "Of the server"}),
    option(
        {.type = PLUMB_OPTION_INTEGER, .key = "port", .required = true, .help = "Of the server"}),
    option({.key = "user", .required = true, .help = "Whom to connect as"}),
    option({.key = "password", .secret = true, .help = "Of the user"}),
    option({.key = "database", .required = true, .help = "Initialised with pgbench -i"}),
    option({.key = "script", .one_of = kScripts, .help = "A script that pgbench brings"}),
    option({.type = PLUMB_OPTION_PATH, .key = "file", .help = "A script of one's own instead"}),
    option(
        {.type = PLUMB_OPTION_INTEGER, .key = "clients", .default_value = "8", .help = "At once"}),
};

int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * kSecondNs + now.tv_nsec;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "plumb-pgbench-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

class PgbenchLoad final : public LoadDriver {
 public:
  using LoadDriver::LoadDriver;

  Status configure(const Config& config) override {
    words_ = {config.string("program"), "--no-vacuum", "--log", "--protocol=prepared",
              "--client=" + std::to_string(config.integer("clients")),
              // A thread for each client: then what pgbench computes and waits for a processor is
              // part of just that client's latency.
              "--jobs=" + std::to_string(config.integer("clients")),
              "--host=" + config.string("host"), "--port=" + std::to_string(config.integer("port")),
              "--username=" + config.string("user")};
    if (config.has("script") == config.has("file"))
      return Status::invalid_argument("pgbench_load: give one of script and file");
    words_.push_back(config.has("file") ? "--file=" + config.string("file")
                                        : "--builtin=" + config.string("script"));
    database_ = config.string("database");
    password_ = config.string("password");
    clients_ = static_cast<double>(config.integer("clients"));
    return Status::ok();
  }

  Status start() override {
    const auto histogram = [&](const char* name, std::pair<std::string, std::string> label) {
      return host().declare({.name = name,
                             .unit = "seconds",
                             .kind = PLUMB_KIND_HISTOGRAM,
                             .layer = PLUMB_LAYER_CLIENT,
                             .labels = {{"endpoint", "transaction"}, std::move(label)}});
    };
    PLUMB_ASSIGN_OR_RETURN(response_, histogram("http_response_seconds", {"outcome", "ok"}));
    PLUMB_ASSIGN_OR_RETURN(service_, histogram("http_service_seconds", {"outcome", "ok"}));
    PLUMB_ASSIGN_OR_RETURN(wait_, histogram("http_phase_seconds", {"phase", "wait"}));
    PLUMB_ASSIGN_OR_RETURN(scheduled_,
                           host().counter("http_scheduled_total", "requests", PLUMB_LAYER_CLIENT));
    PLUMB_ASSIGN_OR_RETURN(started_,
                           host().counter("http_started_total", "requests", PLUMB_LAYER_CLIENT));
    PLUMB_ASSIGN_OR_RETURN(in_flight_,
                           host().gauge("http_in_flight", "requests", PLUMB_LAYER_CLIENT));
    return Status::ok();
  }

  Status drive(std::span<const Stage> stages) override {
    int64_t end_ns = 0;
    for (const Stage& stage : stages)
      if (stage.kind != PLUMB_STAGE_COOLDOWN) end_ns = std::max(end_ns, stage.end_ns);
    const TemporaryDirectory directory;
    if (directory.path().empty()) return Status::unavailable("no temporary directory");
    PLUMB_RETURN_IF_ERROR(run_pgbench(directory.path(), stages.front().start_ns, end_ns));
    return emit_log(directory.path(), stages.front().start_ns, end_ns);
  }

  void interrupt() override {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    interrupted_.notify_all();
  }

 private:
  // False when it was interrupted.
  bool wait_until(int64_t time_ns) {
    std::unique_lock lock(mutex_);
    const auto left = std::chrono::nanoseconds(time_ns - host().now_ns());
    return !interrupted_.wait_for(lock, left, [this] { return stop_; });
  }

  Status run_pgbench(const std::filesystem::path& directory, int64_t start_ns, int64_t end_ns) {
    std::vector<std::string> words = words_;
    words.push_back("--log-prefix=" + (directory / "log").string());
    const int64_t seconds = std::max<int64_t>(1, (end_ns - start_ns + kSecondNs / 2) / kSecondNs);
    words.push_back("--time=" + std::to_string(seconds));
    words.push_back(database_);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (!password_.empty()) ::setenv("PGPASSWORD", password_.c_str(), 1);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    const std::string talk = (directory / "talk").string();
    ::posix_spawn_file_actions_addopen(&actions, 1, talk.c_str(), O_WRONLY | O_CREAT, 0600);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    wait_until(start_ns);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return Status::not_found(words[0] + " cannot be started");
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
      if (!wait_until(host().now_ns() + kLookNs)) ::kill(pid, SIGINT);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Status::ok();
    std::ifstream in(talk);
    const std::string said((std::istreambuf_iterator<char>(in)), {});
    return Status::unavailable("pgbench failed: " + said.substr(0, 600));
  }

  // A line of the log: client, transaction, microseconds it took, script, and when it ended (Unix
  // seconds and microseconds).
  Status emit_log(const std::filesystem::path& directory, int64_t start_ns, int64_t end_ns) {
    const int64_t to_monotonic = clock_ns(CLOCK_MONOTONIC) - clock_ns(CLOCK_REALTIME);
    std::map<int64_t, Histogram> seconds;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (!entry.path().filename().string().starts_with("log")) continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        int64_t client = 0, number = 0, took_us = 0, script = 0, unix_s = 0, unix_us = 0;
        if (!(fields >> client >> number >> took_us >> script >> unix_s >> unix_us)) continue;
        const int64_t at = unix_s * kSecondNs + unix_us * 1'000 + to_monotonic;
        if (at < start_ns || at >= end_ns) continue;
        seconds[(at - start_ns) / kSecondNs].record(static_cast<uint64_t>(took_us) * 1'000);
      }
    }
    double total = 0;
    PLUMB_RETURN_IF_ERROR(emit_counters(start_ns, total));
    for (const auto& [second, histogram] : seconds) {
      const int64_t from = start_ns + second * kSecondNs;
      const int64_t to = std::min(from + kSecondNs, end_ns);
      for (const Series series : {response_, service_, wait_})
        PLUMB_RETURN_IF_ERROR(host().emit(series, from, to, histogram));
      total += static_cast<double>(histogram.count());
      PLUMB_RETURN_IF_ERROR(emit_counters(to, total));
    }
    return Status::ok();
  }

  Status emit_counters(int64_t at_ns, double total) {
    const plumb_sample samples[] = {{scheduled_.id, 0, at_ns, total},
                                    {started_.id, 0, at_ns, total},
                                    {in_flight_.id, 0, at_ns, clients_}};
    return host().emit(samples);
  }

  std::vector<std::string> words_;
  std::string database_;
  std::string password_;
  double clients_ = 0;
  Series response_, service_, wait_, scheduled_, started_, in_flight_;
  std::mutex mutex_;
  std::condition_variable interrupted_;
  bool stop_ = false;
};

PLUMB_PLUGIN(PgbenchLoad, {.name = "pgbench_load",
                           .version = "1.0.0",
                           .summary = "Transactions of pgbench, for measurements",
                           .options = kOptions,
                           .option_count = std::size(kOptions)})

}  // namespace plumb::pgbench_load
