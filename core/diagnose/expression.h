// An expression of a rule, parsed once.
#ifndef PLUMB_CORE_DIAGNOSE_EXPRESSION_H_
#define PLUMB_CORE_DIAGNOSE_EXPRESSION_H_

#include <map>
#include <memory>
#include <plumb/status.hpp>
#include <string>

namespace plumb::diagnose {

// The names that expressions know; they read the values that stand here when they are evaluated.
using Numbers = std::map<std::string, double>;

// Not thread-safe.
class Expression {
 public:
  // `numbers` must outlive the expression and keep its names.
  Expression(std::string text, Numbers& numbers);
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  // Fails where the text is no expression, or names what is not known.
  Result<double> value() const;

 private:
  struct Parser;
  std::string text_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_EXPRESSION_H_
