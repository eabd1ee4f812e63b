#include "core/cli/last_words.h"

#include <new>
#include <system_error>

namespace plumb::cli {

std::string last_words(const std::exception& exception) {
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr)
    return "there is no memory left: raise the limit (ulimit -v, or MemoryMax= of the systemd "
           "unit)";
  // What starting a thread says.
  const auto* system = dynamic_cast<const std::system_error*>(&exception);
  if (system != nullptr && system->code() == std::errc::resource_unavailable_try_again)
    return "a thread could not be started: raise the limit on memory or on processes (ulimit -v, "
           "ulimit -u, or MemoryMax= and TasksMax= of the systemd unit)";
  return std::string(exception.what()) + "; this is a fault of plumb's own";
}

}  // namespace plumb::cli
