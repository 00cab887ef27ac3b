#include "sandbox/confine.hpp"

#include <array>
#include <string>

#include <errno.h>
#include <fmt/format.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "base/c_handle.hpp"
#include "replay/service.hpp"

namespace penumbra::sandbox {

Result<void> confine() {
    using Filter = CHandle<void, seccomp_release>;
    const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
    if (!filter) return fail(ErrorCode::kInternal, "libseccomp gives no filter");
    const auto allow = [&filter](int call) -> Result<void> {
        const int r = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 0, nullptr);
        if (r < 0) return fail_errno(-r, fmt::format("allowing system call {}", call));
        return {};
    };
    for (const std::string_view name : replay::service::kCallsOfALoop) {
        const int call = seccomp_syscall_resolve_name(std::string(name).c_str());
        if (call != __NR_SCMP_ERROR) TRY(allow(call));  // what this libseccomp does not know, nobody calls
    }
    for (const int call : {SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(bind),
                           SCMP_SYS(connect), SCMP_SYS(setsockopt), SCMP_SYS(getsockname)}) {
        TRY(allow(call));
    }
    for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
        const scmp_arg_cmp of_family = SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family));
        const int r = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &of_family);
        if (r < 0) return fail_errno(-r, "allowing sockets");
    }
    if (const int r = seccomp_load(filter.get()); r < 0) return fail_errno(-r, "loading the system call filter");
    return {};
}

}  // namespace penumbra::sandbox
