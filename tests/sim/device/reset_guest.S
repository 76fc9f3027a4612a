// A guest for mps2-an385 that prints "boot N" on UART0, N being a count kept in RAM, and is then reset: by
// itself (SOFTWARE) until the third boot, or by the watchdog (WATCHDOG) until the second. Then it sleeps. An NMI
// stops it for good, or resets it (OBEDIENT).
  .syntax unified
  .thumb

  .equ UART0, 0x40004000
  .equ WATCHDOG_BASE, 0x40008000
  .equ RAM, 0x20000000
  .equ AIRCR, 0xE000ED0C
  .equ SYSRESETREQ, 0x05FA0004

  .word 0x20010000
  .word _start + 1
  .word nmi + 1
  .word nmi + 1

  .global _start
  .thumb_func
_start:
  ldr r0, =UART0
  movs r1, #16
  str r1, [r0, #0x10]         // BAUDDIV
  movs r1, #1
  str r1, [r0, #0x08]         // CTRL: transmitter on
  adr r2, text
next:
  ldrb r3, [r2]
  cbz r3, count
  bl put
  adds r2, #1
  b next
count:
  ldr r4, =RAM
  ldr r3, [r4]
  adds r5, r3, #1
  str r5, [r4]
  adds r3, #'0'
  bl put
  movs r3, #'\n'
  bl put
#ifdef WATCHDOG
  cmp r5, #2
  bge sleep
  ldr r0, =WATCHDOG_BASE
  ldr r1, =25000              // 1 ms at 25 MHz, twice: NMI, then reset
  str r1, [r0, #0x00]         // LOAD
  movs r1, #3
  str r1, [r0, #0x08]         // CONTROL: interrupt and reset on
#else
  cmp r5, #3
  bge sleep
  ldr r0, =AIRCR
  ldr r1, =SYSRESETREQ
  str r1, [r0]
#endif
sleep:
  wfi
  b sleep

  .thumb_func
put:                          // r3 to UART0 at r0
  ldr r6, [r0, #0x04]         // STATE: bit 0 is "transmitter full"
  lsls r6, r6, #31
  bmi put
  str r3, [r0]
  bx lr
  .size put, . - put

  .thumb_func
nmi:
#ifdef OBEDIENT
  ldr r0, =UART0
  movs r3, #'n'
  bl put
  movs r3, #'m'
  bl put
  movs r3, #'i'
  bl put
  movs r3, #'\n'
  bl put
  ldr r0, =AIRCR
  ldr r1, =SYSRESETREQ
  str r1, [r0]
#endif
  b nmi

  .align 2
text:
  .asciz "boot "
