#include "base/disk_room.hpp"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "base/limits/disk.hpp"

namespace penumbra {

Bytes reserve_of(const DiskRoom& room) noexcept {
    return std::clamp(Bytes(room.size.count() / limits::kDiskReserveDivisor), limits::kDiskReserveMin,
                      limits::kDiskReserveMax);
}

bool has_room_for(Bytes needed, const DiskRoom& room) noexcept {
    return room.available >= reserve_of(room) && needed <= spare_of(room);
}

Bytes spare_of(const DiskRoom& room) noexcept {
    return room.available - std::min(room.available, reserve_of(room));
}

std::string to_string(const DiskRoom& room) {
    return fmt::format("the file system of {} has {} MiB free, and {} MiB stay free for production",
                       room.folder.native(), room.available.count() >> 20U, reserve_of(room).count() >> 20U);
}

Result<DiskRoom> disk_room(const std::filesystem::path& folder) {
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space(folder, error);
    if (error) return fail_errno(error.value(), fmt::format("asking how much is free at {}", folder.native()));
    return DiskRoom{.folder = folder, .size = Bytes(space.capacity), .available = Bytes(space.available)};
}

}  // namespace penumbra
