#include "plugins/prom_scrape/prom_scrape.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "plugins/prom_scrape/metrics_table.h"
#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

constexpr int64_t kTableEveryNs = 60'000'000'000;
// A stage's begin is the time of the page that is asked for at once when it is told.
constexpr int64_t kStageSlackNs = 100'000'000;
// How much the last scrape's cost counts in their average.
constexpr double kNewest = 0.3;
constexpr const char* kWhere =
    "set url to where the application serves its metrics, such as /actuator/prometheus";

double seconds_of(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// "Name: value" as a request can carry it.
Status check_header(const std::string& header) {
  const size_t colon = header.find(':');
  const bool named = colon != std::string::npos && colon > 0 &&
                     header.find_first_of(" \t\"(),/;<=>?@[\\]{}") > colon;
  if (!named) return Status::invalid_argument("header: written as Name: value");
  for (const char c : header)
    if (c == '\r' || c == '\n' || c == '\0')
      return Status::invalid_argument("header: holds a line break; one header only");
  return Status::ok();
}

std::string many(size_t count, const char* one, const char* several) {
  return std::to_string(count) + " " + (count == 1 ? one : several);
}

std::string milliseconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), seconds < 0.01 ? "%.1f" : "%.0f", seconds * 1e3);
  return text;
}

void add_sentence(std::string& text, const std::string& sentence) {
  if (!text.empty()) text += "; ";
  text += sentence;
}

}  // namespace

PromScrape::PromScrape(Host host) : Sampler(host), out_(host) {}

Status PromScrape::configure(const Config& config) {
  const auto document = nlohmann::json::parse(config.document(), nullptr, false);
  const auto target = document.is_object() ? document.value("target", nlohmann::json::object())
                                           : nlohmann::json::object();
  const auto text = [&](const char* key) {
    const auto at = target.find(key);
    return at != target.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  PLUMB_ASSIGN_OR_RETURN(Endpoint endpoint,
                         endpoint_from(text("url"), text("host"), config.string("url")));
  PLUMB_ASSIGN_OR_RETURN(NameFilter filter,
                         NameFilter::from(config.string("include"), config.string("exclude")));
  std::vector<std::string> headers;
  if (const std::string token = config.string("bearer_token"); !token.empty())
    headers.push_back("Authorization: Bearer " + token);
  if (const std::string header = config.string("header"); !header.empty())
    headers.push_back(header);
  for (const std::string& header : headers) PLUMB_RETURN_IF_ERROR(check_header(header));

  url_ = endpoint.shown;
  sends_credentials_ = !headers.empty();
  max_series_ = static_cast<size_t>(config.integer("max_series", 500));
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
      config.duration("timeout", std::chrono::seconds(2)));
  client_ = std::make_unique<MetricsClient>(std::move(endpoint), std::move(headers), timeout,
                                            interrupted_);
  scraped_.emplace(out_, std::move(filter), max_series_);
  return Status::ok();
}

Status PromScrape::start() {
  scrape(std::nullopt);
  return Status::ok();
}

Status PromScrape::collect() {
  const int64_t now = host().now_ns();
  const int64_t interval = now - std::exchange(last_tick_ns_, now);
  if (now < next_scrape_ns_) {
    // A scrape at the start or at a stage's begin may stand in for a tick's that follows soon. Only
    // a pause that is longer than from tick to tick makes scrapes fewer.
    pausing_ = pausing_ || pause_ns_ > interval;
    return Status::ok();
  }
  scrape(std::nullopt);
  return Status::ok();
}

Status PromScrape::stage(const Stage& stage) {
  const int64_t now = host().now_ns();
  const bool prompt = stage.start_ns <= now && now - stage.start_ns < kStageSlackNs;
  scrape(prompt ? std::optional(stage.start_ns) : std::nullopt);
  return Status::ok();
}

Status PromScrape::stop(int64_t) {
  if (!read_one_) return Status::ok();
  scraped_->finish();
  emit_table();
  return Status::ok();
}

void PromScrape::interrupt() { interrupted_ = true; }

void PromScrape::scrape(std::optional<int64_t> stamp_ns) {
  const int64_t began = host().now_ns();
  const double cpu_before = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  fetch(began, stamp_ns);
  // Whatever came of it: an answer that is refused has cost what it cost.
  const double cost = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
  cost_seconds_ += kNewest * (cost - cost_seconds_);
  const auto pause = static_cast<int64_t>(cost_seconds_ / kMostCpuShare * 1e9);
  pause_ns_ = std::min(pause, kLongestPauseNs);
  next_scrape_ns_ = began + pause_ns_;
}

void PromScrape::fetch(int64_t began_ns, std::optional<int64_t> stamp_ns) {
  const Result<MetricsPage> page = client_->get();
  if (!page) {
    if (page.status().code() != PLUMB_CANCELLED) go_dark(page.status().message());
    return;
  }
  if (const std::string why = refusal(*page); !why.empty()) return go_dark(why);
  const int64_t middle = began_ns + (host().now_ns() - began_ns) / 2;
  read(*page, std::max(stamp_ns.value_or(middle), last_stamp_ns_ + 1));
}

