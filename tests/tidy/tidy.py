#!/usr/bin/python3
"""The house rules that a machine can check: who may include whom, sizes, names, banned calls. Prints each breach; exit 1 on any."""

import re
import sys
from pathlib import Path

FILE_LINES_MAX, HEADER_LINES_MAX, FUNCTION_LINES_MAX = 600, 300, 70

# Folder -> folders it may include (its own is implied). Order is the layer diagram of docs/architecture.md.
MAY_INCLUDE = {
    'base': set(),
    'proto/model': {'base'},
    'proto': {'base', 'proto/model'},
    'journal': {'base', 'proto/model'},
    'analysis': {'base', 'proto/model'},
    'packet': {'base', 'proto/model'},
    'hypervisor': {'base', 'proto/model', 'journal', 'analysis', 'packet'},
    'netisolate': {'base', 'proto/model', 'journal', 'analysis', 'packet'},
    'replay': {'base', 'proto/model', 'journal', 'analysis', 'packet'},
    'systemd': {'base', 'proto/model', 'journal', 'analysis', 'packet'},
    'effects': {'base', 'proto/model', 'journal', 'analysis', 'packet', 'hypervisor', 'netisolate', 'systemd'},
    'effects/revert': {'base', 'proto/model', 'journal', 'effects', 'hypervisor', 'netisolate', 'systemd'},
    'capture': {'base', 'proto', 'proto/model', 'packet', 'replay', 'netisolate/netlink', 'systemd/notify'},
    'sandbox': {'base', 'proto', 'proto/model', 'packet', 'replay', 'netisolate/netlink', 'systemd/notify'},
    'agent': {'base', 'proto', 'proto/model', 'journal', 'analysis', 'packet', 'hypervisor', 'netisolate', 'replay',
              'systemd', 'effects'},
    'coordinator': {'base', 'proto', 'proto/model', 'analysis', 'systemd/notify'},
    'cli': {'base', 'proto', 'proto/model', 'analysis'},
}

# Third-party header -> the places (path prefixes) that own it.
OWNED = {
    r'libvirt/': ['hypervisor/libvirt/'],
    r'libnbd\.h': ['hypervisor/nbd/'],
    r'(openvswitch/|openflow/|lib/|ovsdb)': ['netisolate/ovs/'],
    r'(netlink/|linux/(rtnetlink|netlink|if_link|veth))': ['netisolate/netlink/'],
    r'(sqlite3\.h|SQLiteCpp/)': ['coordinator/store/', 'agent/store'],
    r'zmq': ['proto/zmq/'],
    r'google/protobuf': ['proto/codec'],
    r'.*\.pb\.h': ['proto/codec'],
    r'toml\+\+': ['proto/spec'],
    r'CLI/': ['cli/main'],
    r'nlohmann/': ['cli/render', 'coordinator/api'],
    r'openssl/': ['base/digest'],
    r'zstd\.h': ['hypervisor/stream'],
    r'zlib\.h': ['analysis/histogram_codec'],
    r'seccomp\.h': ['capture/', 'sandbox/'],
    r'systemd/': ['base/event_loop', 'base/log', 'systemd/'],
    r'sodium': ['proto/zmq/', 'proto/keys', 'replay/sampler'],
    r'pugixml': ['hypervisor/'],
}

BANNED = [
    (r'\busing namespace (?!\S*literals\b)', 'using namespace (literals may)'),
    (r'\bsleep_for\b|\busleep\s*\(|[^_\w]sleep\s*\(', 'waiting by the clock: wait on a condition with a deadline'),
    (r'\b(system|popen)\s*\(', 'a shell in the product'),
    (r'\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b', 'a TODO without a line in docs/roadmap.md'),
    (r'\bEXPECT_CALL\b', 'a mock that asserts call order'),
    (r'\b(strcpy|strcat|sprintf|gets)\s*\(', 'an unbounded string call'),
    (r'\bstd::(thread::detach|async)\b|\.detach\(\)', 'a thread that nobody joins'),
]
BANNED_IN_THE_PRODUCT = [
    (r'\bVIR_DOMAIN_STATS_BLOCK\s*[|,;)]|\bvirDomainGetBlockInfo\s*\(', 'a list of block nodes: QEMU 7.2 dies of it beside a backup that begins'),
]
# Who may run a program of the host: docs/decisions/0005.
RUNS_PROGRAMS = ('base/program.', 'hypervisor/image_bitmaps.cpp')
PROGRAM = re.compile(r'\bposix_spawnp?\s*\(|\bexec[lv]p?e?\s*\(|\brun_program\s*\(')
BAD_TYPE = re.compile(r'\b(?:class|struct)\s+(?:\[\[\w+\]\]\s+)?(\w*(?:Manager|Handler|Helper|Utils?|Common|Base))\b(?!\s*;)')
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def layer(path):
    """The longest folder of MAY_INCLUDE that holds `path`."""
    parts = path.split('/')
    for length in range(len(parts) - 1, 0, -1):
        name = '/'.join(parts[:length])
        if name in MAY_INCLUDE:
            return name
    return None


