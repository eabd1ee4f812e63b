// How samples, histograms and stacks are packed into the blobs of a run file (docs/run-file.md).
// Blobs come from files that may be damaged or made by somebody else, so decoding checks every
// length.
#ifndef PLUMB_CORE_STORE_BATCH_CODEC_H_
#define PLUMB_CORE_STORE_BATCH_CODEC_H_

#include <functional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/signal/signal.h"

namespace plumb::store {

std::string encode_samples(const std::vector<Sample>& samples);
// Appends to `out`.
Status decode_samples(std::string_view blob, std::vector<Sample>& out);

std::string encode_histograms(const std::vector<HistogramRecord>& histograms);
// Appends to `out`.
Status decode_histograms(std::string_view blob, std::vector<HistogramRecord>& out);

std::string encode_stacks(const std::vector<FoldedStack>& stacks);
// Appends to `out`. What is given back has frames and a weight that is finite and above zero.
Status decode_stacks(std::string_view blob, std::vector<FoldedStack>& out);

}  // namespace plumb::store

#endif  // PLUMB_CORE_STORE_BATCH_CODEC_H_
