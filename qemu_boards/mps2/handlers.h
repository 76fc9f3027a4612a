// The exception handlers the vector table refers to, each defined by the driver it belongs to.
#pragma once

extern "C" {
void nmi_handler();       // watchdog.cc
void systick_handler();   // system_timer.cc
void ethernet_handler();  // lan9118.cc
void fault_handler();     // faults.cc
}
