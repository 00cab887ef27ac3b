#!/usr/bin/python3
"""Reads the logs of the last `meson test` and prints why tests were skipped, then one line: N passed, N failed, N skipped."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SKIP_CODE = 77


def skip_reasons(logs):
    """One line a skipped program: the last line that it printed says why."""
    with open(logs / 'testlog.json', encoding='utf-8') as lines:
        for line in lines:
            entry = json.loads(line)
            if entry['result'] == 'SKIP':
                printed = (entry.get('stdout', '') + entry.get('stderr', '')).strip().splitlines()
                yield f"skipped {entry['name']}: {printed[-1] if printed else 'it did not say why'}"


def count_cases(logs):
    """(passed, failed, skipped) over every case that a program reported, or the program itself where it has no cases."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(logs / 'testlog.junit.xml').getroot().iter('testcase'):
        kinds = {child.tag for child in case}
        if kinds & {'failure', 'error'}:
            failed += 1
        elif 'skipped' in kinds:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    logs = Path(sys.argv[1])
    for reason in skip_reasons(logs):
        print(reason)
    passed, failed, skipped = count_cases(logs)
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 1 if failed or passed == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
