// Ties AWS's context-free PAL functions to one Pal.
#pragma once

#include <string_view>

#include "agent/include/ota_platform_interface.h"
#include "pal_sim/pal/pal.h"

namespace pal {

/// `pal` must outlive every call of an otaPal_ function. A null pointer unbinds.
void bind(Pal* pal);

/// The bound functions as the agent takes them.
[[nodiscard]] OtaPalInterface_t interface();

/// For ota::Extras: whether the running image is committed and was brought by this job.
[[nodiscard]] bool is_committed_job(std::string_view job_id);

}  // namespace pal
