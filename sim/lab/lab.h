// A lab: one folder with everything a simulated fleet and its cloud share. Here: its keys and certificates.
//
//   lab-ca                signs the endpoint's and the devices' certificates
//   endpoint              the broker's (and the object server's) TLS certificate
//   code-signer           signs updates; devices are given its certificate under the job's certfile name. The
//                         build's code-signing root issues it, which the devices have in ROM
//   devices/THING/device  a device's certificate and key
//   console               an MQTT client's that may do everything: for people who look and try
//   credentials.json      the access key of the lab's AWS interface; written last: a lab that has it is whole
//
// Private files have mode 0600. Everything is made once for each lab; nothing is shared with another one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/base/result.h"
#include "sim/crypto/certificate.h"
#include "sim/crypto/key.h"

namespace otasim::lab {

/// The lab's endpoint name: what presigned URLs, device settings and certificates carry.
inline constexpr const char* kEndpointHost = "otasim.localhost";
/// The name under which devices know the code signer's certificate (`certfile` in the job document).
inline constexpr const char* kCodeSignerName = "/otasim/code-signer.pem";

/// The name of the PAL qualification's signer (OTA_PAL_CERTIFICATE_FILE in agent/pal_test).
inline constexpr const char* kPalTestSignerName = "/otasim/pal-test-signer.pem";

/// Checks that code signers can be issued. @returns the root's key file; kEnvironment, saying what to do, if
/// not
[[nodiscard]] Result<std::string> check_code_signing_root();

struct Identity {
  crypto::P256Key key;
  crypto::Certificate certificate;
  std::string key_path;          ///< PEM, 0600
  std::string certificate_path;  ///< PEM
};

/// What signs requests to the lab's AWS interface, and presigned URLs.
struct AccessKey {
  std::string id;
  std::string secret;
};

/// The certificate that the endpoint shows; with nothing set, one that every device of the lab accepts.
struct EndpointCertificate {
  std::optional<std::int64_t> valid_from = {};   ///< seconds since 1970; none: a day ago
  std::optional<std::int64_t> valid_until = {};  ///< the same; none: ten years from now
  std::string host = {};     ///< the only name in it; empty: the lab's names and the loopback address
  std::string also = {};     ///< one more name beside the lab's
  bool by_stranger = false;  ///< issued by an authority that nobody knows
};

class Lab {
 public:
  /// Makes the authority, the endpoint's and the code signer's identities and the access key in `folder`.
  /// A code signer that is there already (code-signer.key.pem, code-signer.cert.pem) is taken as it is: that
  /// is how a lab is given one where the root's private key is not at hand.
  /// @returns kEnvironment if the folder cannot be written, or the code-signing root's key is missing and
  ///          there is no code signer
  [[nodiscard]] static Result<Lab> create(const std::string& folder);
  /// Reads what create() made. @returns kEnvironment, naming the file, if one is missing or damaged
  [[nodiscard]] static Result<Lab> open(const std::string& folder);
  /// Opens the lab in `folder`; makes it if there is none, or one that was not finished.
  [[nodiscard]] static Result<Lab> open_or_create(const std::string& folder);
  /// Whether there is a whole lab in `folder`.
  [[nodiscard]] static bool exists(const std::string& folder);

  /// Makes the identity of one device, replacing one it had.
  [[nodiscard]] Result<Identity> issue_device(const std::string& thing_name) const;
  /// Gives the endpoint another certificate, for the key it has; broker and object server show it from their
  /// next start on.
  /// @returns kUsage if it would end before it begins; kEnvironment if it cannot be written
  [[nodiscard]] Result<void> reissue_endpoint(const EndpointCertificate& wanted);
  /// Sees to it that the endpoint's certificate carries one more name beside the lab's; empty: none.
  /// @returns as reissue_endpoint()
  [[nodiscard]] Result<void> serve_as(const std::string& host);
  /// The identity of the lab's console, an MQTT client with every right; made when it is first asked for.
  /// @returns kEnvironment if it cannot be written or read
  [[nodiscard]] Result<Identity> console() const;
  [[nodiscard]] std::string device_folder(const std::string& thing_name) const {
    return folder_ + "/devices/" + thing_name;
  }

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const AccessKey& access_key() const { return access_key_; }
  [[nodiscard]] const Identity& authority() const { return authority_; }
  [[nodiscard]] const Identity& endpoint() const { return endpoint_; }
  [[nodiscard]] const Identity& code_signer() const { return code_signer_; }

 private:
  Lab(std::string folder, AccessKey access_key, Identity authority, Identity endpoint, Identity code_signer)
      : folder_(std::move(folder)),
        access_key_(std::move(access_key)),
        authority_(std::move(authority)),
        endpoint_(std::move(endpoint)),
        code_signer_(std::move(code_signer)) {}

  std::string folder_;
  AccessKey access_key_;
  Identity authority_;
  Identity endpoint_;
  Identity code_signer_;
};

}  // namespace otasim::lab
