#include "tests/contract/hypervisor/private_libvirtd.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace penumbra::hypervisor::contract {

namespace {

constexpr int kSkipped = 77;
constexpr const char* kLibvirtd = "/usr/sbin/libvirtd";

int skip(const std::string& why) {
    std::printf("SKIPPED: %s\n", why.c_str());
    return kSkipped;
}

void write_file(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
    ASSERT(std::filesystem::file_size(file) == text.size());
}

std::string read_all(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

/// An empty folder in memory in this place.
bool cover(const char* folder) {
    std::filesystem::create_directories(folder);
    return ::mount("tmpfs", folder, "tmpfs", 0, "mode=0755") == 0;
}

/// libvirt looks the user and group of its package up, whatever its configuration says.
bool add_account(const char* file, const std::string& lines, const std::string& copy) {
    write_file(copy, read_all(file) + lines);
    return ::mount(copy.c_str(), file, nullptr, MS_BIND, nullptr) == 0;
}

bool make_house() {
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) return false;
    for (const char* folder : {"/run", "/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt"})
        if (!cover(folder)) return false;
    write_file("/etc/libvirt/libvirtd.conf",
               "auth_unix_rw = \"none\"\nauth_unix_ro = \"none\"\nhost_uuid = "
               "\"0b3f5f1e-7e6c-4d3a-9a57-2f6c1f0e7a11\"\nlog_outputs = \"3:file:/var/log/libvirt/libvirtd.log\"\n");
    write_file("/etc/libvirt/qemu.conf",
               "user = \"root\"\ngroup = \"root\"\nsecurity_driver = \"none\"\nnamespaces = []\nremember_owner = 0\n"
               "stdio_handler = \"file\"\ncgroup_controllers = []\n");
    return add_account("/etc/passwd", "libvirt-qemu:x:64055:64054::/var/lib/libvirt:/usr/sbin/nologin\n",
                       "/etc/libvirt/passwd") &&
           add_account("/etc/group", "kvm:x:64054:\nlibvirt-qemu:x:64055:\n", "/etc/libvirt/group");
}

/// The first process of a process namespace: takes in what daemons leave behind, ends with `main`.
[[noreturn]] void be_init(pid_t main) {
    int status = 0;
    for (pid_t ended = ::wait(&status); ended > 0 || errno == EINTR; ended = ::wait(&status))
        if (ended == main) ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    ::_exit(1);
}

}  // namespace

int PrivateLibvirtd::run_isolated(const std::function<int()>& body) {
    if (!std::filesystem::exists(kLibvirtd)) return skip("there is no libvirtd: run dev/setup");
    if (::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) != 0)
        return skip("no namespaces can be made: run as root");
    const pid_t init = ::fork();
    if (init == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!make_house()) ::_exit(skip("no private folders can be mounted"));
        const pid_t main = ::fork();
        if (main == 0) {
            const int status = body();
            std::fflush(nullptr);
            ::_exit(status);
        }
        be_init(main);
    }
    int status = 0;
    if (init < 0 || ::waitpid(init, &status, 0) != init) return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

PrivateLibvirtd::PrivateLibvirtd() {
    start();
}

PrivateLibvirtd::~PrivateLibvirtd() {
    if (pid_ > 0) kill();
}

void PrivateLibvirtd::start() {
    // libvirtd tells PID 1 when it answers, as under systemd
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "/run/ready"};
    ::unlink(address.sun_path);
    const UniqueFd ready(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT(::bind(ready.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    pid_ = ::fork();
    ASSERT(pid_ >= 0);
    if (pid_ == 0) {
        ::setenv("NOTIFY_SOCKET", address.sun_path, 1);
        ::execl(kLibvirtd, "libvirtd", nullptr);
        ::_exit(127);
    }
    pollfd said{.fd = ready.get(), .events = POLLIN, .revents = 0};
    if (::poll(&said, 1, 60'000) == 1) return;
    std::printf("libvirtd did not come up: %s\n", read_all("/var/log/libvirt/libvirtd.log").c_str());
    ASSERT(false);
}

void PrivateLibvirtd::kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void PrivateLibvirtd::freeze() const {
    ::kill(pid_, SIGSTOP);
}

void PrivateLibvirtd::thaw() const {
    ::kill(pid_, SIGCONT);
}

}  // namespace penumbra::hypervisor::contract
