#include "capture/confine.hpp"

#include <string>

#include <errno.h>
#include <fmt/format.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "base/c_handle.hpp"
#include "replay/service.hpp"

namespace penumbra::capture {

Result<void> confine(int ring_fd) {
    using Filter = CHandle<void, seccomp_release>;
    const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
    if (!filter) return fail(ErrorCode::kInternal, "libseccomp gives no filter");
    for (const std::string_view name : replay::service::kCallsOfALoop) {
        const int call = seccomp_syscall_resolve_name(std::string(name).c_str());
        if (call == __NR_SCMP_ERROR) continue;  // this libseccomp does not know it yet, so nobody calls it
        if (const int r = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 0, nullptr); r < 0) {
            return fail_errno(-r, fmt::format("allowing the system call {}", name));
        }
    }
    const scmp_arg_cmp not_the_ring = SCMP_A0(SCMP_CMP_NE, static_cast<scmp_datum_t>(ring_fd));
    const scmp_arg_cmp local_only = SCMP_A0(SCMP_CMP_EQ, AF_UNIX);
    for (const int call : {SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(sendto), SCMP_SYS(sendmsg)}) {
        if (const int r = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 1, &not_the_ring); r < 0) {
            return fail_errno(-r, "allowing writes to anything but the ring");
        }
    }
    if (const int r = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &local_only); r < 0) {
        return fail_errno(-r, "allowing local sockets");
    }
    if (const int r = seccomp_load(filter.get()); r < 0) return fail_errno(-r, "loading the system call filter");
    return {};
}

}  // namespace penumbra::capture
