#include "hypervisor/qcow2_header.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace penumbra::hypervisor {

Result<bool> keeps_bitmaps(const std::filesystem::path& image) {
    static constexpr std::array<unsigned char, 8> kVersion3 = {'Q', 'F', 'I', 0xfb, 0, 0, 0, 3};
    const UniqueFd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid()) return fail_errno(errno, fmt::format("opening {}", image.native()));
    std::array<unsigned char, 8> header{};
    const ssize_t count = ::pread(fd.get(), header.data(), header.size(), 0);
    if (count < 0) return fail_errno(errno, fmt::format("reading {}", image.native()));
    return count == static_cast<ssize_t>(header.size()) && header == kVersion3;
}

}  // namespace penumbra::hypervisor
