#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/units.hpp"

namespace penumbra::hypervisor {

/// How far the copy of one generation is. Value type.
struct CopyProgress {
    std::string disk;  ///< the one being copied
    Bytes done;        ///< read at the source, all disks
    Bytes total;       ///< to be read
    /// By the mean rate so far; nothing until there is one.
    std::optional<std::chrono::seconds> left;
    friend bool operator==(const CopyProgress&, const CopyProgress&) = default;
};

/// How long the rest takes at the mean rate of what is done. Pure.
[[nodiscard]] std::optional<std::chrono::seconds> time_left(Bytes done, Bytes total, std::chrono::nanoseconds elapsed);

}  // namespace penumbra::hypervisor
