#include "plugins/http_load/scenario_content.h"

#include <algorithm>
#include <set>

#include "plugins/http_load/addresses.h"

namespace plumb::http_load {
namespace {

std::string request_key(size_t index) { return "load.requests[" + std::to_string(index) + "]"; }

bool is_plain_name(const std::string& name) {
  return !name.empty() && name.find_first_of(" .|(){}") == std::string::npos;
}

Status check_name(const TemplateNames& names, const std::string& name, const std::string& key) {
  if (!is_plain_name(name))
    return Status::invalid_argument(key + ": a name holds no blanks, dots, bars and brackets");
  if (TemplateNames::is_reserved(name))
    return Status::invalid_argument(key + ": {{" + name + "}} stands for something else already");
  if (names.find(name))
    return Status::invalid_argument(key + ": another value is called " + name + " already");
  return Status::ok();
}

void add_once(uint32_t slot, std::vector<uint32_t>& to) {
  if (std::find(to.begin(), to.end(), slot) == to.end()) to.push_back(slot);
}

}  // namespace

Result<std::unique_ptr<ScenarioContent>> ScenarioContent::compile(const LoadPlan& plan) {
  std::unique_ptr<ScenarioContent> out(new ScenarioContent);
  const Origin origin = origin_of(plan.url);
  out->origin_ = plan.url;
  out->site_ = {origin.host, origin.tls};
  out->closed_users_ = static_cast<uint64_t>(plan.most_users());
  out->keeps_cookies_ = plan.scenario.cookies;
  PLUMB_RETURN_IF_ERROR(out->open_feeders(plan.scenario));
  PLUMB_RETURN_IF_ERROR(out->name_extracts(plan.scenario));
  for (uint32_t i = 0; i < plan.requests.size(); ++i) {
    PLUMB_ASSIGN_OR_RETURN(auto endpoint, out->compile_endpoint(plan, i));
    out->endpoints_.push_back(std::move(endpoint));
  }
  PLUMB_RETURN_IF_ERROR(out->fit_headers());
  PLUMB_RETURN_IF_ERROR(out->add_iterations(plan));
  return out;
}

Status ScenarioContent::open_feeders(const ScenarioPlan& plan) {
  for (size_t i = 0; i < plan.feeders.size(); ++i) {
    const std::string key = "load.feeders[" + std::to_string(i) + "]";
    const FeederPlan& feeder = plan.feeders[i];
    PLUMB_RETURN_IF_ERROR(check_name(names_, feeder.name, key + ".name"));
    for (const auto& other : feeders_)
      if (other->name() == feeder.name)
        return Status::invalid_argument(key + ".name: another feeder is called so already");
    auto opened = Feeder::open(feeder);
    if (!opened.is_ok()) return opened.status().with_context(key);
    for (const std::string& column : (*opened)->columns()) names_.add(column);
    feeders_.push_back(std::move(opened).value());
  }
  return Status::ok();
}

// Several requests may extract the same name.
Status ScenarioContent::name_extracts(const ScenarioPlan& plan) {
  std::set<std::string> known;
  for (size_t i = 0; i < plan.requests.size(); ++i)
    for (const ExtractPlan& extract : plan.requests[i].extract) {
      if (!known.insert(extract.name).second) continue;
      PLUMB_RETURN_IF_ERROR(
          check_name(names_, extract.name, request_key(i) + ".extract." + extract.name));
      names_.add(extract.name);
    }
  return Status::ok();
}

Result<EndpointContent> ScenarioContent::compile_endpoint(const LoadPlan& plan, uint32_t index) {
  const RequestContent& content = plan.scenario.requests[index];
  EndpointContent out;
  out.request = &plan.requests[index];
  out.has_own_cookie = out.request->has_header("cookie");
  out.has_own_authorization = out.request->has_header("authorization");
  out.think_ns = content.think_ns;
  out.redirects = content.redirects;
  out.needs.cookies = keeps_cookies_;
  const std::string key = request_key(index);
  PLUMB_RETURN_IF_ERROR(compile_templates(key, content.json_body, out));
  PLUMB_RETURN_IF_ERROR(compile_answers(content, key, out));
  return out;
}

Status ScenarioContent::compile_templates(const std::string& key, bool json_body,
                                          EndpointContent& out) {
  const auto compiled = [&](const std::string& text, TemplatePlace place, const std::string& part,
                            Template& to) {
    auto result = Template::compile(text, place, names_);
    if (!result.is_ok()) return result.status().with_context(key + part);
    to = std::move(result).value();
    out.is_templated = out.is_templated || text.find("{{") != std::string::npos;
    return Status::ok();
  };
  const Request& request = *out.request;
  PLUMB_RETURN_IF_ERROR(compiled(request.path, TemplatePlace::kPath, ".path", out.path));
  for (const auto& [name, value] : request.headers)
    PLUMB_RETURN_IF_ERROR(
        compiled(value, TemplatePlace::kHeader, ".headers." + name, out.headers.emplace_back()));
  return compiled(request.body, json_body ? TemplatePlace::kJsonBody : TemplatePlace::kBody,
                  json_body ? ".json" : ".body", out.body);
}

Status ScenarioContent::compile_answers(const RequestContent& plan, const std::string& key,
                                        EndpointContent& out) {
  for (const ExtractPlan& extract : plan.extract) {
    auto extraction = Extraction::compile(extract, key + ".extract." + extract.name);
    if (!extraction.is_ok()) return extraction.status();
    extraction->add_needs(out.needs);
    out.extracts.push_back({std::move(extraction).value(), *names_.find(extract.name), false});
  }
  PLUMB_ASSIGN_OR_RETURN(out.checks, AnswerChecks::compile(plan.checks, key + ".checks"));
  out.checks.add_needs(out.needs);
  if (plan.redirects > 0) out.needs.add_header("Location");
  return Status::ok();
}

// What headers take must fit one line: files are looked through now, answers as they come.
Status ScenarioContent::fit_headers() {
  std::vector<uint32_t> in_headers;
  for (const EndpointContent& endpoint : endpoints_)
    for (const Template& header : endpoint.headers)
      for (const uint32_t slot : header.line_slots()) add_once(slot, in_headers);
  for (const uint32_t slot : in_headers)
    if (const auto column = column_of(slot))
      PLUMB_RETURN_IF_ERROR(column->first->check_lines(column->second));
  for (EndpointContent& endpoint : endpoints_)
    for (EndpointContent::Extract& extract : endpoint.extracts)
      extract.one_line =
          std::find(in_headers.begin(), in_headers.end(), extract.slot) != in_headers.end();
  return Status::ok();
}

std::optional<std::pair<const Feeder*, size_t>> ScenarioContent::column_of(uint32_t slot) const {
  for (const auto& feeder : feeders_)
    for (size_t column = 0; column < feeder->columns().size(); ++column)
      if (feeder->columns()[column] == names_[slot]) return std::pair(feeder.get(), column);
  return std::nullopt;
}

std::vector<std::string> ScenarioContent::used_up() const {
  std::vector<std::string> out;
  for (const auto& feeder : feeders_)
    if (feeder->refused() > 0)
      out.push_back("feeder " + feeder->name() + " is used up: " +
                    std::to_string(feeder->refused()) + " iterations found no row");
  return out;
}

std::vector<uint32_t> ScenarioContent::slots_of(const EndpointContent& endpoint) const {
  std::vector<uint32_t> out;
  const auto add = [&out](const Template& text) {
    for (const uint32_t slot : text.slots()) add_once(slot, out);
  };
  add(endpoint.path);
  for (const Template& header : endpoint.headers) add(header);
  add(endpoint.body);
  return out;
}

Status ScenarioContent::add_iterations(const LoadPlan& plan) {
  const auto& sequences = plan.scenario.sequences;
  for (size_t i = 0; i < sequences.size(); ++i)
    PLUMB_RETURN_IF_ERROR(add_iteration(sequences[i].weight, sequences[i].steps,
                                        "load.scenarios[" + std::to_string(i) + "].steps"));
  for (uint32_t i = 0; i < plan.requests.size(); ++i)
    if (plan.requests[i].weight > 0)
      PLUMB_RETURN_IF_ERROR(add_iteration(plan.requests[i].weight, {i}, request_key(i)));
  std::vector<double> weights;
  for (const IterationContent& iteration : iterations_) weights.push_back(iteration.weight);
  mix_.emplace(weights);
  return Status::ok();
}

Status ScenarioContent::add_iteration(double weight, std::vector<uint32_t> steps,
                                      const std::string& key) {
  IterationContent out;
  out.weight = weight;
  std::vector<uint32_t> known;
  for (const uint32_t step : steps) {
    for (const uint32_t slot : slots_of(endpoints_[step])) {
      if (std::find(known.begin(), known.end(), slot) != known.end()) continue;
      known.push_back(slot);
      const auto column = column_of(slot);
      if (!column)
        return Status::invalid_argument(
            key + ": '" + endpoints_[step].request->name + "' takes {{" + names_[slot] +
            "}}, which no request before it in the same scenario extracts");
      auto draw = std::find_if(out.draws.begin(), out.draws.end(),
                               [&](const auto& d) { return d.feeder == column->first; });
      if (draw == out.draws.end())
        draw = out.draws.insert(out.draws.end(), IterationContent::Draw{column->first, {}});
      draw->columns.push_back({column->second, slot});
    }
    for (const EndpointContent::Extract& extract : endpoints_[step].extracts)
      add_once(extract.slot, known);
  }
  out.steps = std::move(steps);
  iterations_.push_back(std::move(out));
  return Status::ok();
}

}  // namespace plumb::http_load
