// What users do: which requests an iteration consists of, and what their answers mean. The border
// between the schedule and the content of the load.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_WORKLOAD_H_
#define PLUMB_PLUGINS_HTTP_LOAD_WORKLOAD_H_

#include <cstdint>

#include "plugins/http_load/transport.h"

namespace plumb::http_load {

// There is no iteration to begin: what the plan gives users to do is used up.
inline constexpr uint32_t kNoEndpoint = UINT32_MAX;

// One request of an iteration.
struct Step {
  uint32_t endpoint = 0;             // index into the plan's requests, or of begin() kNoEndpoint
  const Message* message = nullptr;  // null: as planned; else valid until its completion
  AnswerSink* sink = nullptr;        // may be null; else valid until its completion
};

// What follows the completion of a step.
struct Next {
  enum class What : uint8_t {
    kDone,   // the iteration is over
    kStep,   // its next step, after the pause
    kFollow  // the same request goes on (a redirect): nothing is recorded of this completion
  };
  What what = What::kDone;
  int64_t pause_ns = 0;
};

// Single-threaded, one for each worker. A user has one request at a time.
class Workload {
 public:
  virtual ~Workload() = default;
  // Begins an iteration and gives its first step. `user` counts from 0 and comes back again and
  // again; `fresh` says that somebody new stands behind it now: without cookies, say. `draw` is 64
  // random bits, the same for the same seed and place in the schedule: every choice about what is
  // requested follows from it. After kNoEndpoint a user of the closed model ends; in the open
  // model the iteration is left out.
  virtual Step begin(uint32_t user, bool fresh, uint64_t draw) = 0;
  // Reads an answer, whose sink has seen it all. May turn it into a failure: a completion without
  // an error can be given one, with its detail, which stays valid until the next call.
  virtual Next completed(Completion& completion) = 0;
  // The step announced by completed().
  virtual Step next(uint32_t user) = 0;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_WORKLOAD_H_
