// The secret that requests carry when plumbd was started with --token-file.
#ifndef PLUMB_CORE_SERVE_TOKEN_H_
#define PLUMB_CORE_SERVE_TOKEN_H_

#include <filesystem>
#include <plumb/status.hpp>
#include <string>
#include <string_view>

namespace plumb::serve {

// The token in `file`, which must be a regular file of this user that nobody else may read or
// write. When there is no such file it is made, mode 0600, with 256 random bits in hexadecimal.
// No status says anything of the content.
Result<std::string> load_or_create_token(const std::filesystem::path& file);

// Whether both are equal, in a time that depends on their lengths alone.
bool same_secret(std::string_view sent, std::string_view secret);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_TOKEN_H_
