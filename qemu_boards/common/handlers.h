// The exception handlers the vector table refers to, each defined by the driver it belongs to.
#pragma once

extern "C" {
void nmi_handler();      // watchdog.cc
void systick_handler();  // sys_tick.cc
/// Weak: a program without the driver, the bootloader, has none.
[[gnu::weak]] void ethernet_handler();  // the Ethernet driver
void fault_handler();                   // faults.cc
}
