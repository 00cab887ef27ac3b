#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace penumbra::cli {

/// Where one stands, on stderr: on a terminal one line that is written over, elsewhere a line whenever it says
/// something else, and one that differs only in its numbers no oftener than limits::kProgressLineInterval.
/// Thread-bound.
class Progress {
 public:
    /// `fd` and `clock` are borrowed; `terminal`: isatty(fd).
    Progress(int fd, bool terminal, const Clock& clock) : fd_(fd), terminal_(terminal), clock_(clock) {}

    /// Control characters are shown as '?', since hosts write parts of it; "" takes a terminal's line away.
    void show(std::string_view line);

 private:
    const int fd_;
    const bool terminal_;
    const Clock& clock_;
    std::string shown_;
    Instant shown_at_{};
};

}  // namespace penumbra::cli
