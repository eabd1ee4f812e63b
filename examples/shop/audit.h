#pragma once

#include <string>

namespace shop {

// Lines in a file, each on the disk before append() returns. Safe from any thread.
class AuditLog {
 public:
  explicit AuditLog(const std::string& file);  // throws Unavailable
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void append(const std::string& line);  // throws Unavailable

 private:
  int descriptor_;
};

}  // namespace shop
