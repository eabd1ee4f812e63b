// Profiles in the file format of speedscope (https://www.speedscope.app/file-format-schema.json),
// which speedscope and other viewers open.
#ifndef PLUMB_CORE_PROFILE_SPEEDSCOPE_H_
#define PLUMB_CORE_PROFILE_SPEEDSCOPE_H_

#include <string>
#include <vector>

#include "core/profile/profile.h"

namespace plumb::profile {

// One sampled profile each, in seconds, bytes or none; the first is shown first. Order within a
// profile is that of the frames, not of time: a run keeps how long each stack was seen, and not
// when.
std::string speedscope_text(const std::vector<Profile>& profiles, const std::string& title);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_SPEEDSCOPE_H_
