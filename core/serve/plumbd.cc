// plumbd: the engine behind a loopback HTTP API.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/engine/catalog.h"
#include "core/plan/quantity.h"
#include "core/serve/api.h"
#include "core/serve/http_server.h"
#include "core/serve/plugin_listing.h"
#include "core/serve/service_notice.h"
#include "core/serve/session_runs.h"
#include "core/serve/stop_signal.h"
#include "core/serve/token.h"
#include "core/session/catalog_options.h"
#include "core/session/environment.h"
#include "core/session/session.h"

namespace plumb::serve {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
// Together below the ten seconds after which service supervisors lose patience.
constexpr std::chrono::seconds kRunGrace{8};
constexpr std::chrono::milliseconds kConnectionGrace{1000};

constexpr const char* kExample = R"(Example:
  plumbd --listen 127.0.0.1:7420 --run-dir runs &
  curl --data-binary @plan.yaml -H 'Content-Type: application/yaml' http://127.0.0.1:7420/api/v1/runs
  curl http://127.0.0.1:7420/api/v1/runs
docs/api.md shows every route. plumbd stops on SIGTERM or SIGINT: the run that goes on ends early,
with its report. A second signal ends it at once.)";

struct Options {
  std::string listen = "127.0.0.1:7420";
  std::string run_dir = "runs";
  std::vector<std::string> plugins;
  std::string token_file;
  bool allow_start = false;
  std::vector<std::string> allow_hosts;
  std::vector<std::string> environment;
  std::string most_rate;
  int64_t most_users = 0;
  std::string longest;
};

void declare(CLI::App& app, Options& options) {
  app.footer(kExample);
  app.set_version_flag("--version", "plumbd " + std::string(session::version()));
  app.add_option("--listen", options.listen, "Loopback address and port; port 0 takes a free one")
      ->envname("PLUMB_LISTEN")
      ->capture_default_str();
  app.add_option("--run-dir", options.run_dir, "Where run files and reports are kept")
      ->envname("PLUMB_RUN_DIR")
      ->capture_default_str();
  app.add_option("--plugins", options.plugins,
                 "Look for plugins in this directory instead of the usual ones; may be repeated");
  app.add_option("--token-file", options.token_file,
                 "Ask every request but /health for the token in this file, which is made when it "
                 "is not there")
      ->envname("PLUMB_TOKEN_FILE");
  app.add_flag("--allow-start", options.allow_start,
               "Let posted plans run commands (target.start)");
  app.add_option(
      "--allow-host", options.allow_hosts,
      "Let posted plans load this host, if they allow it too, and plugins talk to it; may be "
      "repeated");
  const auto written = [](auto parse, const char* example) {
    return CLI::Validator(
        [parse, example](std::string& text) {
          return parse(text) ? std::string() : "expected something like " + std::string(example);
        },
        "");
  };
  app.add_option("--max-rate", options.most_rate,
                 "Refuse posted plans that ask for a higher rate, such as 1000/s")
      ->check(written([](const std::string& t) { return plan::parse_rate(t); }, "1000/s"))
      ->type_name("RATE");
  app.add_option("--max-users", options.most_users, "Refuse posted plans with more users")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  app.add_option("--max-duration", options.longest,
                 "Refuse posted plans whose load lasts longer, such as 10m")
      ->check(written([](const std::string& t) { return plan::parse_duration(t); }, "10m"))
      ->type_name("TIME");
  app.add_option("--env", options.environment,
                 "Let posted plans use this environment variable; may be repeated");
}

spdlog::level::level_enum log_level(uint32_t level) {
  switch (level) {
    case PLUMB_DEBUG:
      return spdlog::level::debug;
    case PLUMB_INFO:
      return spdlog::level::info;
    case PLUMB_WARNING:
      return spdlog::level::warn;
    default:
      return spdlog::level::err;
  }
}

void log_message(uint32_t level, const std::string& message) {
  spdlog::log(log_level(level), "{}", message);
}

