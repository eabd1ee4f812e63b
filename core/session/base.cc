#include "core/session/base.h"

#include <set>

#include "core/compare/baseline.h"
#include "core/diagnose/baseline_rows.h"
#include "core/report/comparison.h"
#include "core/store/run_file.h"

namespace plumb::session {
namespace {

// One run in memory at a time: what is compared of it is small.
Result<compare::RunMeasures> measure_file(const std::filesystem::path& file) {
  const auto run = store::read_run(file);
  // INVALID_ARGUMENT is kept for runs that are not alike.
  if (!run.is_ok()) return Status::unavailable(run.status().message());
  auto measures = compare::measure(*run);
  if (!measures.is_ok()) return measures.status().with_context(file.string());
  return measures;
}

// Copies of a run would be taken for a service that never varies.
Status check_distinct(const std::vector<compare::RunMeasures>& base, const std::string& judged) {
  std::set<std::string> seen = {judged};
  for (const compare::RunMeasures& one : base)
    if (!seen.insert(one.id).second)
      return Status::invalid_argument(
          one.id == judged ? "run " + judged + " is among those that it is to be held against"
                           : "run " + one.id + " is in the base twice");
  return Status::ok();
}

}  // namespace

Result<Base> find_baseline(const std::filesystem::path& run_dir, const std::string& plan,
                           const std::string& name) {
  if (!compare::is_baseline_name(name))
    return Status::invalid_argument(
        "'" + name + "' is no name of a baseline: letters, digits, '.', '_' and '-'");
  const compare::Baselines baselines(run_dir);
  PLUMB_ASSIGN_OR_RETURN(const compare::Baseline baseline, baselines.find(plan, name));
  Base base;
  base.baseline = name;
  PLUMB_ASSIGN_OR_RETURN(base.files, baselines.files_of(baseline));
  return base;
}

Result<nlohmann::json> matrix_of_base(const Base& base, const nlohmann::json& rules) {
  std::vector<std::vector<diagnose::MatrixRow>> matrices;
  for (const auto& file : base.files) {
    PLUMB_ASSIGN_OR_RETURN(store::RunData run, store::read_run(file));
    run.header.rules = rules;
    facts::FactSet facts = facts::compute(run);
    PLUMB_ASSIGN_OR_RETURN(diagnose::Diagnosis diagnosis, diagnose::diagnose(run, facts));
    matrices.push_back(std::move(diagnosis.matrix));
  }
  return diagnose::baseline_rows(matrices);
}

Result<nlohmann::json> compare_files(const Base& base, const std::filesystem::path& run,
                                     const compare::CompareOptions& options) {
  std::vector<compare::RunMeasures> measures;
  for (const auto& file : base.files) {
    PLUMB_ASSIGN_OR_RETURN(compare::RunMeasures one, measure_file(file));
    measures.push_back(std::move(one));
  }
  PLUMB_ASSIGN_OR_RETURN(const compare::RunMeasures judged, measure_file(run));
  PLUMB_RETURN_IF_ERROR(check_distinct(measures, judged.id));
  PLUMB_ASSIGN_OR_RETURN(compare::Comparison comparison,
                         compare::compare(measures, judged, options));
  comparison.baseline = base.baseline;
  return report::comparison_json(comparison);
}

}  // namespace plumb::session
