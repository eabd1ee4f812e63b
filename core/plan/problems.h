// Collects what is wrong with a plan, each with its place.
#ifndef PLUMB_CORE_PLAN_PROBLEMS_H_
#define PLUMB_CORE_PLAN_PROBLEMS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/plan/load_plan.h"
#include "core/plan/yaml_tree.h"

namespace plumb::plan {

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  // At a place in the plan's file.
  void at(Mark mark, std::string key, std::string message, std::string hint = {});
  // At what gave the value: a place in the file, a flag or a variable.
  void at(const Node& node, std::string key, std::string message, std::string hint = {});
  void from(std::string source, std::string key, std::string message, std::string hint = {});

  bool empty() const { return list_.empty(); }
  // Whether one is about a key that begins so.
  bool about(std::string_view prefix) const;
  // In the order of the file, what stands outside of it last; at most kMostProblems.
  std::vector<Problem> take();

 private:
  static constexpr size_t kMostProblems = 100;
  void add(Problem problem);

  std::string file_;
  std::vector<Problem> list_;
};

// Text from outside, fit for one line of a message: cut, and without control characters.
std::string in_quotes(std::string_view text);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_PROBLEMS_H_
