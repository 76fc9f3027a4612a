// A guest for emcraft-sf2 that prints "boot N" on MMUART0, N being a count kept in eSRAM. On its first boot it
// says something of no meaning to the watchdog on MMUART1 and starts it for 250 ms before; it is never fed. Then
// it sleeps.
  .syntax unified
  .thumb

  .equ MMUART0, 0x40000000
  .equ MMUART1, 0x40010000
  .equ ESRAM, 0x20000000

  .word ESRAM + 0x8000
  .word _start + 1
  .word sleep + 1
  .word sleep + 1

  .global _start
  .thumb_func
_start:
  ldr r4, =ESRAM
  ldr r5, [r4]
  adds r3, r5, #1
  str r3, [r4]
  cbnz r5, report
  ldr r0, =MMUART1
  adr r2, orders
  bl put_text
report:
  ldr r0, =MMUART0
  adr r2, text
  bl put_text
  adds r3, r5, #'0'
  bl put
  movs r3, #'\n'
  bl put
  .thumb_func
sleep:
  wfi
  b sleep

  .thumb_func
put_text:                     // zero-ended, at r2, to the UART at r0
  mov r7, lr
next:
  ldrb r3, [r2]
  cbz r3, done
  bl put
  adds r2, #1
  b next
done:
  bx r7

  .thumb_func
put:                          // r3 to the UART at r0
  ldr r6, [r0, #0x14]         // LSR: bit 5 is "transmitter holding register empty"
  lsls r6, r6, #26
  bpl put
  str r3, [r0]
  bx lr

  .align 2
orders:
  .asciz "hello\nstart 250\n"
  .align 2
text:
  .asciz "boot "
