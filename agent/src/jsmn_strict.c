// The tokenizer's one compiled copy, in its strict mode; json_document.h includes only its declarations.
#define JSMN_STRICT
#include <jsmn.h>
