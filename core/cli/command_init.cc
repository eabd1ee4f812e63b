#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>

#include "core/cli/command.h"
#include "core/cli/starting_plan.h"
#include "core/plan/quantity.h"
#include "core/plan/target_url.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

struct InitFlags {
  std::string url;
  std::string output = "plumb.yaml";
  std::string process_port;
  std::string database;
  std::string dsn_variable;
  std::string database_file;
  std::string rate;
  bool force = false;
  bool ask = false;
};

// Takes a value, or says what is wrong with it.
using Take = std::function<Status(const std::string& text)>;

// The flag's value, or the user's answer, or the fallback. Asks until the answer is right.
bool settle(const InitFlags& flags, const std::string& flag, const std::string& given,
            const std::string& question, const std::string& fallback, const Take& take) {
  if (!given.empty() || !flags.ask) {
    const Status status = take(given.empty() ? fallback : given);
    if (!status.is_ok()) say(flag + ": " + status.message());
    return status.is_ok();
  }
  for (;;) {
    std::fprintf(stderr, "%s [%s] ", question.c_str(), fallback.c_str());
    std::fflush(stderr);
    std::string answer;
    if (!std::getline(std::cin, answer)) {
      std::fputc('\n', stderr);
      say("nothing was written");
      return false;
    }
    const Status status = take(answer.empty() ? fallback : answer);
    if (status.is_ok()) return true;
    say(status.message());
  }
}

Status take_port(const std::string& text, int& port) {
  if (text == "none") return Status::ok();
  const auto number = plan::parse_integer(text);
  if (!number || *number < 1 || *number > 65535)
    return Status::invalid_argument("a port is a number from 1 to 65535; or write none");
  port = static_cast<int>(*number);
  return Status::ok();
}

Status take_database(const std::string& text, Database& database) {
  if (text != "none" && text != "postgres" && text != "sqlite")
    return Status::invalid_argument("write none, postgres or sqlite");
  database = text == "postgres" ? Database::kPostgres
             : text == "sqlite" ? Database::kSqlite
                                : Database::kNone;
  return Status::ok();
}

Status take_variable(const std::string& text, std::string& variable) {
  bool right = !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0;
  for (const char c : text)
    right = right && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  if (!right)
    return Status::invalid_argument(
        "the name of an environment variable is letters, digits and _; the address itself does "
        "not belong into a plan");
  variable = text;
  return Status::ok();
}

bool settle_all(const InitFlags& flags, StartingPlan& plan) {
  const auto take_url = [&](const std::string& text) -> Status {
    PLUMB_ASSIGN_OR_RETURN(const plan::TargetUrl url, plan::parse_target_url(text));
    plan.url = url.url;
    plan.host = url.host;
    if (plan::is_loopback(url.host)) plan.process_port = url.port;
    return Status::ok();
  };
  if (!settle(flags, "URL", flags.url, "Address of the service?", plan.url, take_url)) return false;
  const std::string port =
      plan.process_port > 0 ? std::to_string(plan.process_port) : std::string("none");
  plan.process_port = 0;
  if (!settle(flags, "--process-port", flags.process_port,
              "Port that its process listens on (none: another machine)?", port,
              [&](const std::string& text) { return take_port(text, plan.process_port); }))
    return false;
  if (!settle(flags, "--database", flags.database, "Database (none, postgres, sqlite)?", "none",
              [&](const std::string& text) { return take_database(text, plan.database); }))
    return false;
  if (plan.database == Database::kPostgres &&
      !settle(flags, "--dsn-variable", flags.dsn_variable, "Environment variable with its address?",
              plan.dsn_variable,
              [&](const std::string& text) { return take_variable(text, plan.dsn_variable); }))
    return false;
  if (plan.database == Database::kSqlite &&
      !settle(flags, "--database-file", flags.database_file, "Its file?", plan.database_file,
              [&](const std::string& text) {
                plan.database_file = text;
                return Status::ok();
              }))
    return false;
  return settle(flags, "--rate", flags.rate, "Requests per second?", plan.rate,
                [&](const std::string& text) {
                  if (!plan::parse_rate(text))
                    return Status::invalid_argument("a rate is written 200/s or 12000/min");
                  plan.rate = text;
                  return Status::ok();
                });
}

ExitCode init(InitFlags flags, const Terminal& terminal) {
  flags.ask = terminal.tty_in && terminal.tty_err;
  const bool to_stdout = flags.output == "-";
  std::error_code error;
  if (!to_stdout && !flags.force && std::filesystem::exists(flags.output, error)) {
    say(flags.output + " is there already; --force writes over it, -o writes elsewhere");
    return ExitCode::kUsage;
  }
  StartingPlan plan;
  if (!settle_all(flags, plan)) return ExitCode::kUsage;
  if (!to_stdout) plan.name = std::filesystem::path(flags.output).stem().string();
  if (plan.name == "plumb") plan.name = std::filesystem::current_path(error).filename().string();
  if (!write_value(flags.output, starting_plan_text(plan))) return ExitCode::kFailed;
  if (!to_stdout)
    say("wrote " + flags.output + "; next: plumb validate " + flags.output + ", plumb run " +
        flags.output);
  return ExitCode::kPassed;
}

}  // namespace

void add_init_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<InitFlags>();
  CLI::App* command = add_command(
      app, "init", "Write a plan to begin with; asks for what is not given",
      "  plumb init http://127.0.0.1:8080\n"
      "  plumb init http://127.0.0.1:8080 --database postgres --rate 200/s -o shop.yaml");
  command->add_option("URL", flags->url, "Address of the service");
  command->add_option("-o,--output", flags->output, "The file to write; - is stdout")
      ->type_name("FILE");
  command->add_option("--process-port", flags->process_port, "Port its process listens on, or none")
      ->type_name("PORT");
  command->add_option("--database", flags->database, "Its database")
      ->check(CLI::IsMember({"none", "postgres", "sqlite"}));
  command
      ->add_option("--dsn-variable", flags->dsn_variable,
                   "PostgreSQL: the environment variable that holds its address")
      ->type_name("NAME");
  command->add_option("--database-file", flags->database_file, "SQLite: the file")
      ->type_name("FILE");
  command->add_option("--rate", flags->rate, "Requests per second, such as 200/s")
      ->type_name("RATE");
  command->add_flag("--force", flags->force, "Write over a file that is there");
  command->callback([flags, &shared] { shared.exit_code = init(*flags, shared.terminal()); });
}

}  // namespace plumb::cli
