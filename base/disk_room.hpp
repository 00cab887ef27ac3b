#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "base/units.hpp"

namespace penumbra {

/// The file system a folder is on, as programs without privileges have it: what it keeps for root counts as taken, for
/// production's guests cannot have it. Value type.
struct DiskRoom {
    std::filesystem::path folder;
    Bytes size;
    Bytes available;
    friend bool operator==(const DiskRoom&, const DiskRoom&) = default;
};

/// What of it nothing of ours may take (limits/disk.hpp), whoever asks: production's images grow on it, too. Pure.
[[nodiscard]] Bytes reserve_of(const DiskRoom& room) noexcept;
/// Whether `needed` may be written there and the reserve stays whole. Pure.
[[nodiscard]] bool has_room_for(Bytes needed, const DiskRoom& room) noexcept;
/// What of ours may still be written there: what is available above the reserve; 0 below it. Pure.
[[nodiscard]] Bytes spare_of(const DiskRoom& room) noexcept;
/// As messages say it: "the file system of /var/lib/x has 3000 MiB free, and 2048 MiB stay free for production". Pure.
[[nodiscard]] std::string to_string(const DiskRoom& room);

/// Asks the kernel; kNotFound when there is no such folder. Thread-safe.
[[nodiscard]] Result<DiskRoom> disk_room(const std::filesystem::path& folder);

}  // namespace penumbra
