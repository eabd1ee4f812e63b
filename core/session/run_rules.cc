#include "core/session/run_rules.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "core/diagnose/rule_check.h"
#include "core/diagnose/signal_list.h"
#include "core/diagnose/slo.h"

namespace plumb::session {
namespace {

namespace fs = std::filesystem;
using diagnose::Rule;

constexpr uintmax_t kMostBytes = 1 << 20;  // of a rule file

Result<std::string> text_of(const fs::path& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (error)
    return Status::not_found("rules: cannot read " + path.string() + ": " + error.message());
  if (size > kMostBytes)
    return Status::invalid_argument("rules: " + path.string() + " is too large for rules");
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Status::not_found("rules: cannot read " + path.string());
  return text.str();
}

// The file itself, or the *.yaml in the directory, ascending.
std::vector<fs::path> files_of(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(path, error))
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

class Collection {
 public:
  explicit Collection(const engine::Catalog& catalog) : catalog_(signals_of(catalog)) {}

  void add_plugin(const engine::CatalogEntry& entry) {
    const std::string& name = entry.manifest.name;
    if (!entry.signals) unlisted_.push_back(name);
    if (!entry.signals && !entry.rules.empty())
      out_.warnings.push_back("the rules of " + name + " are not checked, since " + name +
                              " lists no signals (" + name + ".signals.yaml)");
    for (const engine::RuleFile& file : entry.rules)
      add(name + "/" + file.path.filename().string(), file.text, entry.signals.has_value());
  }

  void add_path(const fs::path& path) {
    const std::vector<fs::path> files = files_of(path);
    if (files.empty()) out_.problems.push_back("rules: " + path.string() + " holds no *.yaml");
    for (const fs::path& file : files) {
      const Result<std::string> text = text_of(file);
      if (text.is_ok())
        add(file.string(), *text, true);
      else
        out_.problems.push_back(text.status().message());
    }
  }

  void add(const std::string& origin, const std::string& text, bool checked) {
    out_.files.push_back({{"origin", origin}, {"text", text}});
    const auto rules = diagnose::parse_rules(origin, text);
    if (!rules.is_ok()) {
      out_.problems.push_back(rules.status().message());
      return;
    }
    if (!checked) return;
    for (const Rule& rule : *rules)
      for (const diagnose::RuleProblem& problem : diagnose::check_rule(rule, catalog_))
        file(problem);
  }

  // A warning: the fact may be one of a plugin that lists none.
  void add_objective(const plan::Slo& slo) {
    if (!slo.is_fact) return;
    const std::string problem =
        diagnose::objective_problem(slo.metric, slo.unit, slo.written, catalog_);
    if (!problem.empty())
      out_.warnings.push_back(problem + " It would count as breached after the run.");
  }

  RunRules finish() { return std::move(out_); }

 private:
  diagnose::FactCatalog signals_of(const engine::Catalog& catalog) {
    diagnose::SignalList all;
    for (const engine::CatalogEntry& entry : catalog.entries()) {
      if (!entry.signals) continue;
      auto list = diagnose::parse_signals(entry.signals->path.string(), entry.signals->text);
      if (list.is_ok())
        std::move(list->begin(), list->end(), std::back_inserter(all));
      else
        out_.problems.push_back(list.status().message());
    }
    return diagnose::FactCatalog(all);
  }

  // A fact that nobody lists may be one of a plugin that lists nothing, or, where the rule does
  // without it, of one that is not installed.
  void file(const diagnose::RuleProblem& problem) {
    if (!problem.is_unknown_fact) {
      out_.problems.push_back(problem.text);
    } else if (!unlisted_.empty()) {
      out_.warnings.push_back(problem.text + " (" + unlisted_.front() + " lists no signals)");
    } else if (problem.has_fallback) {
      out_.warnings.push_back(problem.text);
    } else {
      out_.problems.push_back(problem.text);
    }
  }

  RunRules out_;
  std::vector<std::string> unlisted_;
  diagnose::FactCatalog catalog_;
};

}  // namespace

RunRules collect_rules(const plan::Plan& plan, const engine::Catalog& catalog) {
  Collection rules(catalog);
  const auto add = [&](const std::string& name) {
    if (const auto entry = catalog.find(name); entry.is_ok()) rules.add_plugin(*entry.value());
  };
  add(plan.load.plugin);
  for (const plan::PluginUse& use : plan.plugins) add(use.name);
  for (const std::string& path : plan.rules) rules.add_path(path);
  for (const plan::Slo& slo : plan.slos) rules.add_objective(slo);
  return rules.finish();
}

RunRules renew_rules(const nlohmann::json& kept, const engine::Catalog& catalog) {
  Collection rules(catalog);
  std::set<std::string> renewed;
  for (const auto& file : kept) {
    const std::string origin = file.value("origin", "");
    const std::string plugin = origin.substr(0, origin.find('/'));
    const auto entry = catalog.find(plugin);
    if (!entry.is_ok() || origin != plugin + "/" + fs::path(origin).filename().string()) {
      rules.add(origin, file.value("text", ""), false);
    } else if (renewed.insert(plugin).second) {
      rules.add_plugin(*entry.value());
    }
  }
  return rules.finish();
}

RunRules check_plugin_rules(const engine::CatalogEntry& entry, const engine::Catalog& catalog) {
  Collection rules(catalog);
  rules.add_plugin(entry);
  return rules.finish();
}

}  // namespace plumb::session
