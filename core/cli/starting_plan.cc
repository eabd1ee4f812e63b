#include "core/cli/starting_plan.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/json_text.h"
#include "core/plan/target_url.h"

namespace plumb::cli {
namespace {

// A JSON string is a YAML string, with everything escaped that needs it.
std::string yaml_string(const std::string& text) { return json_text(nlohmann::json(text)); }

std::string target_text(const StartingPlan& plan) {
  std::string out = "target:\n  url: " + yaml_string(plan.url) + "\n";
  if (plan.process_port > 0)
    out += "  process: {port: " + std::to_string(plan.process_port) +
           "}   # whose processes are watched: or name:, pid:, cgroup:\n";
  else
    out += "  # process: {port: 8080}   # whose processes are watched: or name:, pid:, cgroup:\n";
  return out +
         "  # health: /health           # answers below 400 when the service is ready\n"
         "  # start: [./server, --port, \"8080\"]   # plumb starts it, and stops it afterwards\n";
}

// Where a service that exports metrics usually does so, as it may stand in a comment.
std::string metrics_url(const StartingPlan& plan) {
  std::string url = plan.url;
  while (url.ends_with('/')) url.pop_back();
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view(":/.-_[]").find(c) != std::string_view::npos;
  });
  return (plain ? url : "http://127.0.0.1:8080") + "/metrics";
}

std::string database_text(const StartingPlan& plan) {
  std::string out;
  if (plan.database == Database::kPostgres)
    out += "  pg_stats: {dsn: \"${" + plan.dsn_variable + "}\"}\n";
  else
    out += "  # pg_stats: {dsn: \"${DATABASE_URL}\"}   # PostgreSQL\n";
  if (plan.database == Database::kSqlite)
    out += "  sqlite_stats: {database: " + yaml_string(plan.database_file) + "}\n";
  else
    out += "  # sqlite_stats: {database: app.db}      # SQLite\n";
  return out +
         "  # stack_profile: {}                      # flame graphs of the service, on and off the "
         "processor\n"
         "  # prom_scrape: {url: \"" +
         metrics_url(plan) + "\"}   # metrics that it exports\n";
}

}  // namespace

std::string starting_plan_text(const StartingPlan& plan) {
  std::string out =
      "# What plumb measures, and how. `plumb validate` checks it, `plumb run` runs it.\n";
  if (!plan.name.empty()) out += "name: " + yaml_string(plan.name) + "\n";
  out += "\n" + target_text(plan);
  if (!plan::is_loopback(plan.host))
    out +=
        "\n# Load goes to other machines only when they are listed here. Uncomment this if you "
        "may\n"
        "# load this one:\n# allow: [" +
        yaml_string(plan.host) + "]\n";
  out +=
      "\nload:\n"
      "  model: open          # requests arrive at a rate; closed: users: 20 wait for answers\n"
      "  rate: " +
      plan.rate +
      "\n"
      "  warmup: 5s           # not part of any figure\n"
      "  duration: 30s\n"
      "  requests:\n"
      "    - {name: home, method: GET, path: /}\n"
      "    # - {name: order, method: POST, path: /orders, json: {item: 7}, weight: 3}\n";
  out += "\nplugins:\n  host_metrics: {}     # this machine and the service's processes\n" +
         database_text(plan);
  out +=
      "\n# What the service promises; a breach gives exit code 3.\n"
      "slos:\n"
      "  - {endpoint: home, p95: 200ms, error_rate: 1%}\n";
  return out;
}

}  // namespace plumb::cli
