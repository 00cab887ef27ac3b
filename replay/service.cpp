#include "replay/service.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace penumbra::replay::service {

Result<Arguments> Arguments::parse(std::span<char* const> arguments, std::span<const std::string_view> known) {
    Arguments parsed;
    for (std::size_t i = 0; i < arguments.size(); i += 2) {
        const std::string_view word = arguments[i];
        if (!word.starts_with("--") || std::ranges::find(known, word.substr(2)) == known.end()) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("'{}' is not an option; known are --{}", word, fmt::join(known, ", --")));
        }
        if (i + 1 == arguments.size()) return fail(ErrorCode::kInvalidArgument, fmt::format("{} takes a value", word));
        parsed.values_[std::string(word.substr(2))].emplace_back(arguments[i + 1]);
    }
    return parsed;
}

const std::vector<std::string>& Arguments::all(std::string_view name) const {
    static const std::vector<std::string> none;
    const auto found = values_.find(name);
    return found == values_.end() ? none : found->second;
}

Result<std::string> Arguments::one(std::string_view name) const {
    const std::vector<std::string>& values = all(name);
    if (values.size() == 1) return values.front();
    return fail(ErrorCode::kInvalidArgument, fmt::format("--{} must be given once", name));
}

std::string Arguments::one_or(std::string_view name, std::string_view otherwise) const {
    const std::vector<std::string>& values = all(name);
    return values.empty() ? std::string(otherwise) : values.back();
}

Result<double> Arguments::number_or(std::string_view name, double otherwise, double max) const {
    const std::vector<std::string>& values = all(name);
    if (values.empty()) return otherwise;
    const std::string& text = values.back();
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 0 && number <= max) return number;
    return fail(ErrorCode::kInvalidArgument, fmt::format("--{} is '{}'; use a number from 0 to {}", name, text, max));
}

Result<void> enter_network_namespace(const std::string& path) {
    const UniqueFd space(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!space.valid()) return fail_errno(errno, fmt::format("opening the network namespace {}", path));
    if (::setns(space.get(), CLONE_NEWNET) != 0) {
        return fail_errno(errno, fmt::format("entering the network namespace {} (it takes CAP_SYS_ADMIN)", path));
    }
    return {};
}

Result<void> drop_capabilities() {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        // Without CAP_SETPCAP the bounding set stays, and no_new_privs below makes it worthless.
        static_cast<void>(::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0));
    }
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    const std::array<__user_cap_data_struct, 2> none{};
    if (::syscall(SYS_capset, &header, none.data()) != 0) return fail_errno(errno, "dropping capabilities");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno(errno, "forbidding new privileges");
    return {};
}

Result<void> announce_ready() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr) return {};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    if (length == 0 || length >= sizeof address.sun_path) {
        return fail(ErrorCode::kInvalidArgument, "NOTIFY_SOCKET is not a socket's path");
    }
    std::memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    constexpr std::string_view kReady = "READY=1";
    const auto address_length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    if (::sendto(socket.get(), kReady.data(), kReady.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 address_length) < 0) {
        return fail_errno(errno, "telling the service manager that we are ready");
    }
    return {};
}

}  // namespace penumbra::replay::service
