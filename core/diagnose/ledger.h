// The time ledger: mean milliseconds per request, split by layer, summing to what the client saw.
#ifndef PLUMB_CORE_DIAGNOSE_LEDGER_H_
#define PLUMB_CORE_DIAGNOSE_LEDGER_H_

#include "core/diagnose/diagnosis.h"
#include "core/facts/facts.h"

namespace plumb::diagnose {

// A resource with few servers that requests take in turn.
struct SerialResource {
  std::string key;     // pool, main_thread, or the series' own name
  std::string name;    // for people: "a pool connection"; of several, with what tells them apart
  Labels labels = {};  // of the series that a plugin tells of it by
  double utilisation = 0;
  double servers = 1;
  std::string arithmetic = {};
  std::vector<std::string> evidence = {};
  // Of its servers, how many are at work at an instant: those who have it do not wait for it.
  double busy() const { return utilisation * servers; }
};

// What the resources that are inferred here are called.
inline constexpr const char* kPoolName = "a pool connection";
inline constexpr const char* kMainThreadName = "the application's one busy thread";
inline constexpr const char* kAcceptName = "the accept queue";  // and by which port
inline constexpr const char* kQuotaName = "the processors that its quota leaves it";

// From such a share of its periods on a quota is what its group waits for.
inline constexpr double kOftenThrottled = 0.5;

// A resource fuller than this makes what nothing else explains queueing for it.
inline constexpr double kNearlyFull = 0.85;
// From here to there a queue in front of one server is as long as chance makes it.
inline constexpr double kOftenBusy = 0.7;

// Where programs beside the service do more than this share of the processors' work, that work is
// no request's: it does not grow with the load.
inline constexpr double kMostlyOthers = 0.5;

// The serial resources that the run watched, fullest first.
std::vector<SerialResource> serial_resources(const store::RunData& run,
                                             const facts::FactSet& facts);

// Builds the ledger of `window`, whose facts are `facts`, and adds to those: ledger.<key> for every
// line of it, and with the labels of the series that a line is the sum of, for each of them;
// ledger.total, ledger.unexplained, ledger.layer.<layer>, all in seconds per request; and
// resource.utilisation and resource.servers, labelled by resource. Without completed requests the
// ledger is empty and no fact is added. It has neither slices nor intervals.
Ledger build_ledger(const store::RunData& run, const facts::Window& window, facts::FactSet& facts);

// The client's side of each endpoint's time, from the facts that are labelled by endpoint.
std::vector<EndpointLedger> endpoint_ledgers(const facts::FactSet& facts);

// Whether the ledger reads this series.
bool feeds_ledger(const SeriesInfo& series);

// Adds to the ledger of `window` its slices over time (at most 30, of a second at least) and, from
// how much they differ, the interval of each line (a jackknife over slices; from five slices on).
void add_slices(const store::RunData& run, const facts::Window& window, Ledger& ledger);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_LEDGER_H_
