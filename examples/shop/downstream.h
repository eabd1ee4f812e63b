#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "pool.h"

namespace shop {

// The payments service: a process of its own, started here and gone when this process is gone.
class PaymentsProcess {
 public:
  // Starts this executable again as `payments`. Call it from the main thread: the kernel ends the
  // child when the thread that started it ends. Throws Unavailable.
  explicit PaymentsProcess(std::chrono::milliseconds delay);
  ~PaymentsProcess();
  PaymentsProcess(const PaymentsProcess&) = delete;
  PaymentsProcess& operator=(const PaymentsProcess&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

// Asks the payments service over kept-alive connections. Safe from any thread.
class PaymentsClient {
 public:
  explicit PaymentsClient(std::uint16_t port);
  ~PaymentsClient();

  // Both throw Unavailable when there is no answer within 30 s.
  void authorise(std::int64_t item, std::int64_t quantity);
  std::int64_t discount_cents(std::int64_t item);

 private:
  struct Connection;

  std::string call(const std::string& method, const std::string& path, const std::string& body);

  boost::asio::io_context io_;
  const std::uint16_t port_;
  Pool<Connection> connections_;
};

}  // namespace shop
