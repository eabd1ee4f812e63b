#include "audit.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "errors.h"

namespace shop {

AuditLog::AuditLog(const std::string& file)
    : descriptor_(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0)
    throw Unavailable("cannot open " + file + ": " + std::generic_category().message(errno));
}

AuditLog::~AuditLog() { ::close(descriptor_); }

void AuditLog::append(const std::string& line) {
  // One write of a file opened for appending is whole: no lock is needed.
  const std::string text = line + "\n";
  if (::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(descriptor_) != 0)
    throw Unavailable("the audit log: " + std::generic_category().message(errno));
}

}  // namespace shop
