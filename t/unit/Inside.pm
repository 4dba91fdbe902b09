package Inside;

# Runs a module of tests inside nginx, under "nginx -t": what its init_module
# prints as TAP becomes tests of the caller.

use strict;
use warnings;

use Exporter qw/ import /;
use File::Basename qw/ basename dirname /;
use File::Temp qw/ tempdir /;
use Test::More;

our @EXPORT = qw/ nouns inside /;

my $top = dirname(__FILE__) . '/../..';

# the nouns of t/<kind>/*.c, or the one that was asked for
sub nouns {
    my ($kind, @others) = @_;

    return $ENV{WS_MGR_NOUN} if $ENV{WS_MGR_NOUN};

    my %other = map { $_ => 1 } @others;

    return grep { !$other{$_} } map { basename($_, '.c') }
           sort glob "$top/t/$kind/*.c";
}

sub inside {
    my ($kind, $noun) = @_;
    my $modules = $ENV{WS_MGR_UNITS} || "$top/build/nginx/t";
    my $nginx = $ENV{WS_MGR_NGINX} || '/usr/sbin/nginx';
    my $dir = tempdir(CLEANUP => 1);
    my ($plan, $seen) = (0, 0);

    open my $conf, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!";
    print $conf "load_module $modules/$kind/$noun.so;\n",
        "pid $dir/nginx.pid;\nerror_log stderr;\nevents {}\n";
    close $conf;

    local $ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';

    my @lines = `$nginx -t -p $dir/ -e stderr -c $dir/nginx.conf 2>&1`;
    my $status = $?;

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

    ok($seen && $seen == $plan, "$seen tests of $plan were run");
    is($status, 0, 'nginx ended well');
    ok(!grep({ /ngx_ws_mgr.*: runtime error:/ } @lines), 'nothing undefined');
}

1;
