"""The servers that are compared: ourselves, a bare one, and the rivals that
Debian and npm give.  Each is a process on the first core, unless it is said to
be on others."""

import atexit
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so'

CONF = '''
{load}
daemon off;
worker_processes {workers};
pid {dir}/nginx.pid;
error_log {dir}/error.log notice;
events {{ worker_connections 19900; }}

http {{
    client_body_temp_path {dir}/1;
    proxy_temp_path {dir}/2;
    fastcgi_temp_path {dir}/3;
    scgi_temp_path {dir}/4;
    uwsgi_temp_path {dir}/5;
    access_log off;
    keepalive_requests 1000000000;
    client_header_buffer_size 4k;
    request_pool_size 8k;
    {http}

    server {{
        listen 127.0.0.1:{port} backlog=4096{reuse};
        location = /nothing {{ return 204; }}
        {server}
    }}
}}
'''

OURS_HTTP = 'ws_mgr_zone {zone}; ws_mgr_connections user=off; {more}'
OURS = '''
        location = /ws { ws_mgr_socket; ws_mgr_ping off; }
        location /api/ { ws_mgr_api events tickets metrics broadcast; }
'''
NCHAN_HTTP = 'nchan_shared_memory_size 256m;'
NCHAN_SERVER = '''
        location ~ ^/sub/(.*)$ {
            nchan_subscriber websocket;
            nchan_channel_id $1;
            nchan_subscriber_first_message newest;
        }
        location ~ ^/pub/(.*)$ {
            nchan_publisher;
            nchan_channel_id $1;
            nchan_message_buffer_length 256;
        }
'''
FAULTS = ('refused', 'lost', 'repeated', 'disordered')


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def pinned(core, command):
    return ['taskset', '-c', core] + command


def answer_of(line):
    """What a load or a probe found; None: it gave up, and has said why."""

    try:
        found = json.loads(line)
    except ValueError:
        return None

    found['void'] = any(found.get(fault) for fault in FAULTS)
    return found


def asked(command):
    return answer_of(subprocess.run(command, stdout=subprocess.PIPE,
                                    text=True).stdout)


def awaited(condition, what):
    """What the condition gives, once that is something."""

    for _ in range(400):
        found = condition()

        if found:
            return found

        time.sleep(0.05)

    sys.exit(what)


def pss_of(pid):
    text = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text()
    return next(1024 * int(line.split()[1]) for line in text.splitlines()
                if line.startswith('Pss:'))


def cpu_ns_of(pid):
    return int(pathlib.Path(f'/proc/{pid}/schedstat').read_text().split()[0])


class Server:
    """A process (or a master and its workers), and where it listens."""

    def __init__(self, command, port, to='plain', core='0', workers=0):
        self.at = f'127.0.0.1:{port}'
        self.to = to
        self.process = subprocess.Popen(pinned(core, command),
                                        stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        atexit.register(self.stop)

        def answers():
            try:
                socket.create_connection(('127.0.0.1', port)).close()
                return True
            except OSError:
                return False

        awaited(answers, f'{command[0]} did not start')
        self.pids = self.children() if workers else [self.process.pid]

    def children(self):
        pid = self.process.pid
        text = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text()
        return [int(p) for p in text.split()]

    def reload(self, workers):
        """With another nginx.conf: till its workers, and no others, are."""

        old = set(self.pids)
        self.process.send_signal(signal.SIGHUP)

        def renewed():
            pids = self.children()
            return len(pids) == workers and not old & set(pids) and pids

        self.pids = awaited(renewed, 'old workers are still there')

    def load(self, binary, core, settings):
        return pinned(core, [binary, f'to={self.to}', f'at={self.at}',
                             'pids=' + ','.join(map(str, self.pids))]
                      + [f'{k}={v}' for k, v in settings.items()])

    def probe(self, binary, path):
        """On the server's core: on that of the load it would wait for the
        load, whose packets come before its own."""

        return pinned('0', [binary, self.at, path])

    def pss(self):
        return sum(map(pss_of, self.pids))

    def cpu_us(self):
        return sum(map(cpu_ns_of, self.pids)) / 1000

    def metric(self, name):
        with urllib.request.urlopen(f'http://{self.at}/api/metrics') as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f'{name} '):
                    return float(line.split()[1])

        raise KeyError(name)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        atexit.unregister(self.stop)


class Servers:
    def __init__(self, nginx, module, directory):
        self.nginx, self.module, self.dir = nginx, module, directory
        self.limit = self.build('limit')

    def build(self, name):
        out = f'{self.dir}/{name}'
        subprocess.run(['gcc', '-O2', '-Wall', '-Wextra', '-D_GNU_SOURCE', '-o',
                        out, f'{TOP}/bench/compare/{name}.c'], check=True)
        return out

    def with_nginx(self, name, load, http, server, to, workers=1, core='0',
                   slots=0):
        port = free_port()
        where = f'{self.dir}/{name}'
        conf = f'{where}/nginx.conf'
        shutil.rmtree(where, ignore_errors=True)
        os.makedirs(where)
        os.chmod(where, 0o755)

        def write(workers):
            with open(conf, 'w') as out:
                out.write(CONF.format(
                    load=load and f'load_module {load};', dir=where, port=port,
                    http=http, server=server, workers=workers,
                    reuse='' if slots or workers == 1 else ' reuseport'))

        write(slots or workers)
        started = Server([self.nginx, '-p', where, '-c', conf, '-e',
                          f'{where}/error.log'], port, to, core,
                         slots or workers)

        if slots:
            write(workers)
            started.reload(workers)

        return started

    def ours(self, workers=1, core='0', more='', zone='256m', slots=0):
        """slots: so many workers were there before those that are."""

        return self.with_nginx('ours', self.module,
                               OURS_HTTP.format(more=more, zone=zone), OURS,
                               'ours', workers, core, slots)

    def nchan(self, workers=1, core='0'):
        if not os.path.exists(NCHAN):
            return None

        return self.with_nginx('nchan', NCHAN, NCHAN_HTTP, NCHAN_SERVER,
                               'plain', workers, core)

    def bare(self):
        port = free_port()
        return Server([self.limit, str(port)], port)

    def nothing(self):
        return self.with_nginx('nothing', '', '', 'location / { return 204; }',
                               'plain')

    def ws(self):
        clients = os.environ.get('WS_MGR_CLIENTS', f'{TOP}/build/clients')

        if not os.path.isdir(f'{clients}/node_modules/ws'):
            return None

        os.environ['NODE_PATH'] = f'{clients}/node_modules'
        port = free_port()
        return Server(['node', f'{TOP}/bench/compare/ws.js', str(port)], port)

    def start(self, kind, **options):
        """None: it is not installed."""

        return {'ours': self.ours, 'limit': self.bare, 'nchan': self.nchan,
                'nginx 204': self.nothing, 'ws on Node': self.ws
                }[kind](**options)
