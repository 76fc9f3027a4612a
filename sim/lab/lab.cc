#include "sim/lab/lab.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/lab/build_products.h"

namespace otasim::lab {
namespace {

using crypto::Certificate;
using crypto::CertificateRequest;
using crypto::P256Key;
using crypto::Purpose;

constexpr mode_t kPrivate = 0600;
constexpr mode_t kPublic = 0644;

constexpr const char* kAuthority = "lab-ca";
constexpr const char* kEndpoint = "endpoint";
constexpr const char* kConsole = "console";
constexpr const char* kCodeSigner = "code-signer";

/// The build's code-signing root, with its private key.
struct SigningRoot {
  Certificate certificate;
  P256Key key;
  std::string key_path;
};

std::string credentials_path(const std::string& folder) {
  return folder + "/credentials.json";
}

Result<Identity> save(const std::string& folder, const std::string& name, P256Key key,
                      Certificate certificate) {
  Identity identity{std::move(key), std::move(certificate), fmt::format("{}/{}.key.pem", folder, name),
                    fmt::format("{}/{}.cert.pem", folder, name)};
  if (auto r = write_file_atomic(identity.key_path, identity.key.private_pem(), kPrivate); !r)
    return tl::unexpected(r.error());
  if (auto r = write_file_atomic(identity.certificate_path, identity.certificate.pem(), kPublic); !r) {
    return tl::unexpected(r.error());
  }
  return identity;
}

/// A new key with a certificate from `issuer`, or self-signed without one; saved in `folder`.
template <typename Issuer>
Result<Identity> make(const std::string& folder, const std::string& name, const CertificateRequest& request,
                      const Issuer* issuer) {
  Result<P256Key> key = P256Key::generate();
  if (!key) return tl::unexpected(key.error());
  Result<Certificate> certificate = issuer != nullptr
                                        ? Certificate::issue(request, *key, issuer->certificate, issuer->key)
                                        : Certificate::self_signed(request, *key);
  if (!certificate) return tl::unexpected(certificate.error());
  return save(folder, name, std::move(*key), std::move(*certificate));
}

CertificateRequest authority_request() {
  return {
      .common_name = "otasim lab CA", .purpose = Purpose::kAuthority, .dns_names = {}, .ip_addresses = {}};
}

CertificateRequest endpoint_request(const EndpointCertificate& wanted) {
  CertificateRequest request{.common_name = wanted.host.empty() ? kEndpointHost : wanted.host,
                             .purpose = Purpose::kTlsServer,
                             .dns_names = {kEndpointHost, "localhost"},
                             .ip_addresses = {"127.0.0.1"},
                             .valid_from = wanted.valid_from,
                             .valid_until = wanted.valid_until};
  if (!wanted.also.empty()) request.dns_names.push_back(wanted.also);
  if (!wanted.host.empty()) {
    request.dns_names = {wanted.host};
    request.ip_addresses = {};
  }
  return request;
}

/// By an authority of the lab's authority's name that exists no longer than this.
Result<Certificate> issue_by_stranger(const CertificateRequest& request, const P256Key& key) {
  const auto stranger_key = P256Key::generate();
  if (!stranger_key) return tl::unexpected(stranger_key.error());
  const auto stranger = Certificate::self_signed(authority_request(), *stranger_key);
  if (!stranger) return tl::unexpected(stranger.error());
  return Certificate::issue(request, key, *stranger, *stranger_key);
}

/// An identity that save() wrote.
Result<Identity> load(const std::string& folder, const std::string& name) {
  const std::string key_path = fmt::format("{}/{}.key.pem", folder, name);
  const std::string certificate_path = fmt::format("{}/{}.cert.pem", folder, name);
  const auto damaged = [&folder](const Error& why) {
    return fail(ExitCode::kEnvironment, fmt::format("the lab in '{}' is damaged: {}", folder, why.message),
                "Put the file back, or start a new lab in another folder: the lab's devices trust its keys.");
  };
  auto key = P256Key::load_private(key_path);
  if (!key) return damaged(key.error());
  const auto pem = read_file(certificate_path);
  if (!pem) return damaged(pem.error());
  auto certificate = Certificate::from_pem(std::string(pem->begin(), pem->end()));
  if (!certificate)
    return damaged({certificate.error().code, certificate_path + ": " + certificate.error().message, {}});
  return Identity{std::move(*key), std::move(*certificate), key_path, certificate_path};
}

Result<SigningRoot> load_signing_root() {
  const auto paths = code_signing_root();
  if (!paths) return tl::unexpected(paths.error());
  const auto der = read_file(paths->certificate);
  if (!der) return tl::unexpected(der.error());
  auto certificate = Certificate::from_der(*der);
  if (!certificate) return tl::unexpected(certificate.error());
  auto key = P256Key::load_private(paths->key);
  if (key && certificate->belongs_to(*key)) {
    return SigningRoot{std::move(*certificate), std::move(*key), paths->key};
  }
  const std::string problem =
      key ? fmt::format("'{}' is not the key of the code-signing root '{}'", paths->key, paths->certificate)
          : fmt::format("the code-signing root's private key cannot be read: {}", key.error().message);
  return fail(
      ExitCode::kEnvironment, problem,
      fmt::format("Give it to the build (-DOTASIM_CODE_SIGNING_ROOT_KEY=FILE), or put a signer that the "
                  "root issued into the lab's folder: {0}.key.pem, {0}.cert.pem.",
                  kCodeSigner));
}

/// The code signer that is in `folder` already, else a new one.
Result<Identity> take_or_make_code_signer(const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(fmt::format("{}/{}.cert.pem", folder, kCodeSigner), ignored)) {
    return load(folder, kCodeSigner);
  }
  const auto root = load_signing_root();
  if (!root) return tl::unexpected(root.error());
  return make(folder, kCodeSigner,
              {.common_name = "otasim lab code signer",
               .purpose = Purpose::kCodeSigner,
               .dns_names = {},
               .ip_addresses = {}},
              &*root);
}

/// `length` letters of `alphabet`, at most 256 of them, as secret as the system's randomness.
Result<std::string> random_text(std::size_t length, std::string_view alphabet) {
  std::string text;
  while (text.size() < length) {
    unsigned char byte = 0;
    if (RAND_bytes(&byte, 1) != 1) {
      return fail(ExitCode::kEnvironment, "no random numbers: " + crypto::openssl_reason());
    }
    // Bytes beyond the last whole run of the alphabet would favour its first letters.
    if (byte < 256 - 256 % alphabet.size()) text += alphabet[byte % alphabet.size()];
  }
  return text;
}

Result<AccessKey> make_access_key(const std::string& folder) {
  // The shapes that AWS's tools expect.
  constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  constexpr std::string_view kSecretAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto id = random_text(14, kIdAlphabet);
  if (!id) return tl::unexpected(id.error());
  auto secret = random_text(40, kSecretAlphabet);
  if (!secret) return tl::unexpected(secret.error());
  AccessKey key{"OTASIM" + *id, *secret};
  const nlohmann::json content{{"access_key_id", key.id}, {"secret_access_key", key.secret}};
  if (auto written = write_file_atomic(credentials_path(folder), content.dump(2) + "\n", kPrivate);
      !written) {
    return tl::unexpected(written.error());
  }
  return key;
}

Result<AccessKey> load_access_key(const std::string& folder) {
  const auto text = read_file(credentials_path(folder));
  if (!text) return tl::unexpected(text.error());
  const auto content = parse_json({reinterpret_cast<const char*>(text->data()), text->size()});
  AccessKey key{text_member(content, "access_key_id").value_or(""),
                text_member(content, "secret_access_key").value_or("")};
  if (!key.id.empty() && !key.secret.empty()) return key;
  return fail(ExitCode::kEnvironment,
              fmt::format("'{}' is damaged: it holds no access key", credentials_path(folder)),
              "Put the file back, or start a new lab in another folder.");
}

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot create the folder '{}': {}", path, error.message()),
                "Choose a folder you may write to.");
  }
  return {};
}

}  // namespace

