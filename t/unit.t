#!/usr/bin/perl

# Runs the unit tests t/unit/<noun>.c inside nginx: each is a module whose
# init_module runs its tests under "nginx -t".  Its TAP becomes a subtest.

use strict;
use warnings;

use Test::More;
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);

my $nginx = $ENV{WS_MGR_NGINX} || '/usr/sbin/nginx';
my $unit = $ENV{WS_MGR_UNIT} || dirname(__FILE__) . '/../build/nginx/t';

my @nouns = $ENV{WS_MGR_NOUN}
    || grep { $_ ne 'unit' }
       map { basename($_, '.c') } sort glob dirname(__FILE__) . '/unit/*.c';

plan tests => scalar @nouns;

for my $noun (@nouns) {
    subtest $noun => sub { run($noun) };
}

sub run {
    my ($noun) = @_;

    my $dir = tempdir(CLEANUP => 1);

    open my $conf, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!";
    print $conf "load_module $unit/unit/$noun.so;\n",
        "pid $dir/nginx.pid;\nerror_log stderr;\nevents {}\n";
    close $conf;

    local $ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';

    my @lines = `$nginx -t -p $dir/ -e stderr -c $dir/nginx.conf 2>&1`;
    my $status = $?;
    my ($plan, $seen) = (0, 0);

    for (@lines) {
        chomp;

        if (/^1\.\.(\d+)/) {
            $plan += $1;

        } elsif (/^(not )?ok \d+(?: - (.*))?$/) {
            $seen++;
            ok(!$1, $2);

        } else {
            s/^#\s?//;
            $status ? diag($_) : note($_);
        }
    }

    cmp_ok($seen, '>', 0, 'there were tests');
    is($seen, $plan, 'as many tests as were announced');
    is($status, 0, 'nginx ended in peace');
}
