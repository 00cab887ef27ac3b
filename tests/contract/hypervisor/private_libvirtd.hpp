#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <sys/types.h>

namespace penumbra::hypervisor::contract {

/// The one of this program, given by its main().
class PrivateLibvirtd;
[[nodiscard]] PrivateLibvirtd& private_libvirtd();

/// A libvirtd of the test's own, as production has one: its folders (/etc/libvirt, /run, /var/lib/libvirt, ...) are
/// empty file systems in memory that only this process and its children see, its domains end with this process.
class PrivateLibvirtd {
 public:
    /// Runs `body` in namespaces of its own (mounts, processes, network) and gives its exit status; 77, the status of a
    /// skipped test, and the reason on standard output where they cannot be made.
    [[nodiscard]] static int run_isolated(const std::function<int()>& body);

    /// Inside run_isolated() only. Waits until it answers.
    PrivateLibvirtd();
    PrivateLibvirtd(const PrivateLibvirtd&) = delete;
    PrivateLibvirtd& operator=(const PrivateLibvirtd&) = delete;
    PrivateLibvirtd(PrivateLibvirtd&&) = delete;
    PrivateLibvirtd& operator=(PrivateLibvirtd&&) = delete;
    ~PrivateLibvirtd();

    /// As if it crashed; its domains run on.
    void kill();
    void start();
    /// Stops its process, so that it neither answers nor hangs up, and lets it go on.
    void freeze() const;
    void thaw() const;

 private:
    pid_t pid_ = -1;
};

}  // namespace penumbra::hypervisor::contract
