#include "core/store/batch_codec.h"

#include <zstd.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace plumb::store {
namespace {

constexpr size_t kLargestBatch = size_t{256} << 20;  // bytes before compression
constexpr size_t kLargestStacks = size_t{16} << 20;
constexpr int kLevel = 1;  // one second's batch must cost next to nothing beside the system watched

std::string compressed_text(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t n = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  out.resize(ZSTD_isError(n) ? 0 : n);
  return out;
}

class Packer {
 public:
  template <typename T>
  void put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes_.append(raw, sizeof(T));
  }
  std::string compressed() const { return compressed_text(bytes_); }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string bytes) : bytes_(std::move(bytes)) {}
  template <typename T>
  bool get(T& value) {
    if (bytes_.size() - at_ < sizeof(T)) return false;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  size_t left() const { return bytes_.size() - at_; }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

Result<std::string> unpacked_text(std::string_view blob, size_t largest) {
  const unsigned long long size = ZSTD_getFrameContentSize(blob.data(), blob.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > largest)
    return Status::invalid_argument("a batch in the run file is not a zstd frame of known size");
  std::string bytes(size, '\0');
  const size_t n = ZSTD_decompress(bytes.data(), bytes.size(), blob.data(), blob.size());
  if (ZSTD_isError(n) || n != size)
    return Status::invalid_argument("a batch in the run file is damaged");
  return bytes;
}

Result<Unpacker> unpack(std::string_view blob) {
  PLUMB_ASSIGN_OR_RETURN(std::string bytes, unpacked_text(blob, kLargestBatch));
  return Unpacker(std::move(bytes));
}

Status truncated() { return Status::invalid_argument("a batch in the run file is cut short"); }

bool decode_histogram(Unpacker& in, std::vector<plumb_bucket>& buckets, HistogramRecord& out) {
  uint32_t bits = 0;
  uint32_t bucket_count = 0;
  uint64_t sum = 0;
  uint64_t minimum = 0;
  uint64_t maximum = 0;
  if (!in.get(out.series) || !in.get(bits) || !in.get(out.start_ns) || !in.get(out.end_ns) ||
      !in.get(sum) || !in.get(minimum) || !in.get(maximum) || !in.get(bucket_count))
    return false;
  if (bits < 2 || bits > 14) return false;
  const uint32_t limit = Histogram::bucket_limit(bits);
  buckets.clear();
  for (uint32_t i = 0; i < bucket_count; ++i) {
    plumb_bucket bucket{};
    if (!in.get(bucket.index) || !in.get(bucket.count)) return false;
    if (bucket.index >= limit) return false;
    buckets.push_back(bucket);
  }
  out.histogram =
      Histogram::from_buckets(bits, buckets.data(), buckets.size(), sum, minimum, maximum);
  return true;
}

// "frames weight", without the line's end.
bool decode_stack(std::string_view line, FoldedStack& out) {
  const size_t space = line.rfind(' ');
  if (space == std::string_view::npos || space == 0) return false;
  const char* end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + space + 1, end, out.weight);
  if (error != std::errc() || stop != end) return false;
  out.frames = line.substr(0, space);
  return std::isfinite(out.weight) && out.weight > 0;
}

}  // namespace

std::string encode_samples(const std::vector<Sample>& samples) {
  Packer out;
  out.put(static_cast<uint64_t>(samples.size()));
  // Column by column: neighbours look alike, which is what the compressor lives on.
  for (const Sample& s : samples) out.put(s.series);
  for (const Sample& s : samples) out.put(s.time_ns);
  for (const Sample& s : samples) out.put(s.value);
  return out.compressed();
}

Status decode_samples(std::string_view blob, std::vector<Sample>& out) {
  PLUMB_ASSIGN_OR_RETURN(Unpacker in, unpack(blob));
  uint64_t count = 0;
  constexpr size_t kBytesEach = sizeof(uint32_t) + sizeof(int64_t) + sizeof(double);
  if (!in.get(count) || count > in.left() / kBytesEach || in.left() != count * kBytesEach)
    return truncated();
  const size_t first = out.size();
  out.resize(first + count);
  for (size_t i = first; i < out.size(); ++i) in.get(out[i].series);
  for (size_t i = first; i < out.size(); ++i) in.get(out[i].time_ns);
  for (size_t i = first; i < out.size(); ++i) in.get(out[i].value);
  return Status::ok();
}

std::string encode_histograms(const std::vector<HistogramRecord>& histograms) {
  Packer out;
  out.put(static_cast<uint64_t>(histograms.size()));
  for (const HistogramRecord& h : histograms) {
    const std::vector<plumb_bucket> buckets = h.histogram.buckets();
    out.put(h.series);
    out.put(h.histogram.precision_bits());
    out.put(h.start_ns);
    out.put(h.end_ns);
    out.put(h.histogram.sum());
    out.put(h.histogram.minimum());
    out.put(h.histogram.maximum());
    out.put(static_cast<uint32_t>(buckets.size()));
    for (const plumb_bucket& bucket : buckets) {
      out.put(bucket.index);
      out.put(bucket.count);
    }
  }
  return out.compressed();
}

Status decode_histograms(std::string_view blob, std::vector<HistogramRecord>& out) {
  PLUMB_ASSIGN_OR_RETURN(Unpacker in, unpack(blob));
  uint64_t count = 0;
  if (!in.get(count)) return truncated();
  std::vector<plumb_bucket> buckets;
  for (uint64_t i = 0; i < count; ++i) {
    HistogramRecord record;
    if (!decode_histogram(in, buckets, record)) return truncated();
    out.push_back(std::move(record));
  }
  return Status::ok();
}

std::string encode_stacks(const std::vector<FoldedStack>& stacks) {
  std::string text;
  std::array<char, 32> weight{};
  for (const FoldedStack& stack : stacks) {
    const auto written = std::to_chars(weight.data(), weight.data() + weight.size(), stack.weight);
    text.append(stack.frames).append(1, ' ');
    text.append(weight.data(), written.ptr).append(1, '\n');
  }
  return compressed_text(text);
}

Status decode_stacks(std::string_view blob, std::vector<FoldedStack>& out) {
  PLUMB_ASSIGN_OR_RETURN(const std::string text, unpacked_text(blob, kLargestStacks));
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return truncated();
    FoldedStack stack;
    if (!decode_stack(rest.substr(0, end), stack))
      return Status::invalid_argument("a batch in the run file has a line that is no stack");
    out.push_back(std::move(stack));
    rest.remove_prefix(end + 1);
  }
  return Status::ok();
}

}  // namespace plumb::store
