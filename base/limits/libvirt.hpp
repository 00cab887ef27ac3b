#pragma once

#include <chrono>
#include <cstddef>

/// Limits, hypervisor: talking to libvirt.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr auto kLibvirtKeepaliveInterval = 5s;
inline constexpr unsigned kLibvirtKeepalivesMissedMax = 4;  ///< then a call in progress ends with an error
inline constexpr auto kBackupEndWait = 30s;                 ///< for libvirt to take a job that was ended away
inline constexpr auto kBackupEndLook = 500ms;  ///< how often it is asked where the event of the end did not come
inline constexpr auto kGuestAgentWait = 5s;
inline constexpr auto kImageToolMax = 60s;               ///< for qemu-img to take a bitmap out of an image
inline constexpr std::size_t kMeminfoBytesMax = 65'536;  ///< /proc/meminfo: a line each of some 60 numbers

}  // namespace penumbra::limits
