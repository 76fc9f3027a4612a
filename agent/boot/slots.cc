#include "agent/boot/slots.h"

namespace boot {

const flash::Partition* slot_partition(Slot slot) {
  switch (slot) {
    case Slot::kA:
      return &flash::kSlotA;
    case Slot::kB:
      return &flash::kSlotB;
    case Slot::kRecovery:
      return &flash::kRecovery;
    case Slot::kNone:
      break;
  }
  return nullptr;
}

std::string_view slot_name(Slot slot) {
  switch (slot) {
    case Slot::kA:
      return "A";
    case Slot::kB:
      return "B";
    case Slot::kRecovery:
      return "recovery";
    case Slot::kNone:
      break;
  }
  return "none";
}

}  // namespace boot
