-- What the coordinator remembers, version 1. Key columns beside one packed message; times are UTC milliseconds.
CREATE TABLE life (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    epoch INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    name INTEGER NOT NULL,
    event INTEGER NOT NULL
) STRICT;
INSERT INTO life VALUES (1, 0, 0, 0, 0);

CREATE TABLE host (
    host TEXT PRIMARY KEY,
    retired INTEGER NOT NULL,
    ever_seen INTEGER NOT NULL,
    agent_version TEXT NOT NULL,
    facts BLOB NOT NULL
) STRICT;

CREATE TABLE command (
    command TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    fence INTEGER NOT NULL,
    state INTEGER NOT NULL,
    final INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    created INTEGER NOT NULL,
    body BLOB NOT NULL,
    report BLOB
) STRICT;
CREATE INDEX command_age ON command (final, fence);

CREATE TABLE vm_group (
    vm_group TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE shadow (
    shadow TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    gone INTEGER NOT NULL,
    status BLOB NOT NULL,
    isolation BLOB NOT NULL
) STRICT;

CREATE TABLE trial (
    trial TEXT PRIMARY KEY,
    ended INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    pending TEXT NOT NULL,
    effect TEXT NOT NULL,
    rollout TEXT NOT NULL,
    span_from INTEGER NOT NULL,
    span_to INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    status BLOB NOT NULL
) STRICT;

CREATE TABLE rollout (
    rollout TEXT PRIMARY KEY,
    ended INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    pending TEXT NOT NULL,
    drill_effect TEXT NOT NULL,
    shadow_host TEXT NOT NULL,
    verify_from INTEGER NOT NULL,
    why TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    status BLOB NOT NULL
) STRICT;

CREATE TABLE request (
    position INTEGER PRIMARY KEY,
    request TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    reply BLOB NOT NULL
) STRICT;

CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    user TEXT NOT NULL
) STRICT;

CREATE TABLE kpi_window (
    vm_group TEXT NOT NULL,
    shadow TEXT NOT NULL,
    arm TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    begin INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (vm_group, shadow, arm, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX kpi_window_time ON kpi_window (vm_group, shadow, arm, begin);

-- production's requests, by kHistoryBin
CREATE TABLE measured (
    vm_group TEXT NOT NULL,
    at INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    milliseconds INTEGER NOT NULL,
    PRIMARY KEY (vm_group, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE imported (
    vm_group TEXT NOT NULL,
    metric TEXT NOT NULL,
    at INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (vm_group, metric, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_key (
    host TEXT PRIMARY KEY,
    public_key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE token (
    host TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    expires INTEGER NOT NULL,
    used_by TEXT NOT NULL
) STRICT;
