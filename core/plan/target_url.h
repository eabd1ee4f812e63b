// The address of a target: scheme://host[:port] and nothing else.
#ifndef PLUMB_CORE_PLAN_TARGET_URL_H_
#define PLUMB_CORE_PLAN_TARGET_URL_H_

#include <plumb/status.hpp>
#include <string>
#include <string_view>

namespace plumb::plan {

struct TargetUrl {
  std::string url;   // normalised: lower-case scheme and host, no slash at the end
  std::string host;  // without the brackets of an IPv6 address
  int port = 0;      // 80 or 443 unless given
};

// The message never repeats user information.
Result<TargetUrl> parse_target_url(std::string_view text);

// localhost, 127.0.0.0/8 and ::1.
bool is_loopback(std::string_view host);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_TARGET_URL_H_
