// A line of the ledger while it is being built.
#ifndef PLUMB_CORE_DIAGNOSE_LEDGER_ENTRY_H_
#define PLUMB_CORE_DIAGNOSE_LEDGER_ENTRY_H_

#include <string>
#include <vector>

#include "core/facts/facts.h"
#include "core/store/run_file.h"

namespace plumb::diagnose {

// What one series has in a line.
struct Part {
  Labels labels;
  double seconds = 0;
};

struct Entry {
  std::string key;
  std::string layer;
  std::string label;
  double seconds = 0;  // per request
  std::string note = {};
  std::vector<std::string> evidence = {};
  std::vector<Part> parts = {};  // that it is the sum of, where series with labels make it

  void scale(double factor) {
    seconds *= factor;
    for (Part& part : parts) part.seconds *= factor;
  }
};

// Turns a number at an instant into seconds per request, by Little's law.
struct PerRequest {
  double window_seconds = 0;
  double requests = 0;
  double operator()(double at_an_instant) const {
    return at_an_instant * window_seconds / requests;
  }
};

// What the target's threads did and waited for, as far as the kernel tells: on a processor, waiting
// for one (apart: held back by the quota, kept by the hypervisor), for a disk, for memory, and
// connections that wait to be accepted.
std::vector<Entry> app_lines(const facts::FactSet& facts, const PerRequest& per_request);

// Waiting for a connection of a pool, from what the application itself says of it.
std::vector<Entry> told_pool_lines(const store::RunData& run, const facts::FactSet& facts,
                                   const PerRequest& per_request);

// Waiting for the application's own locks, from its off-CPU stacks. `present` requests are in
// flight: where clearly more threads wait than that, idle ones do too, such as workers that take
// turns at accepting, and nothing is said.
std::vector<Entry> lock_lines(const facts::FactSet& facts, double present);

// What the hypervisor takes from the threads behind `entries` while they are on a processor.
std::vector<Entry> theft_lines(const facts::FactSet& facts, const std::vector<Entry>& entries);

// What connections are held for while nothing that was measured happens, as far as it is beyond
// what was measured of the application and of its peers (seconds per request): an open transaction
// whose client does something else, or a pool's connection to a database that nobody watches.
std::vector<Entry> holding_lines(const facts::FactSet& facts, const PerRequest& per_request,
                                 double app, double peers);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_LEDGER_ENTRY_H_
