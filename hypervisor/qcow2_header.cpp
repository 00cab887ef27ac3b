#include "hypervisor/qcow2_header.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace penumbra::hypervisor {

namespace {
constexpr std::array<unsigned char, 4> kMagic = {'Q', 'F', 'I', 0xfb};
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kSizeAt = 24;
using Header = std::array<unsigned char, 32>;

template <class Number>
Number number_at(const Header& header, std::size_t at) {
    Number number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i)
        number = static_cast<Number>(number << 8U | header[at + i]);
    return number;
}
}  // namespace

Result<ImageFacts> look_at_image(const std::filesystem::path& image, std::string_view format) {
    if (format != "qcow2" && format != "raw")
        return fail(ErrorCode::kUnsupported, fmt::format("{} is of format '{}'", image.native(), format));
    const UniqueFd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid()) return fail_errno(errno, fmt::format("opening {}", image.native()));
    if (format == "raw") {
        const off_t end = ::lseek(fd.get(), 0, SEEK_END);
        if (end < 0) return fail_errno(errno, fmt::format("asking for the size of {}", image.native()));
        return ImageFacts{.virtual_size = Bytes(static_cast<std::uint64_t>(end))};
    }
    Header header{};
    const ssize_t count = ::pread(fd.get(), header.data(), header.size(), 0);
    if (count < 0) return fail_errno(errno, fmt::format("reading {}", image.native()));
    if (count < static_cast<ssize_t>(header.size()) || !std::equal(kMagic.begin(), kMagic.end(), header.begin()))
        return fail(ErrorCode::kUnsupported, fmt::format("{} is no qcow2 image", image.native()));
    return ImageFacts{.virtual_size = Bytes(number_at<std::uint64_t>(header, kSizeAt)),
                      .keeps_bitmaps = number_at<std::uint32_t>(header, kVersionAt) == 3};
}

}  // namespace penumbra::hypervisor
