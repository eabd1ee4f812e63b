// shop: a small web shop. Starts its store, serves until SIGTERM or SIGINT, stops.

#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "api.h"
#include "downstream.h"
#include "errors.h"
#include "options.h"
#include "payments.h"
#include "server.h"
#include "store.h"

namespace shop {
namespace {

// Each connection may need a socket, a database file or two and a payments connection.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Serves until told to stop. Threads started meanwhile inherit the blocked signals, so that only
// this one takes them. A request that outlasts the grace, such as one that waits for a lock, ends
// with the process: the database undoes what was not committed.
void serve_until_stopped(Server& server, const char* name, Handler handler) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  server.start(std::move(handler));
  std::cout << name << " listening on http://127.0.0.1:" << server.port() << std::endl;

  int received = 0;
  ::sigwait(&signals, &received);
  if (!server.stop(std::chrono::milliseconds(600))) std::_Exit(0);
}

void run_payments(const Options& options) {
  Server server(options.port);
  serve_until_stopped(server, "payments",
                      [delay = *options.payments_delay](const Request& request) {
                        return answer_payment(request, delay);
                      });
}

void run_shop(const Options& options) {
  Server server(options.port);
  if (options.faults.close) server.close_after_each_answer();
  server.accept_slowly(options.faults.accept);
  const std::unique_ptr<Store> store = open_store(options);
  std::unique_ptr<PaymentsProcess> process;
  std::unique_ptr<PaymentsClient> payments;
  if (options.faults.downstream.count() > 0) {
    process = std::make_unique<PaymentsProcess>(options.faults.downstream);
    payments = std::make_unique<PaymentsClient>(process->port());
  }
  Api api(*store, payments.get(), options.faults);
  serve_until_stopped(server, "shop", [&](const Request& request) { return api.answer(request); });
}

int run(int argc, const char* const* argv) {
  int exit_code = 0;
  const std::optional<Options> options = parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  try {
    options->payments_delay ? run_payments(*options) : run_shop(*options);
  } catch (const std::exception& error) {
    std::cerr << "shop: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace shop

int main(int argc, char** argv) { return shop::run(argc, argv); }
