// What a reader must know besides the verdict: when a plugin did not see, what went wrong while the
// run lasted, and what watching cost. Every renderer says it in these words.
#ifndef PLUMB_CORE_REPORT_REMARKS_H_
#define PLUMB_CORE_REPORT_REMARKS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plumb::report {

// Stretches in which a plugin saw nothing, or only part, as far as they touch what is judged.
struct Unseen {
  std::string plugin;
  std::string what;     // "saw nothing from 3.0 to 7.3 s into the run"
  std::string because;  // the plugin's words; may be empty
  std::string sentence() const;
};
std::vector<Unseen> unseen_stretches(const nlohmann::json& report);

// Warnings and errors up to the end of what is judged, those of one kind together, as sentences:
// "4.0 s: pg_stats: the server was restarted (and 2 more until 9.1 s)". What the report says
// elsewhere is left out.
std::vector<std::string> event_sentences(const nlohmann::json& report);

// "Watching took 4.2% of a processor: stack_profile 3.1%, pg_stats 1.1% and 0.3% in the database
// server."; empty when nothing is known of it.
std::string watching_sentence(const nlohmann::json& report);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_REMARKS_H_
