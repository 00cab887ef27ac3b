#!/usr/bin/python3
"""tidy.py must be able to fail: one planted breach a rule, and one clean file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tidy  # noqa: E402

PLANTED = {
    'a lower layer includes a higher one': ('base/a.cpp', '#include "agent/core.hpp"\n'),
    'hypervisor knows netisolate': ('hypervisor/a.cpp', '#include "netisolate/ports.hpp"\n'),
    'the coordinator touches the hypervisor': ('coordinator/a.cpp', '#include "hypervisor/ports.hpp"\n'),
    'the CLI includes the codec of nobody': ('cli/a.cpp', '#include <libvirt/libvirt.h>\n'),
    'the revert binary takes the event loop of agents': ('effects/revert/main.cpp', '#include "agent/core.hpp"\n'),
    'libvirt outside its adapter': ('agent/a.cpp', '#include <libvirt/libvirt.h>\n'),
    'generated code outside the codec': ('agent/a.cpp', '#include "envelope.pb.h"\n'),
    'using namespace': ('base/a.cpp', 'using namespace std;\n'),
    'sleep': ('tests/a.cpp', 'void f() { std::this_thread::sleep_for(x); }\n'),
    'a shell': ('agent/a.cpp', 'int f() { return system("ls"); }\n'),
    'a tool of the host': ('agent/a.cpp', 'void f() { run_program({"/usr/bin/x"}, y); }\n'),
    'a long function': ('base/a.cpp', 'void f() {\n' + '    g();\n' * 80 + '}\n'),
    'a long file': ('base/a.cpp', '\n' * 601),
    'a long header': ('base/a.hpp', '#pragma once\n' + '\n' * 301),
    'a manager': ('base/a.hpp', '#pragma once\nclass SandboxManager {\n};\n'),
    'a note to self': ('base/a.cpp', '// TODO: later\n'),
    'a mock': ('tests/a.cpp', 'EXPECT_CALL(x, y);\n'),
    'no pragma once': ('base/a.hpp', 'int f();\n'),
}
CLEAN = ('agent/a.cpp', '#include "agent/core.hpp"\n#include "hypervisor/ports.hpp"\n// system("x") in a comment\n'
         'const char* text = "using namespace std";\nvoid f() {\n    g();\n}\n')

failures = [name for name, (path, text) in PLANTED.items() if not list(tidy.breaches(path, text))]
failures += [f'clean file: {breach}' for breach in tidy.breaches(*CLEAN)]
for failure in failures:
    print(f'not caught: {failure}')
print(f'{len(PLANTED) + 1 - len(failures)} passed, {len(failures)} failed')
sys.exit(1 if failures else 0)
