#include "agent/app/build_time.h"

namespace app {

const EpochSeconds kBuildTime = OTASIM_BUILD_TIME;

}  // namespace app
