#include "hypervisor/copy_progress.hpp"

#include <cmath>

namespace penumbra::hypervisor {

std::optional<std::chrono::seconds> time_left(Bytes done, Bytes total, std::chrono::nanoseconds elapsed) {
    if (done >= total) return std::chrono::seconds(0);
    if (done.count() == 0 || elapsed.count() <= 0) return std::nullopt;
    const double seconds = std::chrono::duration<double>(elapsed).count();
    const double left = seconds / static_cast<double>(done.count()) * static_cast<double>((total - done).count());
    return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(left)));
}

}  // namespace penumbra::hypervisor
