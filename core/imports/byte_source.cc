#include "core/imports/byte_source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unique_fd.h"

namespace plumb::imports {
namespace {

constexpr size_t kPiece = size_t{1} << 17;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

class FileBytes final : public ByteSource {
 public:
  FileBytes(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  Result<size_t> read(std::span<char> into) override {
    if (!first_.empty()) {
      const size_t n = std::min(into.size(), first_.size());
      std::copy_n(first_.begin(), n, into.begin());
      first_.erase(0, n);
      return n;
    }
    for (;;) {
      const ssize_t n = ::read(fd_.get(), into.data(), into.size());
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR)
        return Status::unavailable(name_ + " cannot be read: " + std::strerror(errno));
    }
  }

  // The first bytes, which `read` gives again; a pipe cannot be read twice.
  Result<std::string> peek() {
    std::array<char, 4> bytes{};
    size_t have = 0;
    while (have < bytes.size()) {
      PLUMB_ASSIGN_OR_RETURN(const size_t n, read(std::span(bytes).subspan(have)));
      if (n == 0) break;
      have += n;
    }
    first_.assign(bytes.data(), have);
    return first_;
  }

  const std::string& name() const { return name_; }

 private:
  UniqueFd fd_;
  std::string name_;
  std::string first_;
};

class GzipBytes final : public ByteSource {
 public:
  explicit GzipBytes(std::unique_ptr<FileBytes> file) : file_(std::move(file)), input_(kPiece) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    ready_ = ::inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  ~GzipBytes() override {
    if (ready_) ::inflateEnd(&stream_);
  }
  GzipBytes(const GzipBytes&) = delete;
  GzipBytes& operator=(const GzipBytes&) = delete;

  Result<size_t> read(std::span<char> into) override {
    if (!ready_) return Status::resource_exhausted("there is no memory to decompress");
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(std::min(into.size(), kPiece));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        PLUMB_ASSIGN_OR_RETURN(const size_t n, file_->read(input_));
        if (n == 0) {
          if (between_members_) return size_t{0};
          return Status::invalid_argument(file_->name() + " ends within its gzip data");
        }
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(n);
      }
      between_members_ = false;
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        // Compressed logs are often several members one after the other.
        between_members_ = true;
        (void)::inflateReset(&stream_);
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return Status::invalid_argument(file_->name() + " is not valid gzip data");
      }
    }
    return static_cast<size_t>(wanted - stream_.avail_out);
  }

 private:
  std::unique_ptr<FileBytes> file_;
  std::vector<char> input_;
  z_stream stream_{};
  bool ready_ = false;
  bool between_members_ = false;
};

class ZstdBytes final : public ByteSource {
 public:
  explicit ZstdBytes(std::unique_ptr<FileBytes> file)
      : file_(std::move(file)), input_(kPiece), stream_(::ZSTD_createDStream(), &free_stream) {
    // What a frame may ask for is limited: a hostile one could want gigabytes.
    constexpr int kLargestWindowLog = 27;
    if (stream_)
      (void)::ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  }

  Result<size_t> read(std::span<char> into) override {
    if (!stream_) return Status::resource_exhausted("there is no memory to decompress");
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size) {
        PLUMB_ASSIGN_OR_RETURN(const size_t n, file_->read(input_));
        if (n == 0) {
          if (at_frame_end_) return size_t{0};
          return Status::invalid_argument(file_->name() + " ends within its zstd data");
        }
        in_ = {input_.data(), n, 0};
      }
      const size_t left = ::ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (::ZSTD_isError(left) != 0)
        return Status::invalid_argument(file_->name() +
                                        " is not valid zstd data: " + ::ZSTD_getErrorName(left));
      at_frame_end_ = left == 0;
    }
    return out.pos;
  }

 private:
  static void free_stream(ZSTD_DStream* stream) { (void)::ZSTD_freeDStream(stream); }

  std::unique_ptr<FileBytes> file_;
  std::vector<char> input_;
  std::unique_ptr<ZSTD_DStream, void (*)(ZSTD_DStream*)> stream_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool at_frame_end_ = true;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_bytes(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    return Status::invalid_argument(file.string() + " is a directory; a file is expected");
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0)
    return Status::not_found(file.string() + " cannot be opened: " + std::strerror(errno));
  auto bytes = std::make_unique<FileBytes>(std::move(fd), file.string());
  PLUMB_ASSIGN_OR_RETURN(const std::string first, bytes->peek());
  if (first.starts_with(kGzipMagic))
    return std::unique_ptr<ByteSource>(std::make_unique<GzipBytes>(std::move(bytes)));
  if (first.starts_with(kZstdMagic))
    return std::unique_ptr<ByteSource>(std::make_unique<ZstdBytes>(std::move(bytes)));
  return std::unique_ptr<ByteSource>(std::move(bytes));
}

}  // namespace plumb::imports
