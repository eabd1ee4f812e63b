// Makes the run file of a soak and times what is made of it, each step by itself:
//   soak_report write FILE SECONDS SERIES
//   soak_report time FILE        prints one JSON object
#include <time.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/diagnose/diagnosis.h"
#include "core/diagnose/shipped_rules_for_tests.h"
#include "core/facts/facts.h"
#include "core/facts/random.h"
#include "core/report/report.h"
#include "core/store/run_file.h"

namespace {

using plumb::HistogramRecord;
using plumb::Labels;
using plumb::Sample;
using plumb::SeriesInfo;
using plumb::store::RunWriter;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kWarmup = 10;  // seconds
constexpr uint64_t kRate = 200;  // requests a second
constexpr const char* kEndpoints[] = {"list", "show", "order", "search", "login"};

// What a phase takes; `wait` is what is left. Connections are kept, so nothing is looked up and
// nothing is opened.
struct Phase {
  const char* name;
  double typical_s;
};
constexpr Phase kPhases[] = {{"lag", 40e-6}, {"queue", 0},    {"dns", 0},          {"connect", 0},
                             {"tls", 0},     {"send", 25e-6}, {"transfer", 90e-6}, {"wait", 0}};

// A service that is well for half of the run and then waits for locks, and as many other series as
// are asked for beside it: gauges and counters in turn.
class Soak {
 public:
  Soak(RunWriter& writer, int64_t seconds) : writer_(writer), seconds_(seconds) {}

  void write(size_t series) {
    writer_.set_stages({{PLUMB_STAGE_WARMUP, "warmup", 0, kWarmup * kSecond},
                        {PLUMB_STAGE_STEADY, "steady", kWarmup * kSecond, seconds_ * kSecond}});
    declare(series);
    for (now_ = 0; now_ < seconds_; ++now_) {
      load();
      samples();
      if (const plumb::Status status = writer_.flush(); !status.is_ok()) return;
    }
  }

 private:
  // How a series goes on: a gauge about its level, or a counter that grows by it.
  struct Course {
    uint32_t id = 0;
    uint32_t kind = PLUMB_KIND_GAUGE;
    double level = 0;
    double later = 0;  // in the second half of the run
    double value = 0;
  };

  // The ids of what is said of one endpoint.
  struct Endpoint {
    uint32_t response = 0;
    uint32_t service = 0;
    std::vector<uint32_t> phases;
  };

  void declare(size_t series) {
    gauge("http_load", "load_target_rate", "requests/s", kRate, kRate);
    gauge("http_load", "http_in_flight", "requests", 4, 16);
    counter("http_load", "http_scheduled_total", "requests", kRate);
    counter("http_load", "http_started_total", "requests", kRate);
    counter("http_load", "generator_cpu_seconds_total", "seconds", 0.05);
    gauge("host_metrics", "host_cpus", "1", 2, 2);
    gauge("host_metrics", "host_cpu_busy_ratio", "ratio", 0.3, 0.3);
    gauge("host_metrics", "host_memory_available_bytes", "bytes", 8e9, 8e9);
    gauge("host_metrics", "host_memory_total_bytes", "bytes", 16e9, 16e9);
    gauge("host_metrics", "target_resident_bytes", "bytes", 2e8, 2e8);
    gauge("host_metrics", "target_descriptors", "1", 60, 60);
    gauge("host_metrics", "target_threads", "1", 12, 12);
    counter("host_metrics", "target_cpu_seconds_total", "seconds", 0.4);
    counter("host_metrics", "target_runqueue_seconds_total", "seconds", 0.02);
    gauge("pg_stats", "pg_client_connections", "connections", 20, 20);
    gauge("pg_stats", "pg_lock_waiters", "sessions", 0.1, 10);
    for (const char* wait : {"cpu", "commit", "io"})
      gauge("pg_stats", "pg_sessions", "sessions", 0.4, 0.4, {{"class", wait}});
    gauge("pg_stats", "pg_sessions", "sessions", 0.1, 10, {{"class", "lock"}});
    for (const char* endpoint : kEndpoints) {
      Endpoint& one = endpoints_.emplace_back();
      const Labels ok = {{"endpoint", endpoint}, {"outcome", "ok"}};
      one.response = histogram("http_response_seconds", ok);
      one.service = histogram("http_service_seconds", ok);
      for (const Phase& phase : kPhases)
        one.phases.push_back(
            histogram("http_phase_seconds", {{"endpoint", endpoint}, {"phase", phase.name}}));
    }
    for (size_t i = 0; series_ < series; ++i) {
      const Labels labels = {{"part", std::to_string(i / 40)}};
      const std::string name = "scraped_" + std::to_string(i % 40);
      if (i % 2 == 0)
        gauge("prom_scrape", name, "1", 10 + static_cast<double>(i), 10 + static_cast<double>(i),
              labels);
      else
        counter("prom_scrape", name + "_total", "1", 1 + static_cast<double>(i % 7), labels);
    }
  }

