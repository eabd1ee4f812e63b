// Status and Result<T>: how expected failures travel, in plugins and in the core alike.
#ifndef PLUMB_STATUS_HPP_
#define PLUMB_STATUS_HPP_

#include <plumb/abi/plugin.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace plumb {

// Success, or a code with a sentence. Success is a null pointer, so it costs nothing to return.
class [[nodiscard]] Status {
 public:
  Status() = default;
  static Status ok() { return Status(); }
  static Status invalid_argument(std::string_view m) { return {PLUMB_INVALID_ARGUMENT, m}; }
  static Status unavailable(std::string_view m) { return {PLUMB_UNAVAILABLE, m}; }
  static Status permission_denied(std::string_view m) { return {PLUMB_PERMISSION_DENIED, m}; }
  static Status not_found(std::string_view m) { return {PLUMB_NOT_FOUND, m}; }
  static Status deadline_exceeded(std::string_view m) { return {PLUMB_DEADLINE_EXCEEDED, m}; }
  static Status resource_exhausted(std::string_view m) { return {PLUMB_RESOURCE_EXHAUSTED, m}; }
  static Status unsupported(std::string_view m) { return {PLUMB_UNSUPPORTED, m}; }
  static Status cancelled(std::string_view m) { return {PLUMB_CANCELLED, m}; }
  static Status internal(std::string_view m) { return {PLUMB_INTERNAL, m}; }
  // A status from a code that came over the boundary; PLUMB_OK gives success.
  static Status from_code(int32_t code, std::string_view m) {
    return code == PLUMB_OK ? Status() : Status(code, m);
  }

  Status(const Status& other) : state_(other.state_ ? new State(*other.state_) : nullptr) {}
  Status& operator=(const Status& other) {
    state_.reset(other.state_ ? new State(*other.state_) : nullptr);
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  bool is_ok() const { return state_ == nullptr; }
  explicit operator bool() const { return is_ok(); }
  int32_t code() const { return state_ ? state_->code : PLUMB_OK; }
  const std::string& message() const {
    static const std::string empty;
    return state_ ? state_->message : empty;
  }
  // The same failure, with where it happened put before its sentence.
  Status with_context(std::string_view context) const {
    if (is_ok()) return Status();
    return Status(code(), std::string(context) + ": " + message());
  }

 private:
  struct State {
    int32_t code;
    std::string message;
  };
  Status(int32_t code, std::string_view m) : state_(new State{code, std::string(m)}) {}
  std::unique_ptr<State> state_;
};

// A value or the status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::move(value)) {}         // NOLINT: implicit by design
  Result(Status status) : v_(std::move(status)) {}  // NOLINT: implicit by design
  bool is_ok() const { return std::holds_alternative<T>(v_); }
  explicit operator bool() const { return is_ok(); }
  Status status() const { return is_ok() ? Status() : std::get<Status>(v_); }
  // Only when is_ok().
  T& value() & { return std::get<T>(v_); }
  const T& value() const& { return std::get<T>(v_); }
  T&& value() && { return std::get<T>(std::move(v_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<Status, T> v_;
};

}  // namespace plumb

// Returns from the enclosing function when the expression failed.
#define PLUMB_RETURN_IF_ERROR(expr)                                                           \
  do {                                                                                        \
    if (::plumb::Status plumb_status_ = (expr); !plumb_status_.is_ok()) return plumb_status_; \
  } while (false)

// Declares `lhs` from a Result, or returns its status.
#define PLUMB_ASSIGN_OR_RETURN(lhs, expr) \
  PLUMB_ASSIGN_OR_RETURN_(PLUMB_CONCAT_(plumb_result_, __LINE__), lhs, expr)
#define PLUMB_CONCAT_INNER_(a, b) a##b
#define PLUMB_CONCAT_(a, b) PLUMB_CONCAT_INNER_(a, b)
#define PLUMB_ASSIGN_OR_RETURN_(result, lhs, expr) \
  auto result = (expr);                            \
  if (!result.is_ok()) return result.status();     \
  lhs = std::move(result).value()

#endif  // PLUMB_STATUS_HPP_
