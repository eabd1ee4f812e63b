#include "core/report/remarks.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/number_text.h"
#include "core/report/json_read.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr double kAtTheStart = 0.05;       // seconds; shown as 0.0
constexpr size_t kMostPlugins = 8;         // in the sentence on what watching cost
constexpr size_t kShortestQuotation = 12;  // bytes; a shorter text may stand in another by chance

struct JudgedTime {
  double start_s = -std::numeric_limits<double>::infinity();
  double end_s = std::numeric_limits<double>::infinity();
};

JudgedTime judged_time(const json& report) {
  const json& window = member(member(report, "run"), "window");
  JudgedTime out;
  out.start_s = number(window, "start_s").value_or(out.start_s);
  out.end_s = number(window, "end_s").value_or(out.end_s);
  return out;
}

struct Stretch {
  double from_s = 0;
  std::optional<double> to_s;  // empty: to the end of the run
  std::string because;
};

// One plugin's stretches of one kind, as its changes of health come in.
class Stretches {
 public:
  void change(bool inside, double at_s, const std::string& because) {
    const bool open = !list_.empty() && !list_.back().to_s;
    if (!inside) {
      if (open) list_.back().to_s = at_s;
      return;
    }
    if (!open) list_.push_back({at_s, std::nullopt, {}});
    if (!because.empty()) list_.back().because = because;
  }
  // Without those that lie before or after what is judged.
  std::vector<Stretch> touching(const JudgedTime& judged) const {
    std::vector<Stretch> out;
    for (const Stretch& one : list_)
      if (one.from_s < judged.end_s && one.to_s.value_or(judged.end_s) > judged.start_s)
        out.push_back(one);
    return out;
  }

 private:
  std::vector<Stretch> list_;
};

std::string seconds_into(double seconds) { return grouped(seconds, 1); }

std::string stretches_text(const std::vector<Stretch>& stretches, bool dark) {
  const Stretch& first = stretches.front();
  const Stretch& last = stretches.back();
  const std::string verb = dark ? "saw nothing " : "saw only part ";
  if (stretches.size() > 1)
    return verb + grouped(static_cast<double>(stretches.size())) + " times, from " +
           seconds_into(first.from_s) +
           (last.to_s ? " to " + seconds_into(*last.to_s) + " s into the run"
                      : " s into the run to its end");
  if (first.to_s)
    return verb + "from " + seconds_into(first.from_s) + " to " + seconds_into(*first.to_s) +
           " s into the run";
  if (first.from_s < kAtTheStart) return dark ? "saw nothing" : "saw only part";
  return (dark ? "went dark " : verb + "from ") + seconds_into(first.from_s) + " s into the run";
}

// A plugin begins with "not seen: " where it tells what it misses, which is said before it.
std::string without_repetition(const std::string& because) {
  constexpr std::string_view kSaid = "not seen: ";
  return because.starts_with(kSaid) ? because.substr(kSaid.size()) : because;
}

void add_unseen(const std::string& plugin, const std::vector<Stretch>& stretches, bool dark,
                std::vector<Unseen>& out) {
  if (stretches.empty()) return;
  out.push_back(
      {plugin, stretches_text(stretches, dark), without_repetition(stretches.back().because)});
}

// Whether one of two texts repeats the other; the first character may differ, since a quotation may
// begin a sentence.
bool repeats(std::string_view a, std::string_view b) {
  while (a.ends_with('.')) a.remove_suffix(1);
  while (b.ends_with('.')) b.remove_suffix(1);
  if (std::min(a.size(), b.size()) < kShortestQuotation) return a == b;
  const auto holds = [](std::string_view text, std::string_view quotation) {
    return text.find(quotation.substr(1)) != std::string_view::npos;
  };
  return holds(a, b) || holds(b, a);
}

std::vector<std::string> said_elsewhere(const json& report) {
  std::vector<std::string> out = texts(report, "notes");
  const json& validity = member(report, "validity");
  for (const json& check : list(validity, "checks"))
    if (!flag(check, "passed")) out.push_back(text(check, "sentence"));
  for (const Unseen& unseen : unseen_stretches(report)) out.push_back(unseen.because);
  return out;
}

struct KindOfEvent {
  double at_s = 0;
  std::string plugin;
  std::string kind;
  std::string message;
  size_t further = 0;
  double last_s = 0;
};