std::map<std::string, std::string> chosen_environment(const std::vector<std::string>& names) {
  std::map<std::string, std::string> out;
  for (const std::string& name : names) {
    if (const char* value = std::getenv(name.c_str())) out[name] = value;
  }
  return out;
}

engine::Catalog find_plugins(const Options& options) {
  if (options.plugins.empty()) return engine::Catalog::scan(engine::Catalog::default_directories());
  std::vector<std::filesystem::path> directories(options.plugins.begin(), options.plugins.end());
  return engine::Catalog::scan(directories);
}

int fail(int code, const std::string& sentence) {
  spdlog::error("{}", sentence);
  return code;
}

// Until a signal has come and everything has ended.
int serve(HttpServer& server, Api& api, SessionRuns& runs) {
  std::thread network([&] { server.run(); });
  notify_service("READY=1");
  const int signal = wait_for_stop_signal();
  spdlog::info("stopping on signal {}", signal);
  notify_service("STOPPING=1");
  api.set_stopping();
  server.stop_accepting();
  const bool ended = runs.shut_down(std::chrono::steady_clock::now() + kRunGrace);
  server.stop(kConnectionGrace);
  network.join();
  if (ended) return 0;
  spdlog::error("the run did not end within {} s; its file holds what was measured",
                kRunGrace.count());
  spdlog::shutdown();
  // Its thread cannot be waited for. The processes that it started end with it.
  _exit(kFailed);
}

int run(const Options& options) {
  const auto address = parse_listen_address(options.listen);
  if (!address.is_ok()) return fail(kUsage, "--listen: " + address.status().message());

  ApiOptions api_options;
  if (!options.token_file.empty()) {
    auto token = load_or_create_token(options.token_file);
    if (!token.is_ok()) return fail(kUsage, "--token-file: " + token.status().message());
    api_options.token = std::move(*token);
  }
  const engine::Catalog catalog = find_plugins(options);
  for (const auto& refusal : catalog.refusals()) {
    spdlog::warn("left out {}: {}", refusal.path.string(), refusal.why.message());
  }
  api_options.run_dir = options.run_dir;
  api_options.version = std::string(session::version());
  api_options.plugins = plugin_listing(catalog);
  api_options.policy.allow_start = options.allow_start;
  api_options.policy.allow_hosts = options.allow_hosts;
  api_options.policy.most_rate = plan::parse_rate(options.most_rate).value_or(0);
  api_options.policy.most_users = options.most_users;
  api_options.policy.longest = plan::parse_duration(options.longest).value_or(plan::Nanoseconds(0));
  api_options.policy.environment = chosen_environment(options.environment);
  api_options.policy.plugins = session::plugin_options(catalog);

  if (const Status status = install_stop_signals(); !status) return fail(kFailed, status.message());
  SessionRuns runs(
      [&catalog](const plan::Plan& plan, const session::SessionOptions& session_options,
                 std::stop_token stop) {
        return session::run(plan, catalog, session_options, std::move(stop));
      },
      log_message);
  Api api(std::move(api_options), runs);
  const auto server = HttpServer::listen(*address, HttpLimits{}, api);
  if (!server.is_ok()) return fail(kFailed, server.status().message());
  spdlog::info("{} plugins, runs in {}", catalog.entries().size(), options.run_dir);
  const std::string host = address->host == "::1" ? "[::1]" : address->host;
  std::printf("plumbd listening on http://%s:%u\n", host.c_str(),
              static_cast<unsigned>((*server)->port()));
  std::fflush(stdout);
  return serve(**server, api, runs);
}

}  // namespace
}  // namespace plumb::serve

int main(int argc, char** argv) {
  plumb::serve::Options options;
  CLI::App app(
      "plumbd runs load tests for whoever asks over HTTP on this machine, and names what "
      "limits the service.",
      "plumbd");
  plumb::serve::declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : plumb::serve::kUsage;
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("plumbd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  return plumb::serve::run(options);
}
