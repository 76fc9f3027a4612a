// The parameters of a job that is made of a template: values for the `${name}` placeholders in the texts of
// the template's document.
//
//   if (auto valid = check_document_parameters(parameters); !valid) ...
//   auto document = substitute_parameters(template.document, parameters);
//
// A value stands as it is: it is not searched for placeholders. Names of members are no texts. What only
// looks like a placeholder, and one whose parameter is not given, stays.
#pragma once

#include <string>

#include "sim/cloud/job.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

/// @returns kInvalidRequest for a name or a value that AWS does not take
[[nodiscard]] ServiceResult<void> check_document_parameters(const DocumentParameters& parameters);

/// @param document    as check_job_document() takes it
/// @param parameters  as check_document_parameters() takes them; none: the document stays as it is
/// @returns kInvalidRequest for a parameter that the document does not have, and as soon as the texts are
///          longer than a document may be
[[nodiscard]] ServiceResult<std::string> substitute_parameters(const std::string& document,
                                                               const DocumentParameters& parameters);

}  // namespace otasim::cloud
