// The bytes of a file that may be compressed, one piece after the other.
#ifndef PLUMB_CORE_IMPORTS_BYTE_SOURCE_H_
#define PLUMB_CORE_IMPORTS_BYTE_SOURCE_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <plumb/status.hpp>
#include <span>

namespace plumb::imports {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills the front of `into`, which is not empty; 0 is the end.
  virtual Result<size_t> read(std::span<char> into) = 0;
};

// gzip and zstd are known by their first bytes, anything else is read as it is. Memory does not
// grow with the file.
Result<std::unique_ptr<ByteSource>> open_bytes(const std::filesystem::path& file);

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_BYTE_SOURCE_H_
