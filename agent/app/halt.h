// A device that cannot do its work, and would not after a reset either: it says why and sleeps.
#pragma once

namespace app {

[[noreturn]] void halt(const char* reason);

}  // namespace app
