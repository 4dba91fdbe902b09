
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Runs a fuzz target over the inputs in the directory WS_MGR_CORPUS, inside
 * nginx: the loader of the unit tests is used.  An input that breaks the
 * target ends the process; the last name that was written is its own.
 */


#include "../unit/unit.h"
#include <dirent.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int ngx_ws_mgr_unit_replay(void);

static void ngx_ws_mgr_replay_input(const char *dir, const char *name);


int
ngx_ws_mgr_unit_replay(void)
{
    DIR            *d;
    int             n;
    const char     *dir;
    struct dirent  *de;

    n = 0;
    dir = getenv("WS_MGR_CORPUS");

    d = opendir(dir ? dir : "");

    if (d) {
        for (de = readdir(d); de; de = readdir(d)) {
            if (de->d_name[0] != '.') {
                ngx_ws_mgr_replay_input(dir, de->d_name);
                n++;
            }
        }

        (void) closedir(d);
    }

    printf("1..1\n%s 1 - replayed %d inputs\n", n ? "ok" : "not ok", n);

    return (n == 0);
}


/* the copy is as long as the input, so that a sanitizer sees its end */

static void
ngx_ws_mgr_replay_input(const char *dir, const char *name)
{
    FILE    *file;
    char     path[NGX_MAX_PATH];
    long     size;
    uint8_t  *data;

    printf("# %s\n", name);
    fflush(stdout);

    (void) snprintf(path, sizeof(path), "%s/%s", dir, name);

    file = fopen(path, "rb");
    if (file == NULL) {
        return;
    }

    (void) fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);

    data = malloc(size ? size : 1);

    if (data && fread(data, 1, size, file) == (size_t) size) {
        (void) LLVMFuzzerTestOneInput(data, size);
    }

    free(data);
    (void) fclose(file);
}
