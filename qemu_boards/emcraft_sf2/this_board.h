// For code that is the same for every family (qemu_boards/common). This family has one board.
#pragma once

#include "qemu_boards/emcraft_sf2/memory_map.h"

namespace family = emcraft_sf2;
