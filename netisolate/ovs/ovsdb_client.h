#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* One question to a JSON-RPC server of Open vSwitch (ovsdb-server, or a daemon's unixctl socket) and its answer.
 * `remote` is "unix:PATH", `params` a JSON array. Connects, asks and closes; ends at the deadline at the latest.
 * Returns 0 with *result, or an errno with *error, an explanation or NULL. Both are the caller's to free(). */
int penumbra_rpc_call(const char* remote, const char* method, const char* params, int timeout_ms, char** result,
                      char** error);

#ifdef __cplusplus
}
#endif
