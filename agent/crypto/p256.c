/*
 * P-256 for verifying signatures: u1 * G + u2 * Q in one pass (Shamir's trick), over BearSSL's field and
 * points.
 *
 * BearSSL multiplies each point on its own and in constant time, because its curve must serve secrets too:
 * 512 doublings and 192 additions. Nothing about a signature is secret. Both products can share their
 * doublings, and scalars can be written in digits of which five in six are zero (width-5 non-adjacent form:
 * odd, from -15 to 15): 257 doublings and 86 additions, about half the time.
 *
 * The functions of the field and of points are static in BearSSL's file, so that file is part of this one.
 *
 * What can go wrong: BearSSL's additions do not take the point at infinity, nor twice the same point. An
 * attacker who chooses the signature can aim for both; add_point() asks before and after each addition.
 */
#include "agent/crypto/p256.h"

#include "ec/ec_p256_m31.c"

enum {
  kScalarSize = 32,
  kScalarBits = 8 * kScalarSize,
  kDigits = kScalarBits + 1, /* the last one may carry */
  kWindow = 5,
  kOddMultiples = 8, /* 1, 3, ... 15 times a point */
};

typedef signed char Digits[kDigits];

/* The bits of a big-endian scalar from `low` on, zeros above its end. */
static unsigned take_bits(const unsigned char* scalar, unsigned low) {
  unsigned value = 0;
  for (unsigned i = 0; i < kWindow; ++i) {
    const unsigned bit = low + i;
    if (bit < kScalarBits) value |= ((scalar[kScalarSize - 1 - bit / 8] >> (bit % 8)) & 1U) << i;
  }
  return value;
}

/* scalar = sum of digits[i] * 2^i; digits are 0 or odd, and of five in succession at most one is not 0. */
static void recode(Digits digits, const unsigned char* scalar) {
  memset(digits, 0, kDigits);
  int carry = 0;
  for (unsigned i = 0; i < kDigits;) {
    int digit = (int)take_bits(scalar, i) + carry;
    if ((digit & 1) == 0) {
      ++i; /* a carry goes on to the next bit */
      continue;
    }
    carry = digit > kOddMultiples * 2;
    if (carry) digit -= 1 << kWindow;
    digits[i] = (signed char)digit;
    i += kWindow;
  }
}

/* Whether it is the point at infinity: z is a multiple of the field's prime. */
static int is_infinity(p256_jacobian* point) {
  uint32_t any = 0;
  reduce_final_f256(point->z);
  for (int i = 0; i < 9; ++i) any |= point->z[i];
  return any == 0;
}

/* sum += point, for any sum, and a point that is not at infinity. */
static void add_point(p256_jacobian* sum, const p256_jacobian* point) {
  if (is_infinity(sum)) {
    *sum = *point;
    return;
  }
  const int is_y_equal = p256_add(sum, point) == 0;
  /* z is 0 now if both have the same x: they are opposite, or the same. */
  if (is_infinity(sum) && is_y_equal) {
    *sum = *point;
    p256_double(sum);
  }
}

/* sum += (digit < 0 ? -1 : 1) * multiple */
static void add_signed(p256_jacobian* sum, p256_jacobian* multiple, int digit) {
  static const uint32_t kZero[9] = {0};
  if (digit < 0) sub_f256(multiple->y, kZero, multiple->y);
  add_point(sum, multiple);
}

static unsigned magnitude(int digit) {
  return (unsigned)(digit < 0 ? -digit : digit);
}

/* sum += digit * G, from BearSSL's table of 1 to 15 times G. */
static void add_generator(p256_jacobian* sum, int digit) {
  const uint32_t* xy = Gwin[magnitude(digit) - 1];
  p256_jacobian multiple;
  memset(&multiple, 0, sizeof multiple);
  memcpy(multiple.x, xy, sizeof multiple.x);
  memcpy(multiple.y, xy + 9, sizeof multiple.y);
  multiple.z[0] = 1;
  add_signed(sum, &multiple, digit);
}

/* A = x * A + y * G; for the arguments that br_ecdsa_i31_vrfy_raw() gives, and 0 for all others. */
static uint32_t muladd(unsigned char* A, const unsigned char* B, size_t len, const unsigned char* x,
                       size_t xlen, const unsigned char* y, size_t ylen, int curve) {
  p256_jacobian odd[kOddMultiples];
  if (B != NULL || xlen != kScalarSize || ylen != kScalarSize || curve != BR_EC_secp256r1) return 0;
  if (!p256_decode(&odd[0], A, len)) return 0;

  /* None of these is at infinity or meets itself: the group's order is a prime of 256 bits. */
  p256_jacobian twice = odd[0];
  p256_double(&twice);
  for (int i = 1; i < kOddMultiples; ++i) {
    odd[i] = odd[i - 1];
    p256_add(&odd[i], &twice);
  }

  Digits of_point;
  Digits of_generator;
  recode(of_point, x);
  recode(of_generator, y);

  p256_jacobian sum;
  memset(&sum, 0, sizeof sum);
  for (int i = kDigits - 1; i >= 0; --i) {
    p256_double(&sum);
    if (of_point[i] != 0) {
      p256_jacobian multiple = odd[magnitude(of_point[i]) / 2];
      add_signed(&sum, &multiple, of_point[i]);
    }
    if (of_generator[i] != 0) add_generator(&sum, of_generator[i]);
  }
  if (is_infinity(&sum)) return 0;
  p256_to_affine(&sum);
  p256_encode(A, &sum);
  return 1;
}

const br_ec_impl crypto_p256 = {
    .supported_curves = (uint32_t)1 << BR_EC_secp256r1,
    .order = api_order,
    .mul = api_mul,
    .muladd = muladd,
};
