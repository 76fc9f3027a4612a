// When this image was made: the time of the last commit, or SOURCE_DATE_EPOCH, so that a build can be
// repeated to the byte (scripts/cmake/BuildTime.cmake). Signed with the image: the device cannot be told an
// earlier time.
#pragma once

#include "agent/app/calendar_time.h"

namespace app {

extern const EpochSeconds kBuildTime;

}  // namespace app
