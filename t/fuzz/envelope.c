
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * One posted body, whole: the envelope and jansson must agree on it, as one
 * event and as a batch.
 */


#include "../unit/envelope_oracle.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char  *differs;

    json_object_seed(1);

    differs = oracle(data, size);

    if (differs) {
        fprintf(stderr, "%s: %.*s\n", differs, (int) size, (char *) data);
        abort();
    }

    return 0;
}
