// AWS Signer's REST interface over cloud::SigningJobs: `docs/signer.md`.
//
//   auto routes = signer_routes(cloud.signing_jobs());
//   JsonApi signer(ApiStyle::kSigner, std::move(routes), ...);
//   dispatcher.add("signer", signer, [&](const auto& head) { return signer.recognizes(head); });
#pragma once

#include <vector>

#include "sim/cloud/signing_jobs.h"
#include "sim/rest/json_api.h"

namespace otasim::rest {

/// @param jobs  must outlive the routes
[[nodiscard]] std::vector<Route> signer_routes(cloud::SigningJobs& jobs);

/// The same, for the documents.
[[nodiscard]] std::vector<Operation> signer_operations();

}  // namespace otasim::rest