def strip_comments(text):
    """Source with comments and string contents blanked, lines kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)
    return pattern.sub(lambda m: re.sub(r'[^\n]', ' ', m.group(0)), text)


def include_breaches(path, text):
    here = layer(path)
    for style, name in INCLUDE.findall(text):
        if style == '"' and not any(re.match(rule, name) for rule in (r'.*\.pb\.h', r'netisolate/ovs/.*\.h')):
            there = layer(name)
            if there is None:
                yield f'{path}: includes "{name}", which is in no layer: write the path from the project root'
            elif here and there != here and not any(
                    there == allowed or name.startswith(allowed + '/') or there.startswith(allowed + '/') or
                    name.startswith(allowed + '.') for allowed in MAY_INCLUDE[here] | {here}):
                yield f'{path}: {here} may not include {there} ("{name}")'
        for rule, owners in OWNED.items():
            third_party = style == '<' or name.endswith('.pb.h')
            if third_party and re.match(rule, name) and not any(path.startswith(owner) for owner in owners):
                yield f'{path}: <{name}> belongs to {", ".join(owners)}'


def function_breaches(path, code):
    """Functions by indentation: clang-format puts the closing brace of a body at the column where its line began."""
    opened = []
    for number, line in enumerate(code.split('\n'), 1):
        if re.search(r'\)[^;{}]*\{\s*$', line) and not re.match(r'\s*(if|for|while|switch|do|else|catch|\})', line):
            opened.append((len(line) - len(line.lstrip()), number))
        while opened and re.match(r'\s*\}', line) and len(line) - len(line.lstrip()) <= opened[-1][0]:
            start = opened.pop()[1]
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield f'{path}:{start}: a function of {number - start + 1} lines; at most {FUNCTION_LINES_MAX}'


def breaches(path, text):
    """Every breach of the house rules in one file; `path` is relative to the project's root."""
    code = strip_comments(text)
    lines = text.count('\n')
    in_product = layer(path) is not None
    if path.endswith(('.cpp', '.hpp', '.c', '.h')):
        limit = HEADER_LINES_MAX if path.endswith(('.hpp', '.h')) else FILE_LINES_MAX
        if lines > limit:
            yield f'{path}: {lines} lines; at most {limit}'
        if in_product:
            yield from include_breaches(path, text)
        yield from function_breaches(path, code)
        for match in BAD_TYPE.finditer(code):
            yield f'{path}: type {match.group(1)} is named after nothing: name it by its duty'
        for pattern, why in BANNED + ([] if path.startswith('tests/') else BANNED_IN_THE_PRODUCT):
            searched = text if 'TODO' in pattern else code
            for match in re.finditer(pattern, searched):
                yield f'{path}:{searched[:match.start()].count(chr(10)) + 1}: {why}'
        for match in PROGRAM.finditer(code) if in_product and not path.startswith(RUNS_PROGRAMS) else ():
            yield f'{path}:{code[:match.start()].count(chr(10)) + 1}: a program of the host is run: docs/decisions/0005 says by whom'
        if path.endswith(('.hpp', '.h')) and not text.startswith('#pragma once'):
            yield f'{path}: a header begins with #pragma once'


def main():
    root = Path(sys.argv[1])
    found = []
    for pattern in ('*.cpp', '*.hpp', '*.c', '*.h'):
        for file in sorted(root.rglob(pattern)):
            path = file.relative_to(root).as_posix()
            if path.split('/')[0].startswith(('build', '.', 'out')):
                continue
            found += breaches(path, file.read_text(encoding='utf-8'))
    print('\n'.join(found))
    print(f'{len(found)} breaches of the house rules')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
