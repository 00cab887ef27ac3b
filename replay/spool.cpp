#include "replay/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace penumbra::replay {

Result<Spool> Spool::open(const std::filesystem::path& folder, Bytes capacity) {
    UniqueFd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!file.valid()) return fail_errno(errno, fmt::format("making a spool file in {}", folder.string()));
    return Spool(std::move(file), capacity.count());
}

Result<bool> Spool::append(packet::ByteView bytes) {
    if (size() + bytes.size() > capacity_) return false;
    std::uint64_t end = end_;
    while (!bytes.empty()) {
        const std::uint64_t position = end % capacity_;
        const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), capacity_ - position));
        const ssize_t written = ::pwrite(file_.get(), bytes.data(), piece, static_cast<off_t>(position));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && (errno == ENOSPC || errno == EDQUOT)) return false;
        if (written < 0) return fail_errno(errno, "writing to the spool");
        end += static_cast<std::uint64_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    end_ = end;
    return true;
}

Result<packet::Buffer> Spool::front(std::size_t bytes_max) const {
    packet::Buffer bytes(static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, size())));
    std::size_t have = 0;
    while (have < bytes.size()) {
        const std::uint64_t position = (begin_ + have) % capacity_;
        const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size() - have, capacity_ - position));
        const ssize_t got = ::pread(file_.get(), bytes.data() + have, piece, static_cast<off_t>(position));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(errno, "reading from the spool");
        if (got == 0) return fail(ErrorCode::kDataLoss, "the spool file is shorter than what was written to it");
        have += static_cast<std::size_t>(got);
    }
    return bytes;
}

void Spool::consume(std::size_t bytes) {
    ASSERT(bytes <= size());
    begin_ += bytes;
}

}  // namespace penumbra::replay
