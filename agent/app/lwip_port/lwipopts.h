// lwIP's configuration: one thread, the raw API, an Ethernet interface with DHCP and DNS, two TCP connections
// (MQTT and HTTPS).
//
// All memory is static. Numbers that depend on each other are derived here, so change the first ones only.
#ifndef AGENT_APP_LWIP_PORT_LWIPOPTS_H_
#define AGENT_APP_LWIP_PORT_LWIPOPTS_H_

// No operating system: everything is called from the application's one loop.
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_TIMERS 1

// Protocols.
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ETHERNET 1
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define LWIP_RAW 0
#define LWIP_AUTOIP 0
#define IP_FRAG 0
#define IP_REASSEMBLY 0
#define LWIP_NETIF_LOOPBACK 0

// An address is used as soon as the server gives it: probing for a conflict would cost seconds.
#define LWIP_DHCP_DOES_ACD_CHECK 0

// The time server's address comes with the lease.
#define LWIP_DHCP_GET_NTP_SRV 1
#define LWIP_DHCP_MAX_NTP_SERVERS 1

// A forged DNS answer must guess a random id and a random port.
#define LWIP_DNS_SECURE \
  (LWIP_DNS_SECURE_RAND_XID | LWIP_DNS_SECURE_NO_MULTIPLE_OUTSTANDING | LWIP_DNS_SECURE_RAND_SRC_PORT)
#define DNS_MAX_NAME_LENGTH 256
#define DNS_TABLE_SIZE 4

// TCP. The receive window is the largest without scaling. A server may send all of it at once: the Ethernet
// queue (netif_lan.cc) takes what the controller's receive FIFO of 10.5 KB would lose.
#define TCP_MSS 1460
#define TCP_WND (44 * TCP_MSS)
#define TCP_SND_BUF (6 * TCP_MSS)
#define TCP_SND_QUEUELEN 24
#define TCP_QUEUE_OOSEQ 1
#define TCP_OVERSIZE TCP_MSS
#define LWIP_TCP_RTO_TIME 1000
#define TCP_LISTEN_BACKLOG 0
#define LWIP_TCP_SACK_OUT 0
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) app_lwip_random()

// Memory.
#define MEM_LIBC_MALLOC 0
#define MEMP_MEM_MALLOC 0
#define MEM_ALIGNMENT 4
#define MEM_SIZE (32 * 1024)
// A full window of full segments for both connections, and some for everything else.
#define PBUF_POOL_SIZE (2 * (TCP_WND / TCP_MSS) + 16)
#define PBUF_POOL_BUFSIZE 1536
#define MEMP_NUM_PBUF 16
#define MEMP_NUM_TCP_PCB 8  // two in use, the rest closing
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG (2 * (TCP_SND_QUEUELEN + TCP_WND / TCP_MSS))  // sent, and received out of order
#define MEMP_NUM_UDP_PCB 5

// Checksums: the controller checks the frame, the stack checks everything above it.
#define CHECKSUM_GEN_IP 1
#define CHECKSUM_GEN_UDP 1
#define CHECKSUM_GEN_TCP 1
#define CHECKSUM_CHECK_IP 1
#define CHECKSUM_CHECK_UDP 1
#define CHECKSUM_CHECK_TCP 1
#define LWIP_CHKSUM_ALGORITHM 3

#define LWIP_NETIF_STATUS_CALLBACK 0
#define LWIP_NETIF_LINK_CALLBACK 0
#define LWIP_STATS 0

#endif  // AGENT_APP_LWIP_PORT_LWIPOPTS_H_
