/* The only file that includes headers of libopenvswitch's inside: they are not C++. */
#include "netisolate/ovs/ovsdb_client.h"

#include <config.h>
#include <errno.h>
#include <jsonrpc.h>
#include <openvswitch/json.h>
#include <openvswitch/poll-loop.h>
#include <openvswitch/vlog.h>
#include <pthread.h>
#include <stdlib.h>
#include <stream.h>
#include <timeval.h>

/* What goes wrong in a call is its caller's error. The library would write it to syslog and to standard error besides,
 * twice into one journal, with warnings of every round of its poll loop that the scheduler held up. */
static void be_quiet(void) {
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_EMER);
}

static int wait_for_answer(struct jsonrpc* rpc, const struct json* id, long long int deadline,
                           struct jsonrpc_msg** answer) {
    for (;;) {
        jsonrpc_run(rpc);
        int error = jsonrpc_recv(rpc, answer);
        if (!error) {
            bool ours =
                ((*answer)->type == JSONRPC_REPLY || (*answer)->type == JSONRPC_ERROR) && json_equal((*answer)->id, id);
            if (ours) return 0;
            jsonrpc_msg_destroy(*answer);
            *answer = NULL;
            continue;
        }
        if (error != EAGAIN) return error == EOF ? ECONNRESET : error;
        if (time_msec() >= deadline) return ETIMEDOUT;
        jsonrpc_wait(rpc);
        jsonrpc_recv_wait(rpc);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

static char* text_of(const struct json* value) {
    return value ? json_to_string(value, JSSF_SORT) : NULL;
}

int penumbra_rpc_call(const char* remote, const char* method, const char* params, int timeout_ms, char** result,
                      char** error_text) {
    static pthread_once_t quiet = PTHREAD_ONCE_INIT;
    pthread_once(&quiet, be_quiet);
    *result = NULL;
    *error_text = NULL;
    struct json* parsed = json_from_string(params);
    if (parsed->type != JSON_ARRAY) {
        json_destroy(parsed);
        return EINVAL;
    }
    struct stream* stream = NULL;
    int error = jsonrpc_stream_open(remote, &stream, 0);
    if (error) {
        json_destroy(parsed);
        return error;
    }
    struct jsonrpc* rpc = jsonrpc_open(stream);
    struct json* id = NULL;
    struct jsonrpc_msg* answer = NULL;
    error = jsonrpc_send(rpc, jsonrpc_create_request(method, parsed, &id));
    if (!error) error = wait_for_answer(rpc, id, time_msec() + timeout_ms, &answer);
    if (answer && answer->type == JSONRPC_REPLY) {
        *result = text_of(answer->result);
    } else if (answer) {
        *error_text = text_of(answer->error);
        error = EPROTO;
    }
    jsonrpc_msg_destroy(answer);
    json_destroy(id);
    jsonrpc_close(rpc);
    return error;
}