std::string PromScrape::refusal(const MetricsPage& page) const {
  const std::string status = std::to_string(page.status);
  if (page.status == 401 || page.status == 403)
    return sends_credentials_
               ? "it refuses what bearer_token or header say (" + status + ")"
               : "it asks for credentials (" + status + "): give bearer_token or header";
  if (page.status == 404) return std::string("there is no such page (404): ") + kWhere;
  if (page.status >= 300 && page.status < 400)
    return "it redirects to \"" +
           plain_text(page.location.substr(0, page.location.find_first_of("?#")), 200) + "\" (" +
           status + "), and redirects are not followed: set url to where the metrics are";
  if (page.status >= 500)
    return "it fails with status " + status + ": the application's own log says why";
  if (page.status != 200) return "it answers with status " + status + ": " + kWhere;
  if (looks_like_html(*page.body))
    return std::string("it answers with a page for people (HTML), not with metrics: ") + kWhere;
  const size_t first = page.body->find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "its page is empty: no metric is registered there";
  if ((*page.body)[first] == '{' || (*page.body)[first] == '[')
    return std::string("it answers with JSON, not with metrics as text: ") + kWhere;
  return {};
}

void PromScrape::read(const MetricsPage& page, int64_t stamp_ns) {
  scraped_->begin_page();
  const ExpositionSummary summary = read_exposition(*page.body, page.whole, *scraped_);
  if (summary.malformed > summary.samples || summary.samples == 0)
    return go_dark(
        "what it answers with are no metrics: " + many(summary.malformed, "line", "lines") +
        " of " + std::to_string(summary.lines) + " malformed, such as line " +
        std::to_string(summary.first_malformed_line) + ", " + summary.first_malformed);
  const bool open_metrics = page.content_type.find("openmetrics-text") != std::string::npos;
  const bool cut_off = open_metrics && !summary.ended;
  const PageVerdict verdict =
      scraped_->end_page(stamp_ns, seconds_of(CLOCK_REALTIME), summary.malformed == 0 && !cut_off);
  last_stamp_ns_ = stamp_ns;
  tell_restarts(verdict);
  tell_health(summary, cut_off);
  if (!read_one_ || stamp_ns >= next_table_ns_) emit_table();
  read_one_ = true;
}

void PromScrape::go_dark(const std::string& why) {
  std::string text = "no metrics from " + url_ + ": " + why;
  if (const std::string pause = take_pause(); !pause.empty()) add_sentence(text, pause);
  host().health(PLUMB_HEALTH_DARK, plain_text(text, 1'000));
}

std::string PromScrape::take_pause() {
  if (!std::exchange(pausing_, false)) return {};
  return "a scrape takes " + milliseconds_text(cost_seconds_) +
         " ms of processor time, so that there are fewer: choose metrics with a smaller page, or "
         "set interval";
}

void PromScrape::tell_health(const ExpositionSummary& page, bool cut_off) {
  std::string problems;
  if (page.malformed > 0)
    add_sentence(problems, many(page.malformed, "line", "lines") +
                               " of the page malformed and skipped, such as line " +
                               std::to_string(page.first_malformed_line) + ", " +
                               page.first_malformed);
  if (cut_off) add_sentence(problems, "the page ends without # EOF: part of it is missing");
  if (scraped_->beyond() > 0) {
    std::string names;
    for (const std::string& name : scraped_->beyond_names())
      names += (names.empty() ? "" : ", ") + name;
    add_sentence(problems, many(scraped_->beyond(), "series is", "series are") +
                               " beyond max_series (" + std::to_string(max_series_) +
                               ") and left out, among them of " + names +
                               ": raise it, or choose with include and exclude");
  }
  if (scraped_->several_processes())
    add_sentence(problems,
                 "answers come from several processes in turn, so growth is counted only "
                 "between two answers of one: give the url of a single one");
  if (scraped_->too_many_pools())
    add_sentence(problems, "more pools and caches than " +
                               std::to_string(LayerFacts::kMostResources) +
                               ": those beyond are left out of the app_ series");
  if (const std::string& name = scraped_->families().retyped(); !name.empty())
    add_sentence(problems, "metric " + name + " changed its type: it is read as at first");
  if (const std::string pause = take_pause(); !pause.empty()) add_sentence(problems, pause);
  host().health(problems.empty() ? PLUMB_HEALTH_OK : PLUMB_HEALTH_DEGRADED,
                plain_text(problems, 1'000));
}

void PromScrape::tell_restarts(const PageVerdict& verdict) {
  if (scraped_->several_processes()) {
    if (!several_)
      (void)host().event(PLUMB_WARNING, "several-processes",
                         "the metrics come from several processes in turn: what grew between two "
                         "answers of different ones is unknown");
    several_ = true;
    return;
  }
  several_ = false;
  if (verdict.continuity == Continuity::kRestarted) {
    (void)host().event(PLUMB_WARNING, "app-restarted",
                       "the process that exposes the metrics was started anew: it counts from "
                       "zero, the totals go on");
  } else if (verdict.fell + verdict.began_anew > 0) {
    (void)host().event(PLUMB_WARNING, "counters-reset",
                       many(verdict.fell + verdict.began_anew, "counter", "counters") +
                           " began anew, such as " + plain_text(verdict.first_fell, 80) +
                           ": the totals go on");
  }
}

void PromScrape::emit_table() {
  (void)host().table("scraped_metrics", metrics_table(*scraped_));
  next_table_ns_ = last_stamp_ns_ + kTableEveryNs;
}

}  // namespace plumb::prom_scrape
