#include "sim/rest/client_hello.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <memory>

namespace otasim::rest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Bytes = std::vector<std::uint8_t>;

/// What OpenSSL sends first.
Bytes openssl_hello(const std::string& protocols, const char* server_name = nullptr, int version = 0) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(ssl.get());
  if (version != 0) SSL_set_max_proto_version(ssl.get(), version);
  if (server_name != nullptr) SSL_set_tlsext_host_name(ssl.get(), server_name);
  SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
  EXPECT_LT(SSL_do_handshake(ssl.get()), 0);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  return {data, data + size};
}

std::string prefixed(const std::string& name) {
  return static_cast<char>(name.size()) + name;
}

TEST(ClientHello, NamesProtocolsInTheClientsOrderAndTheServer) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Bytes bytes =
        openssl_hello(prefixed("x-amzn-mqtt-ca") + prefixed("http/1.1"), "otasim.localhost", version);
    const auto hello = read_client_hello(bytes);
    ASSERT_TRUE(hello && *hello);
    EXPECT_THAT((*hello)->protocols, ElementsAre("x-amzn-mqtt-ca", "http/1.1"));
    EXPECT_EQ((*hello)->server_name, "otasim.localhost");
  }
}

TEST(ClientHello, MayNameNothing) {
  const auto hello = read_client_hello(openssl_hello(""));
  ASSERT_TRUE(hello && *hello);
  EXPECT_THAT((*hello)->protocols, IsEmpty());
  EXPECT_EQ((*hello)->server_name, "");
}

TEST(ClientHello, IsNotWholeUntilItsLastByte) {
  const Bytes bytes = openssl_hello(prefixed("x-amzn-mqtt-ca"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto hello = read_client_hello(std::span(bytes).first(size));
    ASSERT_TRUE(hello) << size << ": " << hello.error();
    EXPECT_FALSE(*hello) << size;
  }
}

TEST(ClientHello, WhatFollowsItIsLeftAlone) {
  const Bytes hello = openssl_hello(prefixed("x-amzn-mqtt-ca"));
  for (const Bytes& more : {Bytes{23, 3, 3, 0, 2, 1, 2},  // early data, RFC 8446 section 4.2.10
                            Bytes{22, 3, 3, 0, 0}, Bytes(40, 0xff)}) {
    Bytes bytes = hello;
    bytes.insert(bytes.end(), more.begin(), more.end());
    const auto read = read_client_hello(bytes);
    ASSERT_TRUE(read && *read);
    EXPECT_THAT((*read)->protocols, ElementsAre("x-amzn-mqtt-ca"));
  }
}

TEST(ClientHello, MayComeInManyRecords) {
  const Bytes whole = openssl_hello(prefixed("x-amzn-mqtt-ca"));
  Bytes pieces;
  for (std::size_t at = 5; at < whole.size(); at += 7) {
    const std::size_t length = std::min<std::size_t>(7, whole.size() - at);
    pieces.insert(pieces.end(), {22, 3, 1, 0, static_cast<std::uint8_t>(length)});
    pieces.insert(pieces.end(), whole.begin() + static_cast<std::ptrdiff_t>(at),
                  whole.begin() + static_cast<std::ptrdiff_t>(at + length));
  }
  const auto hello = read_client_hello(pieces);
  ASSERT_TRUE(hello && *hello);
  EXPECT_THAT((*hello)->protocols, ElementsAre("x-amzn-mqtt-ca"));
}

TEST(ClientHello, WhatIsNoTlsIsToldAtOnce) {
  const auto refused = [](const std::string& text) {
    return !read_client_hello({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_TRUE(refused("G"));
  EXPECT_TRUE(refused("\x10\x20MQTT"));
  EXPECT_TRUE(refused(std::string("\x16\x03\x01\x00\x00", 5))) << "an empty record";
  EXPECT_TRUE(refused("\x16\x03\x01\xff\xff")) << "a record that is too long";
  EXPECT_TRUE(refused(std::string("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9))) << "a ServerHello";
  EXPECT_TRUE(refused(std::string("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9))) << "a hello that is too long";
}

TEST(ClientHello, ADamagedOneIsRefusedWhateverIsDamaged) {
  const Bytes good = openssl_hello(prefixed("x-amzn-mqtt-ca"), "otasim.localhost");
  for (std::size_t at = 9; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] = 0xFF;
    static_cast<void>(read_client_hello(bad));  // refused or not, it is read within its bounds
  }
  Bytes bad = good;
  bad[9 + 2 + 32] = 0xFF;  // the session id's length
  EXPECT_FALSE(read_client_hello(bad));
}

}  // namespace
}  // namespace otasim::rest
