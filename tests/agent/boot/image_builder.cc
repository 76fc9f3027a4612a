#include "tests/agent/boot/image_builder.h"

#include <openssl/ec.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <cstring>
#include <stdexcept>

namespace boot_test {
namespace {

using namespace boot::image;

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

crypto::Sha256Digest openssl_sha256(std::span<const std::uint8_t> data) {
  crypto::Sha256Digest digest{};
  SHA256(data.data(), data.size(), digest.data());
  return digest;
}

template <typename T>
void append(Bytes& out, const T& value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(bytes[i]);
}

Bytes tlv_area(std::uint16_t magic, const std::vector<Tlv>& tlvs) {
  Bytes entries;
  for (const Tlv& tlv : tlvs) {
    append(entries, TlvEntry{tlv.type, static_cast<std::uint16_t>(tlv.value.size())});
    entries.insert(entries.end(), tlv.value.begin(), tlv.value.end());
  }
  Bytes area;
  append(area, TlvInfo{magic, static_cast<std::uint16_t>(entries.size() + sizeof(TlvInfo))});
  area.insert(area.end(), entries.begin(), entries.end());
  return area;
}

template <typename Array>
Bytes bytes_of(const Array& array) {
  return {array.begin(), array.end()};
}

}  // namespace

SigningKey::SigningKey() : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free) {
  require(key_ != nullptr, "cannot make a P-256 key");
  std::size_t length = 0;
  require(EVP_PKEY_get_octet_string_param(key_.get(), "encoded-pub-key", point_.data(), point_.size(),
                                          &length) == 1,
          "cannot take the public point");
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  require(size > 0, "cannot encode the public key");
  hash_ = openssl_sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
}

Bytes SigningKey::sign(const crypto::Sha256Digest& digest) const {
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key_.get(), nullptr),
                                                                      &EVP_PKEY_CTX_free);
  require(EVP_PKEY_sign_init(context.get()) == 1, "cannot start signing");
  Bytes signature(80);
  std::size_t length = signature.size();
  require(EVP_PKEY_sign(context.get(), signature.data(), &length, digest.data(), digest.size()) == 1,
          "cannot sign");
  signature.resize(length);
  return signature;
}

Bytes little_endian(std::uint32_t value) {
  Bytes out;
  append(out, value);
  return out;
}

Bytes build_image(const ImageSpec& spec, const SigningKey& key) {
  std::vector<Tlv> protected_tlvs;
  if (spec.security_counter)
    protected_tlvs.push_back({kTlvSecurityCounter, little_endian(*spec.security_counter)});
  if (spec.kind)
    protected_tlvs.push_back({kTlvImageKind, little_endian(static_cast<std::uint32_t>(*spec.kind))});
  protected_tlvs.insert(protected_tlvs.end(), spec.more_protected.begin(), spec.more_protected.end());
  const Bytes protected_area =
      protected_tlvs.empty() ? Bytes{} : tlv_area(kTlvProtectedInfoMagic, protected_tlvs);

  Bytes image;
  append(image, Header{.magic = kMagic,
                       .load_address = spec.load_address,
                       .header_size = spec.header_size,
                       .protected_tlv_size = static_cast<std::uint16_t>(protected_area.size()),
                       .image_size = spec.payload_size,
                       .flags = spec.flags,
                       .version = spec.version,
                       .pad = 0});
  image.resize(spec.header_size, 0);
  for (std::uint32_t i = 0; i < spec.payload_size; ++i)
    image.push_back(static_cast<std::uint8_t>(i * 31 + 7));
  image.insert(image.end(), protected_area.begin(), protected_area.end());

  const crypto::Sha256Digest digest = openssl_sha256(image);
  std::vector<Tlv> tlvs = spec.more_unprotected;
  if (spec.with_sha256) tlvs.push_back({kTlvSha256, bytes_of(digest)});
  if (spec.with_key_hash) tlvs.push_back({kTlvKeyHash, bytes_of(key.public_key().hash)});
  if (spec.with_signature) tlvs.push_back({kTlvEcdsaSignature, key.sign(digest)});
  const Bytes area = tlv_area(kTlvInfoMagic, tlvs);
  image.insert(image.end(), area.begin(), area.end());
  return image;
}

}  // namespace boot_test
