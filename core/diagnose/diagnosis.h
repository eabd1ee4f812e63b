// What plumb concludes of a run, and the one way there: validity, ledger, findings, matrix,
// verdict.
#ifndef PLUMB_CORE_DIAGNOSE_DIAGNOSIS_H_
#define PLUMB_CORE_DIAGNOSE_DIAGNOSIS_H_

#include <map>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/diagnose/capacity_model.h"
#include "core/diagnose/interval.h"
#include "core/facts/facts.h"
#include "core/store/run_file.h"

namespace plumb::diagnose {

enum class ValidityStatus { kValid, kGeneratorLimited, kInsufficient };
std::string_view validity_name(ValidityStatus status);  // valid, generator_limited, insufficient

// One check of the measurement itself.
struct ValidityCheck {
  std::string name;  // kebab-case
  bool passed = true;
  bool fatal = false;    // a failed fatal check makes the run invalid
  std::string sentence;  // with its numbers
  std::vector<std::string> evidence;
};

struct Validity {
  ValidityStatus status = ValidityStatus::kValid;
  std::vector<ValidityCheck> checks;
};

// Milliseconds of each request, one line of the split.
struct LedgerLine {
  std::string key;    // client.connect, app.cpu, database.lock, queue.<resource>, unexplained
  std::string layer;  // client network app database downstream host unexplained, or queue
  std::string label;  // for people
  double ms = 0;
  std::string note;  // arithmetic or caveat, or empty
  std::vector<std::string> evidence;
  std::optional<Interval> interval = {};  // ms; empty where the window has too few slices
};

// The ledger of a part of the window.
struct LedgerSlice {
  facts::Window window;
  double requests = 0;
  double total_ms = 0;
  std::map<std::string, double> ms;  // by key; they sum to total_ms
};

struct Ledger {
  // Mean response time the client saw, with the time of requests that never finished.
  double total_ms = 0;
  double requests = 0;
  std::vector<LedgerLine> lines;  // sum to total_ms
  double unexplained_ms = 0;
  double overlap_ms = 0;  // by how much the explained lines exceed the total; 0 when they fit
  std::string note;
  std::vector<LedgerSlice> slices;  // the same over time; those without a request are left out
  double ms_of(std::string_view key) const;
};

struct Finding {
  std::string cause;  // stable id such as db-lock-contention
  std::string layer;
  double cost_ms = 0;  // of each request
  // What it has taken, 0 to 1, of what is left until the service fails, where the rule says.
  std::optional<double> headroom_lost = {};
  bool explains_errors = false;  // why requests fail, not why they are slow
  double confidence = 0;         // 0 to 1
  std::string says;              // why, with its numbers
  std::string what_if;           // latency and throughput without it
  double latency_without_ms = 0;
  std::optional<double> throughput_bound;  // requests/s
  std::string check;                       // the command or query a person verifies it with
  std::vector<std::string> advice;
  std::vector<std::string> evidence;  // fact ids
  std::string because_of;             // another finding's cause that explains this one, or empty
  // The cause that hid it: it stands out once that one and the others before it, which cost
  // after_ms of each request, are gone. Empty where it stands out as things are.
  std::string after = {};
  double after_ms = 0;
};

// Of what a row looks at: it is the bottleneck; its limit is broken, but something else is the
// bottleneck, or nothing; it is within its limit; it could not be seen.
enum class RowState { kOk, kExceeded, kBottleneck, kUnknown };
std::string_view row_state_name(RowState state);  // ok, exceeded, bottleneck, unknown

struct MatrixRow {
  std::string component;
  std::string metric;
  std::string test;  // which rule or SLO looked
  std::string expected;
  std::string actual;
  std::optional<double> cost_ms;
  RowState state = RowState::kOk;
  std::vector<std::string> evidence;
  std::string fact = {};  // the name of the fact it shows, where an SLO may limit it
};

struct SloResult {
  std::string endpoint;  // empty: all
  std::string metric;
  std::string fact = {};         // its name
  std::string limit;             // as written
  std::optional<double> actual;  // in the metric's unit; empty: could not be evaluated
  // How far it is from the limit, as a share of it; below zero when breached. Empty where nothing
  // was evaluated or the limit is 0.
  std::optional<double> margin = {};
  bool at_least = false;  // the limit is a lower one
  bool met = false;
  std::string sentence;
  std::vector<std::string> evidence;
};

struct Verdict {
  std::string label;       // Stable, Warning, Threat, Inconclusive
  std::string conclusion;  // one sentence
  std::optional<Finding> bottleneck;
};

// One stage judged by itself: what held it up, by the same rules.
struct StageDiagnosis {
  StageSpan stage;
  Ledger ledger;
  std::vector<Finding> findings;  // ranked
  Verdict verdict;
  double rate = 0;            // requests/s
  double error_rate = 0;      // of the requests
  std::optional<double> p95;  // seconds; empty where no request succeeded
};

// Where one endpoint's time goes as far as the client can tell.
struct EndpointLedger {
  std::string endpoint;
  double requests = 0;
  double total_ms = 0;
  std::vector<LedgerLine> lines;  // the client's lines, then server: the wait for the first byte
};

// Something that changed inside the run although the load stayed the same.
struct Change {
  std::string measure;   // latency.p50, requests.rate, ... (see core/facts/changes.h)
  bool gradual = false;  // bit by bit from at_s on, over the whole stretch of even load
  double at_s = 0;       // since the run began
  double before = 0;
  double after = 0;
  std::string unit;
  std::string sentence;  // with the part of the ledger that moved, where it is latency
  std::vector<std::string> evidence;
};

struct Diagnosis {
  Validity validity;
  Ledger ledger;
  std::vector<Finding> findings;  // ranked
  std::vector<MatrixRow> matrix;
  std::vector<SloResult> slos;
  Verdict verdict;
  std::vector<StageDiagnosis> stages;     // where the run has several; empty for an invalid run
  std::vector<Change> changes;            // in order of their time; empty for an invalid run
  std::vector<EndpointLedger> endpoints;  // in order of their names; of two or more
  std::optional<CapacityModel> capacity;  // empty for an invalid run
  std::vector<std::string> notes;         // what could not be judged, and why
};

// Judges a run. Adds derived facts (ledger.*, resource.*, validity.*) to `facts`. Fails only when
// the rules kept in the run cannot be read; a run without data is a diagnosis too.
Result<Diagnosis> diagnose(const store::RunData& run, facts::FactSet& facts);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_DIAGNOSIS_H_
