// What stacks must be to be taken: the part of signal_check.h that is about profiles.
#include <algorithm>
#include <cmath>

#include "core/host/manifest.h"
#include "core/host/signal_check.h"
#include "core/host/text.h"

namespace plumb::host {
namespace {

constexpr char kJoint = ';';

bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7F; }

// The innermost frames of `frames`, as many as a stack may have.
std::string_view innermost(std::string_view frames) {
  size_t count = 1;
  for (size_t i = frames.size(); i-- > 0;)
    if (frames[i] == kJoint && ++count > kMaxFrames) return frames.substr(i + 1);
  return frames;
}

Status check_frames(std::string_view frames, const std::string& where) {
  if (frames.size() > kMaxFramesBytes) {
    return Status::invalid_argument(where + "a stack of more than " +
                                    std::to_string(kMaxFramesBytes) + " bytes");
  }
  if (std::any_of(frames.begin(), frames.end(), is_control) || !is_utf8(frames)) {
    return Status::invalid_argument(where + "a stack with control characters or not in UTF-8");
  }
  size_t count = 0;
  for (std::string_view rest = frames;; ++count) {
    const size_t end = rest.find(kJoint);
    if (rest.substr(0, end).empty()) {
      return Status::invalid_argument(where + "a frame without a name");
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (count >= kMaxFrames) {
    return Status::invalid_argument(where + "a stack of more than " + std::to_string(kMaxFrames) +
                                    " frames");
  }
  return Status::ok();
}

}  // namespace

std::string clean_frames(std::string_view frames) {
  std::string out;
  out.reserve(std::min(frames.size(), kMaxFramesBytes));
  for (std::string_view rest = innermost(frames); !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(kJoint));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (name.empty()) continue;
    if (!out.empty()) out += kJoint;
    if (is_utf8(name) && name.size() <= kMaxFramesBytes) {
      out += name;
    } else {
      out += clean_text(name, kMaxFramesBytes);
    }
  }
  // No frame is longer than the limit by now, so there is a joint to cut at.
  if (out.size() > kMaxFramesBytes) {
    out.erase(0, out.find(kJoint, out.size() - kMaxFramesBytes - 1) + 1);
  }
  std::replace_if(out.begin(), out.end(), is_control, '?');
  return out;
}

Status check_stacks(const StackBatch& batch) {
  if (!is_identifier(batch.profile, kMaxName)) {
    return Status::invalid_argument("a profile's name is not [a-z][a-z0-9_]* of at most " +
                                    std::to_string(kMaxName) + " bytes");
  }
  const std::string where = "profile " + batch.profile + ": ";
  if (batch.unit != "seconds" && batch.unit != "bytes" && batch.unit != "1") {
    return Status::invalid_argument(where + "the unit is not seconds, bytes or 1");
  }
  if (batch.layer > PLUMB_LAYER_HOST) {
    return Status::invalid_argument(where + "unknown layer " + std::to_string(batch.layer));
  }
  if (batch.help.size() > kMaxText || batch.help.find('\0') != std::string::npos ||
      !is_utf8(batch.help)) {
    return Status::invalid_argument(where + "the help is not UTF-8 of at most " +
                                    std::to_string(kMaxText) + " bytes");
  }
  if (batch.start_ns > batch.end_ns) {
    return Status::invalid_argument(where + "it ends before it starts");
  }
  size_t bytes = 0;
  for (const FoldedStack& stack : batch.stacks) bytes += stack.frames.size();
  if (batch.stacks.size() > kMaxStacks || bytes > kMaxStackBytes) {
    return Status::resource_exhausted(where + "more than " + std::to_string(kMaxStacks) +
                                      " stacks or " + std::to_string(kMaxStackBytes) +
                                      " bytes at once: emit them more often, or merge more");
  }
  for (const FoldedStack& stack : batch.stacks) {
    if (!std::isfinite(stack.weight) || stack.weight <= 0 || stack.weight > kMaxWeight) {
      return Status::invalid_argument(where + "a weight that is not above zero, or not finite");
    }
    PLUMB_RETURN_IF_ERROR(check_frames(stack.frames, where));
  }
  return Status::ok();
}

Status SignalCheck::stacks_order(const StackBatch& batch, int64_t now_ns) {
  const std::string where = "profile " + batch.profile;
  for (const int64_t time_ns : {batch.start_ns, batch.end_ns}) {
    if (const Status status = time(time_ns, now_ns); !status.is_ok()) {
      return status.with_context(where);
    }
  }
  const auto found = profiles_.find(batch.profile);
  if (found == profiles_.end()) {
    if (profiles_.size() >= kMaxProfiles) {
      return Status::resource_exhausted(where + ": more than " + std::to_string(kMaxProfiles) +
                                        " profiles");
    }
    profiles_.emplace(batch.profile, KnownProfile{batch.unit, batch.layer, batch.end_ns});
    return Status::ok();
  }
  KnownProfile& known = found->second;
  if (known.unit != batch.unit || known.layer != batch.layer) {
    return Status::invalid_argument(where + ": emitted before with another unit or layer");
  }
  if (batch.end_ns < known.last_ns) {
    return Status::invalid_argument(where + ": an end before that of the last emission");
  }
  known.last_ns = batch.end_ns;
  return Status::ok();
}

}  // namespace plumb::host