Result<std::string> check_code_signing_root() {
  const auto root = load_signing_root();
  if (!root) return tl::unexpected(root.error());
  return root->key_path;
}

Result<Lab> Lab::create(const std::string& folder) {
  if (auto made = make_folder(folder + "/devices"); !made) return tl::unexpected(made.error());
  Result<Identity> authority =
      make(folder, kAuthority, authority_request(), static_cast<const Identity*>(nullptr));
  if (!authority) return tl::unexpected(authority.error());
  Result<Identity> endpoint = make(folder, kEndpoint, endpoint_request({}), &*authority);
  if (!endpoint) return tl::unexpected(endpoint.error());
  Result<Identity> code_signer = take_or_make_code_signer(folder);
  if (!code_signer) return tl::unexpected(code_signer.error());
  auto access_key = make_access_key(folder);
  if (!access_key) return tl::unexpected(access_key.error());
  return Lab(folder, std::move(*access_key), std::move(*authority), std::move(*endpoint),
             std::move(*code_signer));
}

Result<void> Lab::reissue_endpoint(const EndpointCertificate& wanted) {
  if (wanted.valid_from && wanted.valid_until && *wanted.valid_from > *wanted.valid_until) {
    return fail(ExitCode::kUsage, "the endpoint's certificate would end before it begins");
  }
  const CertificateRequest request = endpoint_request(wanted);
  auto certificate = wanted.by_stranger
                         ? issue_by_stranger(request, endpoint_.key)
                         : Certificate::issue(request, endpoint_.key, authority_.certificate, authority_.key);
  if (!certificate) return tl::unexpected(certificate.error());
  if (auto written = write_file_atomic(endpoint_.certificate_path, certificate->pem(), kPublic); !written) {
    return written;
  }
  endpoint_.certificate = std::move(*certificate);
  return {};
}

