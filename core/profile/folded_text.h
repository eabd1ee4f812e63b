// Folded text, as Brendan Gregg's stackcollapse scripts write it and flame graph tools read it: one
// line for each stack, its frames joined by ';' from the outermost to the innermost, a blank, and
// a whole number. Seconds become microseconds, as off-CPU tools have it; bytes and counts are
// rounded.
#ifndef PLUMB_CORE_PROFILE_FOLDED_TEXT_H_
#define PLUMB_CORE_PROFILE_FOLDED_TEXT_H_

#include <string>

#include "core/profile/difference.h"
#include "core/profile/profile.h"

namespace plumb::profile {

// Lines in the order of their frames. Control characters and line ends in names become '?'.
std::string folded_text(const Profile& profile);

// Two numbers behind each stack, as difffolded.pl writes them: of the base and of the run. Those of
// the base are scaled, so that both are of as many requests, seconds or samples as the run was.
std::string folded_text(const Difference& difference);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_FOLDED_TEXT_H_
