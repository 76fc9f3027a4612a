// The end of the road: an invariant is broken, so the device logs it and resets. The bootloader decides what
// runs next; an image that does this on trial is not kept.
#pragma once

namespace app {

[[noreturn]] void fatal(const char* reason);

}  // namespace app