  uint32_t series(const char* plugin, const std::string& name, const char* unit, uint32_t kind,
                  Labels labels) {
    const auto id = static_cast<uint32_t>(++series_);
    writer_.on_series({.id = id,
                       .plugin = plugin,
                       .name = name,
                       .unit = unit,
                       .kind = kind,
                       .labels = std::move(labels)});
    return id;
  }
  void gauge(const char* plugin, const std::string& name, const char* unit, double level,
             double later, Labels labels = {}) {
    const uint32_t id = series(plugin, name, unit, PLUMB_KIND_GAUGE, std::move(labels));
    courses_.push_back({id, PLUMB_KIND_GAUGE, level, later, 0});
  }
  void counter(const char* plugin, const std::string& name, const char* unit, double each,
               Labels labels = {}) {
    const uint32_t id = series(plugin, name, unit, PLUMB_KIND_COUNTER, std::move(labels));
    courses_.push_back({id, PLUMB_KIND_COUNTER, each, each, 0});
  }
  uint32_t histogram(const char* name, Labels labels) {
    return series("http_load", name, "seconds", PLUMB_KIND_HISTOGRAM, std::move(labels));
  }

  bool is_later() const { return now_ >= seconds_ / 2; }

  // As exp of an even distribution: most values lie together, a few far above.
  uint64_t about(double typical_s) {
    return static_cast<uint64_t>(1e9 * typical_s * std::exp(random_.unit() - 0.5));
  }

  void load() {
    const uint64_t each = kRate / std::size(kEndpoints);
    for (const Endpoint& endpoint : endpoints_) {
      HistogramRecord response = record(endpoint.response);
      HistogramRecord service = record(endpoint.service);
      std::vector<HistogramRecord> phases;
      for (const uint32_t id : endpoint.phases) phases.push_back(record(id));
      for (uint64_t n = 0; n < each; ++n) {
        const uint64_t waited = about(is_later() ? 0.07 : 0.02);
        uint64_t all = waited;
        for (size_t i = 0; i + 1 < std::size(kPhases); ++i) {
          const uint64_t took = about(kPhases[i].typical_s);
          phases[i].histogram.record(took);
          all += took;
        }
        phases.back().histogram.record(waited);
        response.histogram.record(all);
        service.histogram.record(waited);
      }
      writer_.on_histogram(response);
      writer_.on_histogram(service);
      for (const HistogramRecord& phase : phases) writer_.on_histogram(phase);
    }
  }
  HistogramRecord record(uint32_t id) const {
    return {id, now_ * kSecond, (now_ + 1) * kSecond, plumb::Histogram()};
  }

  void samples() {
    std::vector<Sample> out;
    for (Course& course : courses_) {
      const double about =
          (is_later() ? course.later : course.level) * (0.95 + 0.1 * random_.unit());
      course.value = course.kind == PLUMB_KIND_COUNTER ? course.value + about : about;
      out.push_back({course.id, (now_ + 1) * kSecond, course.value});
    }
    writer_.on_samples(out);
  }

