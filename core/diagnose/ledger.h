// The time ledger: mean milliseconds per request, split by layer, summing to what the client saw.
#ifndef PLUMB_CORE_DIAGNOSE_LEDGER_H_
#define PLUMB_CORE_DIAGNOSE_LEDGER_H_

#include "core/diagnose/diagnosis.h"
#include "core/facts/facts.h"

namespace plumb::diagnose {

// A resource with few servers that requests take in turn.
struct SerialResource {
  std::string key;   // pool, main_thread, or the series' own name
  std::string name;  // for people: "a pool connection"
  double utilisation = 0;
  double servers = 1;
  std::string arithmetic = {};
  std::vector<std::string> evidence = {};
};

// A resource fuller than this makes what nothing else explains queueing for it.
inline constexpr double kNearlyFull = 0.85;

// The serial resources that the run watched, fullest first.
std::vector<SerialResource> serial_resources(const store::RunData& run,
                                             const facts::FactSet& facts);

// Builds the ledger of the steady window and adds to `facts`: ledger.<key> for every line of it,
// ledger.total, ledger.unexplained, ledger.server (the wait for the first byte), all in seconds per
// request; and resource.utilisation and resource.servers, labelled by resource. Without completed
// requests the ledger is empty and no fact is added.
Ledger build_ledger(const store::RunData& run, facts::FactSet& facts);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_LEDGER_H_
