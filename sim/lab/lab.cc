#include "sim/lab/lab.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/file_io.h"

namespace otasim::lab {
namespace {

using crypto::Certificate;
using crypto::CertificateRequest;
using crypto::P256Key;
using crypto::Purpose;

Result<Identity> save(const std::string& folder, const std::string& name, P256Key key,
                      Certificate certificate) {
  constexpr mode_t kPrivate = 0600;
  constexpr mode_t kPublic = 0644;
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
Result<Identity> make(const std::string& folder, const std::string& name, const CertificateRequest& request,
                      const Identity* issuer) {
  Result<P256Key> key = P256Key::generate();
  if (!key) return tl::unexpected(key.error());
  Result<Certificate> certificate = issuer != nullptr
                                        ? Certificate::issue(request, *key, issuer->certificate, issuer->key)
                                        : Certificate::self_signed(request, *key);
  if (!certificate) return tl::unexpected(certificate.error());
  return save(folder, name, std::move(*key), std::move(*certificate));
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

Result<Lab> Lab::create(const std::string& folder) {
  if (auto made = make_folder(folder + "/devices"); !made) return tl::unexpected(made.error());
  Result<Identity> authority = make(
      folder, "lab-ca",
      {.common_name = "otasim lab CA", .purpose = Purpose::kAuthority, .dns_names = {}, .ip_addresses = {}},
      nullptr);
  if (!authority) return tl::unexpected(authority.error());
  Result<Identity> endpoint = make(folder, "endpoint",
                                   {.common_name = kEndpointHost,
                                    .purpose = Purpose::kTlsServer,
                                    .dns_names = {kEndpointHost, "localhost"},
                                    .ip_addresses = {"127.0.0.1"}},
                                   &*authority);
  if (!endpoint) return tl::unexpected(endpoint.error());
  // As with AWS, the device trusts this very certificate; its issuer may be itself.
  Result<Identity> code_signer = make(folder, "code-signer",
                                      {.common_name = "otasim lab code signer",
                                       .purpose = Purpose::kCodeSigner,
                                       .dns_names = {},
                                       .ip_addresses = {}},
                                      nullptr);
  if (!code_signer) return tl::unexpected(code_signer.error());
  return Lab(folder, std::move(*authority), std::move(*endpoint), std::move(*code_signer));
}

Result<Identity> Lab::issue_device(const std::string& thing_name) const {
  const CertificateRequest request{
      .common_name = thing_name, .purpose = Purpose::kTlsClient, .dns_names = {}, .ip_addresses = {}};
  return make(folder_ + "/devices", thing_name, request, &authority_);
}

}  // namespace otasim::lab
