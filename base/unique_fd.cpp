#include "base/unique_fd.hpp"

#include <unistd.h>

namespace penumbra {

void UniqueFd::reset(int fd) noexcept {
    const int old = std::exchange(fd_, fd);
    // Linux frees the number whatever close() says; retrying would close somebody else's file. Callers that must know
    // whether data reached the disk fsync before they let go.
    if (old >= 0) ::close(old);
}

}  // namespace penumbra