  RunWriter& writer_;
  const int64_t seconds_;
  int64_t now_ = 0;
  size_t series_ = 0;
  plumb::facts::Random random_{7};
  std::vector<Course> courses_;
  std::vector<Endpoint> endpoints_;
};

int fail(const std::string& what) {
  std::fprintf(stderr, "soak_report: %s\n", what.c_str());
  return 1;
}

int write(const std::string& file, int64_t seconds, size_t series) {
  plumb::store::RunHeader header;
  header.id = std::filesystem::path(file).stem().string();
  header.name = "soak";
  header.started_unix_ms = 1'795'171'512'345;
  header.plan = {{"name", "soak"}, {"load", {{"model", "open"}, {"rate", "200/s"}}}};
  header.rules = plumb::testing::shipped_rules();
  auto writer = RunWriter::create(file, header);
  if (!writer.is_ok()) return fail(writer.status().message());
  Soak(**writer, seconds).write(series);
  const plumb::Status status = (*writer)->finish(plumb::store::RunState::kFinished);
  return status.is_ok() ? 0 : fail(status.message());
}

// How long the call takes, in seconds of this process' own processor time and of the clock: a
// machine that does other things shows in the second.
template <typename Call>
nlohmann::json timed(Call&& call) {
  const auto cpu = [] {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  };
  const auto began = std::chrono::steady_clock::now();
  const double cpu_began = cpu();
  call();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return {{"seconds", took.count()}, {"processor_seconds", cpu() - cpu_began}};
}

bool same_bits(const plumb::facts::FactSet& one, const plumb::facts::FactSet& other) {
  if (one.size() != other.size()) return false;
  auto with = other.list().begin();
  for (const plumb::facts::Fact& fact : one.list()) {
    if (fact.name != with->name || fact.labels != with->labels ||
        std::bit_cast<uint64_t>(fact.value) != std::bit_cast<uint64_t>(with->value))
      return false;
    ++with;
  }
  return true;
}

int time_all(const std::string& file) {
  nlohmann::json out;
  plumb::Result<plumb::store::RunData> run = plumb::Status::not_found("not read");
  out["read"] = timed([&] { run = plumb::store::read_run(file); });
  if (!run.is_ok()) return fail(run.status().message());
  plumb::facts::FactSet facts;
  out["facts"] = timed([&] { facts = plumb::facts::compute(*run); });
  out["same_facts"] = same_bits(facts, plumb::facts::compute(*run));
  plumb::Result<plumb::diagnose::Diagnosis> diagnosis = plumb::Status::not_found("not made");
  out["diagnose"] = timed([&] { diagnosis = plumb::diagnose::diagnose(*run, facts); });
  if (!diagnosis.is_ok()) return fail(diagnosis.status().message());
  plumb::Result<nlohmann::json> report = plumb::Status::not_found("not made");
  out["build"] = timed([&] { report = plumb::report::build(*run); });
  if (!report.is_ok()) return fail(report.status().message());
  std::string page;
  out["html"] = timed([&] { page = plumb::report::to_html(*report); });
  out["html_bytes"] = page.size();
  out["series"] = run->series.size();
  out["facts_count"] = facts.size();
  out["cause"] = diagnosis->verdict.bottleneck ? diagnosis->verdict.bottleneck->cause : "none";
  out["changes"] = nlohmann::json::array();
  for (const plumb::diagnose::Change& change : diagnosis->changes)
    out["changes"].push_back(change.sentence);
  std::printf("%s\n", out.dump(1).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 4 && words[0] == "write")
    return write(words[1], std::atoll(words[2].c_str()),
                 static_cast<size_t>(std::atoll(words[3].c_str())));
  if (words.size() == 2 && words[0] == "time") return time_all(words[1]);
  std::fprintf(stderr, "usage: soak_report write FILE SECONDS SERIES | soak_report time FILE\n");
  return 2;
}
