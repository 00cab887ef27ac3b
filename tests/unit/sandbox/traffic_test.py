#!/usr/bin/python3
"""Capture and replay between real processes in network namespaces: whatever the clients asked of production arrives at
each arm, from the same addresses, or is counted. Usage: traffic_test.py PENUMBRA_CAPTURE PENUMBRA_SANDBOX"""

import collections
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from traffic_lab import Agent, Processes, Spaces, run, wait_for

CAPTURE, SANDBOX = (os.path.abspath(path) for path in sys.argv[1:3])
KEY = '00112233445566778899aabbccddeeff'
CLIENTS = ('203.0.113.7', '203.0.113.8', '10.0.0.77')


def asked(path):
    """Lines of a log without the time: who, what."""
    with open(path, encoding='ascii') as lines:
        return [' '.join(line.split()[:4]) for line in lines]


class Traffic(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='penumbra-traffic-')
        self.spaces, self.processes = Spaces(), Processes()
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self.spaces.remove)
        self.addCleanup(self.processes.stop)
        self.production = self.spaces.add('p')
        self.clients = self.spaces.add('c')
        self.spaces.join(self.production, 'eth0', self.clients, 'c0')
        run('ip', '-n', self.production, 'addr', 'add', '10.0.0.5/24', 'dev', 'eth0')
        run('ip', '-n', self.clients, 'addr', 'add', '10.0.0.1/24', 'dev', 'c0')
        for address in CLIENTS:
            run('ip', '-n', self.clients, 'addr', 'add', f'{address}/32', 'dev', 'c0')
        run('ip', '-n', self.production, 'route', 'add', 'default', 'via', '10.0.0.1')
        self.serve(self.production, 'production.log')

    def path(self, name):
        return os.path.join(self.folder, name)

    def serve(self, space, log, drops='/drop'):
        self.processes.script(space, 'serve', self.path(log), drops)
        wait_for(lambda: os.path.exists(self.path(log)), f'{space} listening')

    def ask(self, plan, **more):
        return self.processes.script(self.clients, 'client', self.path('client.log'), ';'.join(plan), **more)

    def capture(self, arms, *more):
        words = [word for arm in arms for word in ('--arm', f'{arm}={self.path(arm + ".sock")}')]
        process = self.processes.start(self.production, CAPTURE, '--group', 'shop', '--interface', 'eth0', '--server',
                                       '10.0.0.5:80', '--key', KEY, '--spool-folder', self.folder, '--report',
                                       self.path('capture.report'), *words, *more)
        return process, Agent(self.path('capture.report'))

    def arm(self, name, *more, drops='/drop'):
        shadow, sandbox = self.spaces.add(f'{name}a'), self.spaces.add(f'{name}s')
        self.spaces.join(shadow, 'eth0', sandbox, 'rp0')
        run('ip', '-n', shadow, 'addr', 'add', '10.0.0.5/24', 'dev', 'eth0')
        run('ip', '-n', shadow, 'route', 'add', 'default', 'via', '10.0.0.1')
        self.serve(shadow, f'{name}.log', drops)
        process = self.processes.start(sandbox, SANDBOX, '--group', 'shop', '--shadow', 's1', '--arm', name,
                                       '--interface', 'rp0', '--server', '10.0.0.5:80', '--key', KEY, '--capture',
                                       self.path(f'{name}.sock'), '--report', self.path(f'{name}.report'),
                                       '--delay-ms', '300', *more)
        return process, Agent(self.path(f'{name}.report')), shadow

    def plan(self, connections, requests, path='/ok?ms=5'):
        return [f'{CLIENTS[i % len(CLIENTS)]} {20000 + i} ' +
                ' '.join(f'{"POST" if j % 3 == 0 else "GET"} {path}' for j in range(requests))
                for i in range(connections)]

    def assert_balanced(self, agent, captured):
        """Everything was captured, and each is replayed or lost; what waits is in neither yet."""
        wait_for(lambda: agent.ledger()['captured'] == captured == sum(agent.ledger().values()) - captured,
                 f'{captured} exchanges being captured and accounted for')
        return agent.ledger()

    def test_both_arms_get_what_production_got_from_the_same_addresses(self):
        capture, production = self.capture(['control', 'treated'])
        control, at_control, _ = self.arm('control')
        _, at_treated, _ = self.arm('treated')
        plan = self.plan(12, 15)
        self.assertEqual(self.ask(plan).wait(timeout=60), 0)
        for agent in (at_control, at_treated):
            self.assertEqual(self.assert_balanced(agent, 180)['replayed'], 180)
            wait_for(lambda agent=agent: agent.total('requests') == 180, 'the arm\'s own KPIs')
        client = collections.Counter(asked(self.path('client.log')))
        for log in ('production.log', 'control.log', 'treated.log'):
            self.assertEqual(collections.Counter(asked(self.path(log))), client, log)
        wait_for(lambda: production.total('requests') == 180, 'production\'s KPIs')
        sequences = [window['sequence'] for window in production.windows]
        self.assertEqual(sequences, list(range(sequences[0], sequences[0] + len(sequences))))
        with open(self.path('client.log'), encoding='ascii') as lines:
            times = [float(line.split()[4]) * 1e6 for line in lines]
        # The client's own clock includes its Python; the wire cannot have seen more than it, nor less than the server.
        self.assertGreater(production.mean_us(), 5000)
        self.assertLess(production.mean_us(), sum(times) / len(times) + 1000)
        for process in (capture, control):
            with open(f'/proc/{process.pid}/status', encoding='ascii') as status:
                fields = {name: value for name, _, value in (line.partition(':') for line in status)}
            self.assertEqual(int(fields['CapEff'], 16), 0)
            self.assertEqual(fields['Seccomp'].strip(), '2')
        capture.send_signal(signal.SIGKILL)
        self.assertEqual(control.wait(timeout=20), 0)

    def test_connections_under_way_are_joined_at_their_next_request(self):
        plan = [f'{CLIENTS[i]} {20000 + i} GET /pause' + ' GET /after' * 5 for i in range(3)]
        client = self.ask(plan, stdin=subprocess.PIPE)
        wait_for(lambda: os.path.exists(self.path('client.log')) and len(asked(self.path('client.log'))) == 3,
                 'three connections under way')
        self.capture(['control'])
        _, agent, _ = self.arm('control')
        client.stdin.write(b'\n\n\n')
        client.stdin.flush()
        self.assertEqual(client.wait(timeout=60), 0)
        self.assertEqual(self.assert_balanced(agent, 15)['replayed'], 15)
        self.assertEqual(collections.Counter(asked(self.path('control.log'))),
                         collections.Counter(line for line in asked(self.path('client.log')) if '/after' in line))

    def test_what_an_arm_does_not_answer_is_counted_and_a_late_arm_gets_what_waited(self):
        _, production = self.capture(['control'])
        plan = self.plan(4, 5) + [f'{CLIENTS[0]} {30000 + i} GET /ok GET /fragile GET /ok GET /down' for i in range(3)]
        self.assertEqual(self.ask(plan).wait(timeout=60), 0)
        wait_for(lambda: production.total('requests') == 32, 'production\'s KPIs')
        self.assertEqual(production.total('errors'), 3)
        _, agent, shadow = self.arm('control', drops='/fragile')
        ledger = self.assert_balanced(agent, 32)
        self.assertEqual(ledger['lost_reset'], 3)
        self.assertEqual(ledger['replayed'], 29)
        # What the shadow sends outward is refused at once, by whoever it believes to speak to.
        refused = subprocess.run(['ip', 'netns', 'exec', shadow, '/usr/bin/python3', '-c',
                                  'import socket; socket.create_connection(("192.0.2.25", 25), 5)'],
                                 check=False, capture_output=True)
        self.assertIn(b'ConnectionRefusedError', refused.stderr)

    def test_a_spool_without_room_is_tallied_to_the_arm(self):
        _, production = self.capture(['control'], '--spool-bytes', '3000')
        self.assertEqual(self.ask(self.plan(4, 10)).wait(timeout=60), 0)
        wait_for(lambda: production.total('requests') == 40, 'production\'s KPIs')
        _, agent, _ = self.arm('control')
        ledger = self.assert_balanced(agent, 40)
        self.assertGreater(ledger['lost_spool_full'], 0)
        self.assertGreater(ledger['replayed'], 0)


if __name__ == '__main__':
    if os.geteuid() != 0:
        print('skipped: network namespaces take root')
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
