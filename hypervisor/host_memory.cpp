#include "hypervisor/host_memory.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace penumbra::hypervisor {

Result<Bytes> memory_available(std::string_view meminfo) {
    constexpr std::string_view kName = "MemAvailable:";
    constexpr std::string_view kUnit = " kB";
    constexpr std::uint64_t kKibibytesMax = UINT64_MAX >> 10U;
    for (std::string_view rest = meminfo; !rest.empty();) {
        const std::size_t end = rest.find('\n');
        std::string_view line = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        if (!line.starts_with(kName) || !line.ends_with(kUnit)) continue;
        line.remove_prefix(kName.size());
        line.remove_suffix(kUnit.size());
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        std::uint64_t kibibytes = 0;
        const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), kibibytes);
        if (error == std::errc() && stop == line.data() + line.size() && kibibytes <= kKibibytesMax)
            return Bytes(kibibytes << 10U);
    }
    return fail(ErrorCode::kUnsupported, "/proc/meminfo does not say MemAvailable in kB: Linux does from 3.14 on");
}

}  // namespace penumbra::hypervisor
