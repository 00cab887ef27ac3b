#pragma once

#include <string>
#include <string_view>

namespace penumbra::cli {

/// Where one stands, on stderr: on a terminal one line that is written over, elsewhere a line whenever it says
/// something else. Thread-bound.
class Progress {
 public:
    /// `fd` is borrowed; `terminal`: isatty(fd).
    Progress(int fd, bool terminal) : fd_(fd), terminal_(terminal) {}

    /// Control characters are shown as '?', since hosts write parts of it; "" takes a terminal's line away.
    void show(std::string_view line);

 private:
    const int fd_;
    const bool terminal_;
    std::string shown_;
};

}  // namespace penumbra::cli
