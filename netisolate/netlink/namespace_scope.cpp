#include "netisolate/netlink/namespace_scope.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

namespace penumbra::netisolate {

namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

Result<UniqueFd> open_namespace(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return fail_errno(errno, "opening network namespace " + path);
    return fd;
}

}  // namespace

Result<NamespaceScope> NamespaceScope::enter(const std::string& path) {
    if (path.empty()) return NamespaceScope(UniqueFd());
    UniqueFd home = TRY(open_namespace(kOwnNamespace));
    const UniqueFd there = TRY(open_namespace(path));
    if (::setns(there.get(), CLONE_NEWNET) != 0) return fail_errno(errno, "entering network namespace " + path);
    return NamespaceScope(std::move(home));
}

Result<NamespaceScope> NamespaceScope::make(const std::string& path) {
    NamespaceScope scope(TRY(open_namespace(kOwnNamespace)));
    const UniqueFd anchor(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
    if (!anchor.valid()) return fail_errno(errno, "making " + path);
    if (::unshare(CLONE_NEWNET) != 0) return fail_errno(errno, "making a network namespace");
    if (::mount(kOwnNamespace, path.c_str(), "none", MS_BIND, nullptr) != 0) {
        return fail_errno(errno, "keeping the network namespace at " + path);
    }
    return scope;
}

NamespaceScope::~NamespaceScope() {
    if (home_.valid()) ASSERT(::setns(home_.get(), CLONE_NEWNET) == 0);
}

}  // namespace penumbra::netisolate
