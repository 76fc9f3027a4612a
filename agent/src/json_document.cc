#include "agent/src/json_document.h"

#define JSMN_STRICT
#undef JSMN_HEADER
#undef JSMN_H
// The tokenizer's body is compiled here once; its types come from the include in the header above.
#define jsmntype_t jsmntype_impl_t
#undef jsmntype_t

namespace ota {}
