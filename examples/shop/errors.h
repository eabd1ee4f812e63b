#pragma once

#include <stdexcept>
#include <string>

namespace shop {

// The request cannot be served as asked; `status` is the HTTP status to answer with.
class RequestError : public std::runtime_error {
 public:
  RequestError(int status, const std::string& what) : std::runtime_error(what), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

// The database or the payments service does not do its part: answered with 503 while serving, and
// the end of the process while starting. The text never holds a password.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace shop
