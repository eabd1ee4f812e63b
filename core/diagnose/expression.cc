#include "core/diagnose/expression.h"

#include <muParser.h>

#include <utility>

namespace plumb::diagnose {

struct Expression::Parser {
  mu::Parser parser;
  std::string refused;  // why the text could not be taken; empty when it was
};

Expression::Expression(std::string text, Numbers& numbers)
    : text_(std::move(text)), parser_(std::make_unique<Parser>()) {
  try {
    for (auto& [name, value] : numbers) parser_->parser.DefineVar(name, &value);
    parser_->parser.SetExpr(text_);
  } catch (const mu::Parser::exception_type& e) {
    parser_->refused = e.GetMsg();
  }
}

Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

Result<double> Expression::value() const {
  if (!parser_->refused.empty())
    return Status::invalid_argument("'" + text_ + "': " + parser_->refused);
  try {
    return parser_->parser.Eval();
  } catch (const mu::Parser::exception_type& e) {
    return Status::invalid_argument("'" + text_ + "': " + e.GetMsg());
  }
}

}  // namespace plumb::diagnose
