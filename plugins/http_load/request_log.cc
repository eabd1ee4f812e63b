#include "plugins/http_load/request_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "plugins/http_load/poller.h"

namespace plumb::http_load {
namespace {

constexpr size_t kBlock = 64 * 1024;
// About 64 MiB of rows, a few seconds of what one worker can do.
constexpr size_t kMostBlocks = 1'000;
constexpr int kLevel = 1;
// A run that is killed loses about this much of its log.
constexpr int64_t kOldestRowNs = 1'000'000'000;
constexpr std::string_view kHeading =
    "start_s,endpoint,user,status,failed,error,response_ms,lag_ms,queue_ms,dns_ms,connect_ms,"
    "tls_ms,send_ms,wait_ms,transfer_ms,sent_bytes,received_bytes\n";

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

template <typename T>
void append_number(std::string& out, T value) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  out.append(text, end);
  out += ',';
}

// `value` divided by 10^digits, exactly.
void append_fixed(std::string& out, int64_t value, int digits) {
  int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  char text[24];
  const auto whole = std::to_chars(text, text + sizeof(text), value / unit).ptr;
  out.append(text, whole);
  out += '.';
  const auto end = std::to_chars(text, text + sizeof(text), value % unit + unit).ptr;
  out.append(text + 1, end);
  out += ',';
}

// Whether what stands in the file, if anything, is what a log begins with: zstd's mark.
bool may_replace(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) return true;
  uint32_t mark = 0;
  return ::pread(file, &mark, sizeof(mark), 0) == sizeof(mark) && mark == ZSTD_MAGICNUMBER;
}

void append_ms(std::string& out, int64_t ns) { append_fixed(out, ns / 1'000, 3); }

}  // namespace

// The file and its compressor. One thread.
class RequestLog::Stream {
 public:
  Stream(Descriptor file, std::string name)
      : file_(std::move(file)), name_(std::move(name)), zstd_(ZSTD_createCStream()) {
    ZSTD_CCtx_setParameter(zstd_, ZSTD_c_compressionLevel, kLevel);
    out_.resize(ZSTD_CStreamOutSize());
  }
  ~Stream() { ZSTD_freeCStream(zstd_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // With ZSTD_e_flush everything so far can be read from the file, also when nothing follows.
  Status write(std::string_view rows, ZSTD_EndDirective end) {
    ZSTD_inBuffer in = {rows.data(), rows.size(), 0};
    for (bool done = false; !done;) {
      ZSTD_outBuffer out = {out_.data(), out_.size(), 0};
      const size_t left = ZSTD_compressStream2(zstd_, &out, &in, end);
      if (ZSTD_isError(left) != 0)
        return Status::internal("compressing " + name_ + ": " + ZSTD_getErrorName(left));
      PLUMB_RETURN_IF_ERROR(put({out_.data(), out.pos}));
      done = end == ZSTD_e_continue ? in.pos == in.size : left == 0;
    }
    return Status::ok();
  }

 private:
  Status put(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Status::unavailable("writing " + name_ + ": " + std::strerror(errno));
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return Status::ok();
  }

  Descriptor file_;
  std::string name_;
  ZSTD_CStream* zstd_;
  std::string out_;
};

Result<std::unique_ptr<RequestLog>> RequestLog::open(const std::string& file,
                                                     std::span<const Request> requests) {
  Descriptor fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid())
    return Status::invalid_argument("load.log: cannot write " + file + ": " + std::strerror(errno));
  if (!may_replace(fd.get()))
    return Status::invalid_argument("load.log: " + file +
                                    " is there already and is no request log: name another file");
  if (::ftruncate(fd.get(), 0) != 0 && errno != EINVAL)
    return Status::invalid_argument("load.log: cannot write " + file + ": " + std::strerror(errno));
  auto stream = std::make_unique<Stream>(std::move(fd), file);
  PLUMB_RETURN_IF_ERROR(stream->write(kHeading, ZSTD_e_continue));
  return std::unique_ptr<RequestLog>(new RequestLog(std::move(stream), requests));
}

RequestLog::RequestLog(std::unique_ptr<Stream> stream, std::span<const Request> requests)
    : stream_(std::move(stream)), thread_([this] { write_blocks(); }) {
  for (const Request& request : requests) names_.push_back(quoted(request.name));
}

RequestLog::~RequestLog() { (void)close(); }

void RequestLog::Writer::add(const Completion& c, bool failed) {
  const auto phases = c.times.phases();
  append_fixed(rows_, (c.times.intended_ns - log_.start_ns_) / 1'000, 6);
  rows_.append(log_.names_[c.endpoint]).append(",");
  append_number(rows_, c.user);
  append_number(rows_, c.status);
  rows_.append(failed ? "1," : "0,");
  rows_.append(error_class_name(c.error)).append(",");
  append_ms(rows_, c.times.response_ns());
  for (const int64_t phase : phases) append_ms(rows_, phase);
  append_number(rows_, c.sent_bytes);
  append_number(rows_, c.received_bytes);
  rows_.back() = '\n';
  if (count_++ == 0) oldest_ns_ = c.times.finished_ns;
  if (rows_.size() >= kBlock || c.times.finished_ns - oldest_ns_ >= kOldestRowNs) flush();
}

void RequestLog::Writer::flush() {
  if (count_ == 0) return;
  Block block{{}, std::exchange(count_, 0)};
  block.rows.swap(rows_);
  rows_.reserve(kBlock + 512);
  log_.take(std::move(block));
}

void RequestLog::take(Block block) {
  const std::lock_guard lock(mutex_);
  if (blocks_.size() >= kMostBlocks || !status_.is_ok()) {
    dropped_ += block.count;
    return;
  }
  blocks_.push_back(std::move(block));
  changed_.notify_one();
}

void RequestLog::write_blocks() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !blocks_.empty(); });
    if (blocks_.empty()) return;
    const Block block = std::move(blocks_.front());
    blocks_.pop_front();
    const bool more = !blocks_.empty();
    lock.unlock();
    Status written = stream_->write(block.rows, more ? ZSTD_e_continue : ZSTD_e_flush);
    lock.lock();
    if (written.is_ok()) continue;
    dropped_ += block.count;
    for (const Block& lost : blocks_) dropped_ += lost.count;
    blocks_.clear();
    status_ = std::move(written);
  }
}

Status RequestLog::close() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_one();
  }
  if (!thread_.joinable()) return status_;
  thread_.join();
  if (status_.is_ok()) status_ = stream_->write({}, ZSTD_e_end);
  return status_;
}

}  // namespace plumb::http_load
