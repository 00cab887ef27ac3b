#include "hypervisor/image_bitmaps.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/limits/libvirt.hpp"
#include "base/limits/replica.hpp"
#include "base/program.hpp"
#include "base/unique_fd.hpp"
#include "hypervisor/checkpoint_chain.hpp"
#include "hypervisor/qcow2_bitmaps.hpp"

namespace penumbra::hypervisor {
namespace {

constexpr const char* kImageTool = "/usr/bin/qemu-img";

/// At most so many bytes of a file, from `offset` on.
Result<std::vector<std::byte>> read_some(const UniqueFd& fd, std::uint64_t offset, std::size_t bytes) {
    std::vector<std::byte> read(bytes);
    std::size_t have = 0;
    while (have < bytes) {
        const ssize_t count = ::pread(fd.get(), read.data() + have, bytes - have, static_cast<off_t>(offset + have));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_errno(errno, "reading it");
        if (count == 0) break;
        have += static_cast<std::size_t>(count);
    }
    read.resize(have);
    return read;
}

struct Look {
    std::vector<std::string> bitmaps;
    std::string backing;
};

Result<Look> look(const std::filesystem::path& image) {
    const UniqueFd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid()) return fail_errno(errno, "opening it");
    const qcow2::ImageHead head = TRY(qcow2::decode_image_head(TRY(read_some(fd, 0, limits::kImageHeadBytes))));
    const std::vector<std::byte> directory = TRY(read_some(fd, head.bitmaps.offset, head.bitmaps.bytes));
    return Look{.bitmaps = TRY(qcow2::decode_bitmap_names(head.bitmaps, directory)), .backing = head.backing};
}

/// A file that an image lies on; nothing where it lies on none, or on what is no file ("nbd:...", "json:...").
std::filesystem::path below(const std::filesystem::path& image, const std::string& backing) {
    if (backing.empty() || backing.find(':') < backing.find('/')) return {};
    return image.parent_path() / backing;
}

}  // namespace

Result<std::vector<ImageBitmaps>> bitmaps_in_chain(const std::filesystem::path& image) {
    std::vector<ImageBitmaps> chain;
    for (std::filesystem::path at = image; !at.empty();) {
        if (chain.size() == limits::kImageChainMax)
            return fail(ErrorCode::kResourceExhausted,
                        fmt::format("{} lies on more than {} images", image.native(), limits::kImageChainMax));
        Result<Look> seen = look(at);
        if (!seen.has_value()) {
            const ErrorCode code = seen.error().code;
            if (code == ErrorCode::kNotFound || code == ErrorCode::kUnsupported) break;
            return fail_in(fmt::format("looking for bitmaps in {}", at.native()), std::move(seen).error());
        }
        std::filesystem::path next = below(at, seen->backing);
        chain.push_back({.image = std::exchange(at, std::move(next)), .names = std::move(seen->bitmaps)});
    }
    return chain;
}

Result<void> remove_bitmap(const std::filesystem::path& image, const CheckpointId& bitmap) {
    if (!is_ours(bitmap) || !CheckpointId::parse(bitmap.text()).has_value())
        return fail(ErrorCode::kPermissionDenied, fmt::format("bitmap {} of {} is not ours: whoever made it removes it",
                                                              bitmap.text(), image.native()));
    ASSERT(image.is_absolute());
    ProgramEnd end = TRY(run_program({kImageTool, "bitmap", "--remove", "-f", "qcow2", image.native(), bitmap.text()},
                                     limits::kImageToolMax));
    if (end.status == 0) return {};
    while (end.output.ends_with('\n'))
        end.output.pop_back();
    std::ranges::replace(end.output, '\n', ' ');
    return fail(ErrorCode::kConflict, fmt::format("removing bitmap {} of {}: {}; try again once nobody uses the image",
                                                  bitmap.text(), image.native(), end.output));
}

}  // namespace penumbra::hypervisor