std::vector<KindOfEvent> kinds_of_events(const json& report) {
  const JudgedTime judged = judged_time(report);
  std::vector<KindOfEvent> out;
  for (const json& event : list(report, "events")) {
    const std::string level = text(event, "level");
    const double at = number(event, "at_s").value_or(0);
    if ((level != "warning" && level != "error") || at > judged.end_s) continue;
    const std::string plugin = text(event, "plugin");
    const std::string kind = text(event, "kind");
    const auto same = std::find_if(out.begin(), out.end(), [&](const KindOfEvent& known) {
      return known.plugin == plugin && known.kind == kind;
    });
    if (same == out.end()) {
      out.push_back({at, plugin, kind, text(event, "message"), 0, at});
    } else {
      ++same->further;
      same->last_s = at;
    }
  }
  return out;
}

std::string event_sentence(const KindOfEvent& event) {
  std::string out = seconds_into(event.at_s) + " s: " + event.plugin + ": " +
                    (event.message.empty() ? event.kind : event.message);
  if (event.further != 0)
    out += " (and " + grouped(static_cast<double>(event.further)) + " more until " +
           seconds_into(event.last_s) + " s)";
  return out;
}

}  // namespace

std::string Unseen::sentence() const {
  return plugin + " " + what + (because.empty() ? "" : ": " + because);
}

std::vector<Unseen> unseen_stretches(const json& report) {
  struct OfPlugin {
    Stretches dark;
    Stretches partial;
  };
  std::vector<std::pair<std::string, OfPlugin>> plugins;
  for (const json& change : list(report, "health")) {
    const std::string name = text(change, "plugin");
    auto found = std::find_if(plugins.begin(), plugins.end(),
                              [&](const auto& entry) { return entry.first == name; });
    if (found == plugins.end()) found = plugins.insert(plugins.end(), {name, {}});
    const std::string health = text(change, "health");
    const double at = number(change, "at_s").value_or(0);
    const std::string because = text(change, "message");
    const bool dark = health == "dark";
    found->second.dark.change(dark, at, because);
    found->second.partial.change(health != "ok" && !dark, at, because);
  }
  const JudgedTime judged = judged_time(report);
  std::vector<Unseen> out;
  for (const auto& [name, plugin] : plugins) {
    add_unseen(name, plugin.dark.touching(judged), true, out);
    add_unseen(name, plugin.partial.touching(judged), false, out);
  }
  return out;
}

std::vector<std::string> event_sentences(const json& report) {
  const std::vector<std::string> said = said_elsewhere(report);
  std::vector<std::string> out;
  for (const KindOfEvent& event : kinds_of_events(report)) {
    const bool known = !event.message.empty() &&
                       std::any_of(said.begin(), said.end(), [&](const std::string& sentence) {
                         return !sentence.empty() && repeats(sentence, event.message);
                       });
    if (!known) out.push_back(event_sentence(event));
  }
  return out;
}

std::string watching_sentence(const json& report) {
  struct Cost {
    std::string plugin;
    double own = 0;
    double server = 0;
  };
  std::vector<Cost> costs;
  double whole = 0;
  for (const json& plugin : list(member(report, "self"), "plugins")) {
    const auto own = number(plugin, "cpu_ratio");
    const auto server = number(plugin, "server_cpu_ratio");
    if (!own && !server) continue;
    // What makes the load is no watching.
    if (text(plugin, "plugin") == text(member(member(report, "plan"), "load"), "plugin")) continue;
    costs.push_back({text(plugin, "plugin"), own.value_or(0), server.value_or(0)});
    whole += own.value_or(0) + server.value_or(0);
  }
  if (costs.empty()) return {};
  std::stable_sort(costs.begin(), costs.end(), [](const Cost& a, const Cost& b) {
    return a.own + a.server > b.own + b.server;
  });
  std::string out;
  for (size_t i = 0; i < costs.size() && i < kMostPlugins; ++i) {
    out += (i == 0 ? "" : ", ") + costs[i].plugin + " " + ratio_text(costs[i].own);
    if (costs[i].server > 0)
      out += " and " + ratio_text(costs[i].server) + " in the database server";
  }
  return "Watching took " + ratio_text(whole) + " of a processor: " + out +
         (costs.size() > kMostPlugins ? ", …." : ".");
}

}  // namespace plumb::report
