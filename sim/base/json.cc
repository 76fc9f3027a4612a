#include "sim/base/json.h"

OTASIM_JSON_TEMPLATES(, std::map);
OTASIM_JSON_TEMPLATES(, nlohmann::ordered_map);
