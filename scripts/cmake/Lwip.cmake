# device_lwip: lwIP's TCP/IP core (IPv4, DHCP, DNS, TCP, UDP) for the application.
#
# Configured by agent/app/lwip_port/lwipopts.h. Its own MQTT and TLS layers are not used (see docs/application.md).
get_filename_component(LWIP_DIR ${CMAKE_CURRENT_LIST_DIR}/../../.deps/lwip ABSOLUTE)
get_filename_component(LWIP_PORT ${CMAKE_CURRENT_LIST_DIR}/../../agent/app/lwip_port ABSOLUTE)
if(NOT EXISTS ${LWIP_DIR}/.unpacked)
  message(FATAL_ERROR "lwIP is missing from ${LWIP_DIR}. Run scripts/setup first.")
endif()

set(lwip_core ${LWIP_DIR}/src/core)
add_library(device_lwip STATIC
  ${lwip_core}/def.c ${lwip_core}/dns.c ${lwip_core}/inet_chksum.c ${lwip_core}/init.c ${lwip_core}/ip.c
  ${lwip_core}/mem.c ${lwip_core}/memp.c ${lwip_core}/netif.c ${lwip_core}/pbuf.c ${lwip_core}/raw.c
  ${lwip_core}/stats.c ${lwip_core}/sys.c ${lwip_core}/tcp.c ${lwip_core}/tcp_in.c ${lwip_core}/tcp_out.c
  ${lwip_core}/timeouts.c ${lwip_core}/udp.c
  ${lwip_core}/ipv4/acd.c ${lwip_core}/ipv4/dhcp.c ${lwip_core}/ipv4/etharp.c ${lwip_core}/ipv4/icmp.c
  ${lwip_core}/ipv4/ip4.c ${lwip_core}/ipv4/ip4_addr.c ${lwip_core}/ipv4/ip4_frag.c
  ${LWIP_DIR}/src/netif/ethernet.c)
target_include_directories(device_lwip SYSTEM PUBLIC ${LWIP_DIR}/src/include ${LWIP_PORT})
target_compile_options(device_lwip PRIVATE -w -Os)
