/*
 * The curve P-256 for this device: what BearSSL's ECDSA verification and our ECDH ask of a curve, and no
 * more.
 *
 *   order()   the group's order
 *   mul()     BearSSL's own, in constant time: the scalar is secret in ECDH
 *   muladd()  u2 * Q + u1 * G for verifying a signature, where nothing is secret: its time depends on all of
 * it
 */
#ifndef AGENT_CRYPTO_P256_H
#define AGENT_CRYPTO_P256_H

#include <bearssl.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const br_ec_impl crypto_p256;

#ifdef __cplusplus
}
#endif

#endif
