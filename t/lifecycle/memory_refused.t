#!/usr/bin/perl

# Memory is refused, one call in n, to workers: by malloc(), and in shared
# memory.  A drunk client takes its steps meanwhile: no worker dies, nothing is
# accepted and lost, no good ticket is called bad; and when there is memory
# again all is well.  WS_MGR_STATE seconds of it, "make fuzz-memory".

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::State;

plan skip_all => 'a build with failpoints: make failpoints'
    if !$ENV{WS_MGR_FAILPOINTS_MODULE} && !$ENV{WS_MGR_ASAN};

Test::WsMgr::State->rounds(faults => $ENV{WS_MGR_STATE} ? 'memory_reload'
                                                        : 'memory');
