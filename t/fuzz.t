#!/usr/bin/perl

# Each fuzz target t/fuzz/<noun>.c, inside nginx, over the inputs that are
# kept in t/fuzz/corpus/<noun>/.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/unit";
use Inside;
use Test::More;

for my $noun (nouns('fuzz', 'driver', 'replay')) {
    subtest $noun => sub {
        local $ENV{WS_MGR_CORPUS} = "$FindBin::Bin/fuzz/corpus/$noun";

        inside('fuzz', $noun);
    };
}

done_testing();
