#include "core/plan/load_plan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <variant>

#include "core/base/unique_fd.h"
#include "core/plan/assemble.h"
#include "core/plan/check.h"
#include "core/plan/layers.h"
#include "core/plan/schema.h"
#include "core/plan/yaml_tree.h"

namespace plumb::plan {
namespace {

// Reads at most one byte more than a plan may have; the parser refuses that.
Result<std::string> read_text(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return Status::not_found(std::strerror(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return Status::not_found(std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return Status::invalid_argument("not a file");
  std::string text(kLargestPlanBytes + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(fd.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Status::unavailable(std::strerror(errno));
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  text.resize(size);
  return text;
}

bool has_sampler(const Plan& plan, const std::vector<PluginOptions>& plugins) {
  return std::any_of(plan.plugins.begin(), plan.plugins.end(), [&](const PluginUse& use) {
    return std::any_of(plugins.begin(), plugins.end(), [&](const PluginOptions& known) {
      return known.name == use.name && known.role == PLUMB_ROLE_SAMPLER;
    });
  });
}

}  // namespace

Outcome parse_plan(std::string_view text, const std::string& file, const Inputs& inputs) {
  Outcome out;
  Problems problems(file);
  auto parsed = parse_yaml(text);
  if (auto* fault = std::get_if<YamlFault>(&parsed)) {
    problems.at(fault->mark, "", std::move(fault->message), std::move(fault->hint));
    out.problems = problems.take();
    return out;
  }
  Node root = std::move(std::get<Node>(parsed));
  if (root.kind == Node::Kind::kNull) root.kind = Node::Kind::kMap;
  if (root.kind != Node::Kind::kMap) {
    problems.at(root.mark, "", "a plan is a map of keys such as target, load and plugins",
                "plumb init writes one to begin with");
    out.problems = problems.take();
    return out;
  }
  const SchemaNode schema = make_schema(inputs.plugins);
  apply_overrides(root, schema, inputs, problems, out.warnings);
  substitute_variables(root, inputs, problems);
  settle_load(root, problems);
  const std::string stem = std::filesystem::path(file).stem().string();
  settle_names(root, stem.empty() ? "plan" : stem);
  Checked checked = check(root, schema, problems);
  out.plan = assemble(checked, inputs.plugins, inputs.may_name_files, problems);
  if (!out.plan.target.process.empty() && !has_sampler(out.plan, inputs.plugins))
    out.warnings.push_back(
        "target.process has no effect: no sampler is named under plugins. Add host_metrics: {} "
        "there.");
  out.keys = std::move(checked.order);
  out.problems = problems.take();
  return out;
}

Outcome read_plan(const std::filesystem::path& file, const Inputs& inputs) {
  const auto text = read_text(file);
  if (text.is_ok()) return parse_plan(*text, file.string(), inputs);
  Outcome out;
  out.problems.push_back({file.string(), 0, 0, "",
                          "the plan cannot be read: " + text.status().message(),
                          "plumb init writes a plan to begin with"});
  return out;
}

Result<Plan> load_plan(const std::filesystem::path& file, const Inputs& inputs) {
  Outcome out = read_plan(file, inputs);
  if (!out.ok()) return Status::invalid_argument(out.text());
  return std::move(out.plan);
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> out;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const size_t equals = entry.find('=');
    if (equals != std::string_view::npos)
      out.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return out;
}

}  // namespace plumb::plan
