// What a service tells systemd (sd_notify), without its library.
#ifndef PLUMB_CORE_SERVE_SERVICE_NOTICE_H_
#define PLUMB_CORE_SERVE_SERVICE_NOTICE_H_

#include <string_view>

namespace plumb::serve {

// Sends "READY=1" or "STOPPING=1" to NOTIFY_SOCKET; does nothing when there is none.
void notify_service(std::string_view state);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_SERVICE_NOTICE_H_
