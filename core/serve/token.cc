#include "core/serve/token.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/unique_fd.h"

namespace plumb::serve {
namespace {

constexpr size_t kRandomBytes = 32;
constexpr size_t kLeastLength = 16;
constexpr size_t kMostLength = 4096;

std::string reason() { return std::strerror(errno); }

Result<std::string> create(const std::filesystem::path& file) {
  std::array<unsigned char, kRandomBytes> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return Status::internal("no random numbers for a token: " + reason());
  }
  std::string token;
  for (const unsigned char byte : random) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return Status::unavailable("cannot create " + file.string() + ": " + reason());
  const std::string line = token + "\n";
  if (write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    const std::string why = reason();
    unlink(file.c_str());
    return Status::unavailable("cannot write " + file.string() + ": " + why);
  }
  return token;
}

Result<std::string> read_all(int fd, const std::filesystem::path& file) {
  std::string text;
  std::array<char, 512> piece{};
  while (text.size() <= kMostLength) {
    const ssize_t n = read(fd, piece.data(), piece.size());
    if (n < 0) return Status::unavailable("cannot read " + file.string() + ": " + reason());
    if (n == 0) return text;
    text.append(piece.data(), static_cast<size_t>(n));
  }
  return Status::invalid_argument(file.string() + " is too long for a token");
}

}  // namespace

Result<std::string> load_or_create_token(const std::filesystem::path& file) {
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ENOENT) return create(file);
  if (!fd) return Status::unavailable("cannot open " + file.string() + ": " + reason());
  struct stat info {};
  if (fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Status::invalid_argument(file.string() + " is no regular file");
  }
  if (info.st_uid != geteuid() || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Status::permission_denied(file.string() +
                                     " can be used by others, so it keeps no secret; make it yours "
                                     "with chmod 600, or delete it and let plumbd make a new one");
  }
  PLUMB_ASSIGN_OR_RETURN(std::string text, read_all(fd.get(), file));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  if (text.size() < kLeastLength || text.find_first_of(" \t\r\n") != std::string::npos) {
    return Status::invalid_argument(
        file.string() +
        " holds no token: one line of at least 16 characters, without spaces; "
        "delete it and plumbd makes one");
  }
  return text;
}

bool same_secret(std::string_view sent, std::string_view secret) {
  if (sent.size() != secret.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < sent.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (sent[i] ^ secret[i]));
  }
  // Keeps the compiler from leaving the loop early.
  volatile unsigned char result = difference;
  return result == 0;
}

}  // namespace plumb::serve
