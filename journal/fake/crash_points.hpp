#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace penumbra::journal::fake {

/// Thrown where the process "dies". Nothing of the product catches it: what unwinds is what a kill leaves behind.
struct Cut {
    std::string where;
};

/// Counts the points at which a process can die, and dies at the chosen one. Every stateful fake calls reach() before
/// and after each thing it does, so that a test enumerates all of them by counting up. Thread-bound.
class CrashPoints {
 public:
    /// From now on: dies at the `index`-th point (from 0); nothing: never.
    void cut_at(std::optional<std::size_t> index) {
        reached_ = 0;
        cut_at_ = index;
    }
    /// Marks a point, named for the failing test's message.
    void reach(const std::string& where) {
        if (cut_at_ == reached_++) {
            cut_at_.reset();
            throw Cut{where};
        }
    }
    [[nodiscard]] std::size_t reached() const noexcept { return reached_; }

 private:
    std::size_t reached_ = 0;
    std::optional<std::size_t> cut_at_;
};

}  // namespace penumbra::journal::fake