Result<void> Lab::serve_as(const std::string& host) {
  if (host.empty() ||
      X509_check_host(endpoint_.certificate.get(), host.data(), host.size(), 0, nullptr) == 1) {
    return {};
  }
  return reissue_endpoint({.also = host});
}

Result<Identity> Lab::console() const {
  std::error_code ignored;
  if (std::filesystem::exists(fmt::format("{}/{}.cert.pem", folder_, kConsole), ignored)) {
    return load(folder_, kConsole);
  }
  const CertificateRequest request{
      .common_name = "console", .purpose = Purpose::kTlsClient, .dns_names = {}, .ip_addresses = {}};
  return make(folder_, kConsole, request, &authority_);
}

Result<Lab> Lab::open(const std::string& folder) {
  auto access_key = load_access_key(folder);
  if (!access_key) return tl::unexpected(access_key.error());
  auto authority = load(folder, kAuthority);
  if (!authority) return tl::unexpected(authority.error());
  auto endpoint = load(folder, kEndpoint);
  if (!endpoint) return tl::unexpected(endpoint.error());
  auto code_signer = load(folder, kCodeSigner);
  if (!code_signer) return tl::unexpected(code_signer.error());
  return Lab(folder, std::move(*access_key), std::move(*authority), std::move(*endpoint),
             std::move(*code_signer));
}

bool Lab::exists(const std::string& folder) {
  std::error_code ignored;
  return std::filesystem::exists(credentials_path(folder), ignored);
}

Result<Lab> Lab::open_or_create(const std::string& folder) {
  return exists(folder) ? open(folder) : create(folder);
}

Result<Identity> Lab::issue_device(const std::string& thing_name) const {
  const CertificateRequest request{
      .common_name = thing_name, .purpose = Purpose::kTlsClient, .dns_names = {}, .ip_addresses = {}};
  if (auto made = make_folder(device_folder(thing_name)); !made) return tl::unexpected(made.error());
  return make(device_folder(thing_name), "device", request, &authority_);
}

}  // namespace otasim::lab
