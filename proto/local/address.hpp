#pragma once

#include <filesystem>

#include <sys/un.h>

#include "base/result.hpp"

namespace penumbra::local {

/// The address of a socket's file; kInvalidArgument when its path is longer than the kernel takes (107 bytes).
[[nodiscard]] inline Result<sockaddr_un> address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.native().size() >= sizeof address.sun_path) {
        return fail(ErrorCode::kInvalidArgument,
                    "the path of the local socket is empty or longer than 107 bytes: " + path.native());
    }
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

}  // namespace penumbra::local
