// SIGTERM and SIGINT: the first is waited for, the second ends the process at once.
#ifndef PLUMB_CORE_SERVE_STOP_SIGNAL_H_
#define PLUMB_CORE_SERVE_STOP_SIGNAL_H_

#include <plumb/status.hpp>

namespace plumb::serve {

// To be called once, before other threads are started: they inherit that the signals are held back
// for wait_for_stop_signal().
Status install_stop_signals();
// Blocks until one has come and gives its number. On the thread that installed them.
int wait_for_stop_signal();

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_STOP_SIGNAL_H_
