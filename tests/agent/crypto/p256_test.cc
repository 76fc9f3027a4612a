// The curve's sum of two products against OpenSSL's, with the scalars and points that an attacker would
// choose: sums that meet the point at infinity, the same point twice, or its opposite, on their way.
#include "agent/crypto/p256.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using Scalar = std::array<std::uint8_t, 32>;
using Point = std::array<std::uint8_t, 65>;
using Group = std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using EcPoint = std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)>;

Scalar from_hex(const std::string& hex) {
  BIGNUM* parsed = nullptr;
  EXPECT_NE(BN_hex2bn(&parsed, hex.c_str()), 0);
  const Number number(parsed, &BN_free);
  Scalar scalar{};
  EXPECT_EQ(BN_bn2binpad(number.get(), scalar.data(), scalar.size()), 32);
  return scalar;
}

class P256 : public testing::Test {
 protected:
  [[nodiscard]] Number number(const Scalar& scalar) const {
    return {BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), nullptr), &BN_free};
  }

  /// OpenSSL's x * point + y * G; `point` may be missing.
  /// @returns nothing for the point at infinity
  [[nodiscard]] std::optional<Point> expected(const Scalar& x, const Point* point, const Scalar& y) const {
    const EcPoint sum(EC_POINT_new(group_.get()), &EC_POINT_free);
    const EcPoint other(EC_POINT_new(group_.get()), &EC_POINT_free);
    if (point != nullptr) {
      EXPECT_EQ(EC_POINT_oct2point(group_.get(), other.get(), point->data(), point->size(), nullptr), 1);
    }
    EXPECT_EQ(EC_POINT_mul(group_.get(), sum.get(), number(y).get(), point != nullptr ? other.get() : nullptr,
                           point != nullptr ? number(x).get() : nullptr, nullptr),
              1);
    if (EC_POINT_is_at_infinity(group_.get(), sum.get()) == 1) return std::nullopt;
    Point encoded{};
    EXPECT_EQ(EC_POINT_point2oct(group_.get(), sum.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                                 encoded.size(), nullptr),
              encoded.size());
    return encoded;
  }

  static std::optional<Point> actual(const Scalar& x, Point point, const Scalar& y) {
    if (crypto_p256.muladd(point.data(), nullptr, point.size(), x.data(), x.size(), y.data(), y.size(),
                           BR_EC_secp256r1) != 1) {
      return std::nullopt;
    }
    return point;
  }

  /// A scalar of at most 255 bits.
  Scalar random_scalar() {
    Scalar scalar{};
    for (std::uint8_t& byte : scalar) byte = static_cast<std::uint8_t>(random_());
    scalar[0] &= 0x7f;
    return scalar;
  }

  Point times_generator(const Scalar& scalar) const { return expected({}, nullptr, scalar).value(); }

  Group group_{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), &EC_GROUP_free};
  std::mt19937 random_{1};
};

/// Small ones, ones around the window's and the order's ends, and those whose digits carry all the way.
const std::vector<std::string>& edge_scalars() {
  static const std::vector<std::string> scalars{
      "00", "01", "02", "03", "04", "0f", "10", "11", "12", "1e", "1f", "20", "21", "22", "ff", "0100",
      "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC63254E",  // order - 3
      "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC63254F",
      "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550",  // order - 1
      "7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8",  // half of that
      "7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A9",
      "8000000000000000000000000000000000000000000000000000000000000000",
      "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
      "F800000000000000000000000000000000000000000000000000000000000000",
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "5555555555555555555555555555555555555555555555555555555555555555",
      "F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0",
      // At or above the order, as no caller gives them: the sum is the same.
      "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"};
  return scalars;
}

/// The points are small multiples of the generator, and of its opposite: both tables hold the same points.
TEST_F(P256, SumOfProductsIsOpensslsWhereTheSumsMeet) {
  int at_infinity = 0;
  for (const std::string multiple :
       {"01", "02", "03", "05", "10", "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550",
        "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC63254F"}) {
    const Point point = times_generator(from_hex(multiple));
    for (const std::string& x : edge_scalars()) {
      for (const std::string& y : edge_scalars()) {
        const auto sum = expected(from_hex(x), &point, from_hex(y));
        at_infinity += sum ? 0 : 1;
        ASSERT_EQ(actual(from_hex(x), point, from_hex(y)), sum) << multiple << " " << x << " " << y;
      }
    }
  }
  EXPECT_GE(at_infinity, 30);
}

TEST_F(P256, SumOfProductsIsOpensslsForAnyScalars) {
  for (int i = 0; i < 300; ++i) {
    const Point point = times_generator(random_scalar());
    const Scalar x = random_scalar();
    const Scalar y = random_scalar();
    ASSERT_EQ(actual(x, point, y), expected(x, &point, y)) << "case " << i;
  }
}

TEST_F(P256, SumOfOppositeProductsIsNoPoint) {
  const Number order(BN_dup(EC_GROUP_get0_order(group_.get())), &BN_free);
  for (int i = 0; i < 20; ++i) {
    const Scalar secret = random_scalar();
    const Point point = times_generator(secret);
    const Number opposite(BN_new(), &BN_free);
    ASSERT_EQ(BN_sub(opposite.get(), order.get(), number(secret).get()), 1);
    Scalar y{};
    ASSERT_EQ(BN_bn2binpad(opposite.get(), y.data(), y.size()), 32);
    EXPECT_EQ(actual(from_hex("01"), point, y), std::nullopt);
  }
}

TEST_F(P256, SumOfProductsRefusesWhatIsNoPointAndWhatItIsNotFor) {
  const Scalar one = from_hex("01");
  const Point good = times_generator(one);
  ASSERT_TRUE(actual(one, good, one));
  Point off_curve = good;
  off_curve[64] ^= 1;
  EXPECT_EQ(actual(one, off_curve, one), std::nullopt);
  EXPECT_EQ(actual(one, Point{}, one), std::nullopt);
  Point compressed = good;
  compressed[0] = 3;
  EXPECT_EQ(actual(one, compressed, one), std::nullopt);

  const auto refuses = [&](const Point* second, std::size_t point_size, std::size_t x_size,
                           std::size_t y_size, int curve) {
    Point first = good;
    return crypto_p256.muladd(first.data(), second != nullptr ? second->data() : nullptr, point_size,
                              one.data(), x_size, one.data(), y_size, curve) == 0;
  };
  EXPECT_FALSE(refuses(nullptr, 65, 32, 32, BR_EC_secp256r1));
  EXPECT_TRUE(refuses(&good, 65, 32, 32, BR_EC_secp256r1));
  EXPECT_TRUE(refuses(nullptr, 64, 32, 32, BR_EC_secp256r1));
  EXPECT_TRUE(refuses(nullptr, 65, 31, 32, BR_EC_secp256r1));
  EXPECT_TRUE(refuses(nullptr, 65, 32, 31, BR_EC_secp256r1));
  EXPECT_TRUE(refuses(nullptr, 65, 32, 32, BR_EC_secp384r1));
}

}  // namespace
