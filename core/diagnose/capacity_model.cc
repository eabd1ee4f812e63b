#include "core/diagnose/capacity_model.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/diagnose/ledger.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

constexpr size_t kMostModelSlices = 60;
constexpr double kLeastUse = 0.05;    // at the highest throughput: less is no limit to speak of
constexpr double kVariedRate = 0.15;  // spread of the throughput, over its mean
constexpr double kClearGrowth = 0.7;  // correlation of use and throughput
constexpr const char* kProcessors = "the processors";

// Use of a resource at one throughput.
struct UsePoint {
  double rate = 0;
  double use = 0;
};

bool is_modelled(const SeriesInfo& series) {
  return feeds_ledger(series) || series.name == "host_cpu_busy_ratio" ||
         series.name == "host_disk_busy_ratio" || series.name == "host_cpus" ||
         series.name == "others_cpu_seconds_total";
}

class Modelling {
 public:
  Modelling(const store::RunData& run, FactSet& facts) : run_(run), facts_(facts) {}

  CapacityModel model() {
    slices();
    auto law = fit_usl(points_);
    if (law.is_ok())
      model_.law = std::move(law).value();
    else
      model_.refused = law.status().message();
    for (const auto& [resource, uses] : uses_) forecast(resource, uses);
    std::sort(
        model_.resources.begin(), model_.resources.end(),
        [](const ResourceForecast& a, const ResourceForecast& b) { return a.full_at < b.full_at; });
    add_facts();
    return std::move(model_);
  }

 private:
  void slices() {
    const std::vector<StageSpan> stages = facts::judged_stages(run_);
    if (stages.empty()) return;
    window_ = {stages.front().start_ns, stages.back().end_ns};
    for (const facts::Window& part : facts::equal_parts(window_, kMostModelSlices)) {
      const FactSet facts = facts::compute(run_, part, is_modelled);
      const double rate = facts.value_or("requests.rate", 0);
      const double in_flight = facts.value_or("requests.concurrency", 0);
      if (rate <= 0) continue;
      points_.push_back({in_flight, rate});
      model_.highest_rate = std::max(model_.highest_rate, rate);
      if (const auto busy = facts.value("host_cpu_busy_ratio.mean")) {
        uses_[kProcessors].push_back({rate, *busy});
        busy_ += *busy * facts.value_or("host_cpus.mean", 1);
        others_ += facts.value_or("others_cpu_seconds_total.rate", 0);
      }
      for (const Fact* disk : facts.all("host_disk_busy_ratio.mean"))
        uses_["disk " + label_of(disk->labels, "device")].push_back({rate, disk->value});
      for (const SerialResource& resource : serial_resources(run_, facts))
        uses_[resource.name].push_back({rate, resource.utilisation});
    }
  }

  // A line through the points, and through nothing at no load where they stand at one level only.
  void forecast(const std::string& resource, const std::vector<UsePoint>& uses) {
    if (uses.size() < 3) return;
    double mean_rate = 0;
    double mean_use = 0;
    const UsePoint* highest = &uses.front();
    for (const UsePoint& point : uses) {
      mean_rate += point.rate / static_cast<double>(uses.size());
      mean_use += point.use / static_cast<double>(uses.size());
      if (point.rate > highest->rate) highest = &point;
    }
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (const UsePoint& point : uses) {
      xx += (point.rate - mean_rate) * (point.rate - mean_rate);
      xy += (point.rate - mean_rate) * (point.use - mean_use);
      yy += (point.use - mean_use) * (point.use - mean_use);
    }
    const double spread = std::sqrt(xx / static_cast<double>(uses.size())) / mean_rate;
    ResourceForecast out{.resource = resource, .utilisation = highest->use};
    double idle = 0;
    if (spread < kVariedRate) {
      // Whether other programs' work grows with the load is not known.
      if (resource == kProcessors && others_ > kMostlyOthers * busy_) return;
      out.extrapolated = true;
      out.each_request = mean_use / mean_rate;
      out.utilisation = mean_use;
    } else {
      // What does not grow with the load is not what limits it.
      if (xy <= 0 || yy <= 0 || xy / std::sqrt(xx * yy) < kClearGrowth) return;
      out.each_request = xy / xx;
      idle = std::max(0.0, mean_use - out.each_request * mean_rate);
    }
    if (out.utilisation < kLeastUse || out.each_request <= 0) return;
    out.full_at = (1 - idle) / out.each_request;
    model_.resources.push_back(std::move(out));
  }

  void add(const std::string& name, double value, const std::string& unit,
           const Labels& labels = {}) {
    facts_.add(window_, "capacity", "capacity." + name, value, unit, labels);
  }

  void add_facts() {
    if (model_.law) {
      add("peak_rate", model_.law->peak_rate.value, "requests/s");
      add("lambda", model_.law->lambda.value, "requests/s");
      add("sigma", model_.law->sigma.value, "1");
      add("kappa", model_.law->kappa.value, "1");
      if (model_.law->peak_in_flight)
        add("peak_in_flight", model_.law->peak_in_flight->value, "requests");
    }
    for (const ResourceForecast& forecast : model_.resources)
      add("full_at", forecast.full_at, "requests/s", {{"resource", forecast.resource}});
  }

  const store::RunData& run_;
  FactSet& facts_;
  facts::Window window_;
  std::vector<LoadPoint> points_;
  std::map<std::string, std::vector<UsePoint>> uses_;
  double busy_ = 0;    // processors, summed over the slices
  double others_ = 0;  // of these, by programs that are not the target's
  CapacityModel model_;
};

}  // namespace

CapacityModel model_capacity(const store::RunData& run, FactSet& facts) {
  return Modelling(run, facts).model();
}

}  // namespace plumb::diagnose
